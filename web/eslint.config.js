import { readdirSync } from 'node:fs';
import js from '@eslint/js';
import boundaries from 'eslint-plugin-boundaries';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const folders = (path) =>
  readdirSync(new URL(path, import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

// One zone for each folder that is there, so a new app is fenced in from its first file.
const apps = folders('./src/apps').map((name) => ({ type: `app:${name}`, at: `src/apps/${name}` }));
const engines = folders('./src/engines').map((name) => ({
  type: `engine:${name}`,
  at: `src/engines/${name}`,
}));
const zones = [
  ...['shell', 'kernel', 'ui', 'api'].map((name) => ({ type: name, at: `src/${name}` })),
  ...engines,
  ...apps,
];

const allow = (from, to) => ({
  from: { element: { type: from } },
  allow: { to: { element: { types: { anyOf: to } } } },
});

export default tseslint.config(
  { ignores: ['dist', 'src/api/generated', 'e2e/types/depot.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Arrow functions that only call something are clearer without braces.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-console': 'error',
    },
  },
  reactHooks.configs.flat.recommended,
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { boundaries },
    settings: {
      'import/resolver': { typescript: { project: './tsconfig.json' } },
      'boundaries/elements': zones.map(({ type, at }) => ({ type, pattern: at })),
    },
    rules: {
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          message: '{{from.element.type}} may not import {{to.element.type}}',
          policies: [
            // What is installed from the registry is no zone of ours.
            { allow: { to: { module: { origin: ['external', 'core'] } } } },
            allow(
              'shell',
              zones.map(({ type }) => type),
            ),
            allow('kernel', ['kernel', 'ui', 'api']),
            allow('ui', ['ui', 'api']),
            allow('api', ['api']),
            ...[...engines, ...apps].map(({ type }) => allow(type, [type, 'kernel', 'ui', 'api'])),
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.test.{ts,tsx}', 'e2e/**', '*.setup.ts'],
    rules: {
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-console': 'off',
    },
  },
  {
    files: ['scripts/**', '*.{js,cjs}'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', module: 'writable' },
    },
  },
);
