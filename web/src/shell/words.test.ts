import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { namespaces } from './namespaces';

function keysOf(words: object, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(words).flatMap(([key, value]: [string, unknown]) =>
      typeof value === 'object' && value !== null
        ? [...keysOf(value, `${prefix}${key}.`)]
        : [[`${prefix}${key}`, String(value)] as const],
    ),
  );
}

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !/\.test\.|generated|messages\.ts$/.test(name))
  .map((name) => ({ name, text: readFileSync(path.join('src', name), 'utf8') }));

describe.each(Object.entries(namespaces))('the words of %s', (_name, { en, de }) => {
  it('are complete in German', () => {
    expect([...keysOf(de).keys()]).toEqual([...keysOf(en).keys()]);
    for (const [key, text] of keysOf(de)) expect(text.trim(), key).not.toBe('');
  });

  it('leave the same gaps to fill in both languages', () => {
    const gaps = (text: string) => (text.match(/\{\{\w+\}\}/g) ?? []).sort();
    const english = keysOf(en);
    for (const [key, text] of keysOf(de)) {
      expect(gaps(text), key).toEqual(gaps(english.get(key) ?? ''));
    }
  });
});

it('exist wherever a page asks for them', () => {
  const missing: string[] = [];
  for (const { name, text } of sources) {
    const own = /useTranslation\(\[?'(\w+)'/.exec(text)?.[1];
    for (const [, asked = ''] of text.matchAll(/\bt\(\s*'([\w.:]+)'/g)) {
      const [first, second] = asked.split(':');
      const [namespace, key] = second === undefined ? [own, first] : [first, second];
      const words = keysOf(namespaces[namespace ?? '']?.en ?? {});
      // What is counted has a form for one and another for more.
      if (!words.has(key ?? '') && !words.has(`${key ?? ''}_other`)) {
        missing.push(`${name}: ${asked}`);
      }
    }
  }
  expect(missing).toEqual([]);
});

it('are all asked for', () => {
  const everything = sources.map(({ text }) => text).join('\n');
  const unused: string[] = [];
  for (const [namespace, { en }] of Object.entries(namespaces)) {
    // Refusals are looked up by the code that the server sends.
    if (namespace === 'errors') continue;
    for (const form of keysOf(en).keys()) {
      const key = form.replace(/_(one|other)$/, '');
      const parent = key.split('.').slice(0, -1).join('.');
      const literal = everything.includes(`'${key}'`) || everything.includes(`:${key}'`);
      const computed =
        everything.includes(`${parent}.\${`) || everything.includes(`}.${key.split('.').at(-1)}\``);
      if (!literal && !computed) unused.push(`${namespace}:${form}`);
    }
  }
  expect(unused).toEqual([]);
});
