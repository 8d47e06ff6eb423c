import {
  Alert,
  Badge,
  Button,
  Card,
  createTheme,
  mergeThemeOverrides,
  Modal,
  Paper,
  Tooltip,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from '@mantine/core';
import { shadesOf } from '@/ui/colour';

const ink: MantineColorsTuple = [
  '#eef3fc',
  '#dbe4f6',
  '#b4c6ec',
  '#8aa6e2',
  '#678ad9',
  '#5079d4',
  '#4470d2',
  '#2f4f9e',
  '#284489',
  '#1d3573',
];

export const theme = createTheme({
  primaryColor: 'ink',
  primaryShade: { light: 7, dark: 6 },
  colors: {
    ink,
    // Cooler than the library's own greys, and with darker page than panel.
    dark: [
      '#d3d8e2',
      '#b4bbc9',
      '#8f98a9',
      '#6b7485',
      '#3a4252',
      '#2c3342',
      '#1d2330',
      '#171c27',
      '#11151e',
      '#0b0e15',
    ],
  },
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '28px' },
      h2: { fontSize: '24px' },
      h3: { fontSize: '18px' },
      h4: { fontSize: '16px' },
    },
  },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  autoContrast: true,
  components: {
    Paper: Paper.extend({ defaultProps: { radius: 'md' } }),
    Card: Card.extend({ defaultProps: { radius: 'md', withBorder: true } }),
    Button: Button.extend({ defaultProps: { fw: 550 } }),
    // What a badge says is short and read whole: the columns beside it give way.
    Badge: Badge.extend({
      defaultProps: { radius: 'sm' },
      styles: { root: { minWidth: 'max-content' } },
    }),
    Modal: Modal.extend({
      defaultProps: { centered: true, radius: 'md', overlayProps: { blur: 2 } },
      styles: { title: { fontWeight: 650, overflowWrap: 'anywhere', minWidth: 0 } },
    }),
    // It would be one of the page's landmarks.
    ModalHeader: Modal.Header.extend({ defaultProps: { role: 'presentation' } }),
    Alert: Alert.extend({
      defaultProps: { radius: 'md' },
      vars: (_theme, { color, variant }) =>
        variant === undefined || variant === 'light'
          ? {
              root: {
                '--alert-bg': `color-mix(in srgb, var(--mantine-color-${color ?? 'ink'}-6) 9%, var(--mantine-color-body))`,
                '--alert-bd': `1px solid color-mix(in srgb, var(--mantine-color-${color ?? 'ink'}-6) 28%, transparent)`,
              },
            }
          : { root: {} },
      // Coloured words on a tint of the same colour are hard to read.
      styles: { title: { color: 'var(--mantine-color-text)' } },
    }),
    Tooltip: Tooltip.extend({ defaultProps: { withArrow: true, openDelay: 200 } }),
  },
});

/** The theme with the colour of an organisation in place of Tenon's own. */
export function themeIn(colour: string | null): typeof theme {
  const shades = colour === null ? null : shadesOf(colour);
  if (shades === null) return theme;
  return mergeThemeOverrides(theme, { colors: { ink: shades } });
}

/** The library's own greys for small text are too pale on these backgrounds, its red for words in white and in red. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#5b6474',
    '--mantine-color-placeholder': '#6b7485',
    '--mantine-color-body': '#ffffff',
    '--mantine-color-anchor': 'var(--mantine-color-ink-8)',
    '--mantine-color-ink-light-color': 'var(--mantine-color-ink-8)',
    '--mantine-color-error': 'var(--mantine-color-red-9)',
    '--mantine-color-red-filled': 'var(--mantine-color-red-9)',
    '--mantine-color-red-light-color': 'var(--mantine-color-red-9)',
    '--mantine-color-red-outline': 'var(--mantine-color-red-9)',
    '--mantine-color-default-border': '#e1e5ec',
  },
  dark: {
    '--mantine-color-error': 'var(--mantine-color-red-4)',
    '--mantine-color-red-filled': 'var(--mantine-color-red-9)',
    '--mantine-color-red-light-color': 'var(--mantine-color-red-4)',
    '--mantine-color-red-outline': 'var(--mantine-color-red-4)',
    '--mantine-color-dimmed': '#9ba4b5',
    '--mantine-color-placeholder': '#8f98a9',
    '--mantine-color-default-border': '#2a3140',
  },
});
