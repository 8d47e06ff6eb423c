import { describe, expect, it } from 'vitest';
import { contrastWithWhite, parseColour, shadesOf } from './colour';

const COLOURS = ['#000000', '#2f4f9e', '#b3261e', '#00695c', '#767676', '#6a1b9a', '#8a5a00'];

describe('shades of a colour', () => {
  it.each(COLOURS)('of %s have the colour itself in their middle', (colour) => {
    expect(shadesOf(colour)).toHaveLength(10);
    expect(shadesOf(colour)?.[7]).toBe(colour);
  });

  it.each(COLOURS)('of %s can be read where words have them', (colour) => {
    const shades = shadesOf(colour) ?? [];
    expect(contrastWithWhite(shades[7] ?? '')).toBeGreaterThanOrEqual(4.5);
    expect(contrastWithWhite(shades[8] ?? '')).toBeGreaterThanOrEqual(4.5);
    // On dark pages they are the lighter, the lower.
    const light = shades.slice(0, 6).map(contrastWithWhite);
    expect([...light].sort((a, b) => a - b)).toEqual(light);
  });

  it('are none for what is no colour', () => {
    for (const bad of ['', 'red', '#12345', '#1234567', 'url(x)']) {
      expect(shadesOf(bad)).toBeNull();
      expect(parseColour(bad)).toBeNull();
    }
  });

  it('know the contrast of the guidelines', () => {
    expect(contrastWithWhite('#000000')).toBeCloseTo(21);
    expect(contrastWithWhite('#767676')).toBeCloseTo(4.54, 2);
  });
});
