/** Colours of an organisation: shades that words can be read on and in, after WCAG 2.2. */
import type { MantineColorsTuple } from '@mantine/core';

type Parts = readonly [number, number, number];

const WHITE: Parts = [255, 255, 255];
const BLACK: Parts = [0, 0, 0];
/** What dark pages and the panels on them are made of. */
const DARK_PANEL: Parts = [0x1d, 0x23, 0x30];

/** Least contrast of words with what they stand on, and of controls with the page. */
export const WORDS = 4.5;
const CONTROLS = 3;

export function parseColour(text: string): Parts | null {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  if (match === null) return null;
  const [red, green, blue] = match.slice(1).map((part) => Number.parseInt(part, 16));
  return [red ?? 0, green ?? 0, blue ?? 0];
}

const text = (parts: Parts) =>
  `#${parts.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;

function luminance(parts: Parts): number {
  const [red, green, blue] = parts.map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
}

function contrast(one: Parts, two: Parts): number {
  const [high, low] = [luminance(one), luminance(two)].sort((a, b) => b - a);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

/** Contrast of a colour with white, from 1 to 21; 0 for what is no colour. */
export function contrastWithWhite(colour: string): number {
  const parts = parseColour(colour);
  return parts === null ? 0 : contrast(parts, WHITE);
}

function mix(parts: Parts, other: Parts, share: number): Parts {
  const at = (index: 0 | 1 | 2) => parts[index] * (1 - share) + other[index] * share;
  return [at(0), at(1), at(2)];
}

/** The colour, mixed with another as little as a contrast with a third asks for, but at least by a share. */
function until(parts: Parts, other: Parts, share: number, against: Parts, least: number): Parts {
  for (let now = share; now < 1; now += 0.02) {
    const mixed = mix(parts, other, now);
    if (contrast(mixed, against) >= least) return mixed;
  }
  return other;
}

/**
 * Ten shades of a colour, as the component library wants them: from 0, a tint for the background of light pages, over 7, the
 * colour itself, for controls on light pages, to 9. On dark pages controls have shade 6, and words 3 to 5.
 */
export function shadesOf(colour: string): MantineColorsTuple | null {
  const parts = parseColour(colour);
  if (parts === null) return null;
  const tint = mix(parts, WHITE, 0.92);
  const darker = until(parts, BLACK, 0.12, tint, WORDS + 0.2);
  const shades = [
    tint,
    mix(parts, WHITE, 0.84),
    until(parts, WHITE, 0.66, DARK_PANEL, WORDS + 2),
    until(parts, WHITE, 0.5, DARK_PANEL, WORDS + 1),
    until(parts, WHITE, 0.35, DARK_PANEL, WORDS + 0.4),
    until(parts, WHITE, 0.2, DARK_PANEL, WORDS),
    until(parts, WHITE, 0, DARK_PANEL, CONTROLS),
    parts,
    darker,
    mix(darker, BLACK, 0.2),
  ].map(text);
  return shades as unknown as MantineColorsTuple;
}
