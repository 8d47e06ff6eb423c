/** What a browser says of itself, in words for its owner. Good enough to tell one's devices apart; nothing rests on it. */
export interface Device {
  browser: string | null;
  system: string | null;
  mobile: boolean;
}

// The first that fits: browsers also name those they want to be taken for.
const BROWSERS: readonly [RegExp, string][] = [
  [/Edg(e|A|iOS)?\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrom(e|ium)\/|CriOS\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];

const SYSTEMS: readonly [RegExp, string][] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

export function device(userAgent: string): Device {
  const first = (list: readonly [RegExp, string][]): string | null =>
    list.find(([pattern]) => pattern.test(userAgent))?.[1] ?? null;
  const browser = first(BROWSERS);
  return {
    // A program's own name stands before the slash.
    browser: browser ?? /^[\w.-]{1,40}(?=\/|$)/.exec(userAgent)?.[0] ?? null,
    system: first(SYSTEMS),
    mobile: /Mobi|Android|iPhone|iPad/.test(userAgent),
  };
}
