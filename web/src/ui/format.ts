/** Exact decimals arrive as text and are shown without ever becoming floating-point numbers. */

const LOCALES: Record<string, string> = { en: 'en-GB', de: 'de-DE' };

export function localeOf(language: string): string {
  return LOCALES[language.slice(0, 2)] ?? 'en-GB';
}

const DECIMAL = /^-?\d+(\.\d+)?$/;

/** Intl formats decimal text exactly; anything else it would turn into NaN. */
function exact(value: string): Intl.StringNumericLiteral | null {
  return DECIMAL.test(value) ? (value as Intl.StringNumericLiteral) : null;
}

export function formatMoney(amount: string, currency: string, language: string): string {
  const value = exact(amount);
  if (value === null) return amount;
  try {
    return new Intl.NumberFormat(localeOf(language), { style: 'currency', currency }).format(value);
  } catch {
    return `${amount} ${currency}`;
  }
}

/** Short form for axes, where the exact figure stands elsewhere. */
export function formatCompact(value: number, language: string): string {
  return new Intl.NumberFormat(localeOf(language), {
    notation: 'compact',
    maximumFractionDigits: 1,
  }).format(value);
}

/**
 * A percentage that is already times one hundred: `100.4` is 100.4 %. It is cut to two digits: a rounded
 * figure must not seem to lie on the other side of a mark (94.995 is not yet 95, and 100.001 is more than 100).
 */
export function formatPercent(value: string | number, language: string): string {
  const text = String(value);
  const number = exact(text);
  if (number === null) return text;
  return new Intl.NumberFormat(localeOf(language), {
    style: 'unit',
    unit: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 2,
    roundingMode: /^100\.00\d*[1-9]/.test(text) ? 'ceil' : 'trunc',
  }).format(number);
}

/** How far something is, from 0 to 1; it is whole when all is done. */
export function formatProgress(share: number, language: string): string {
  return new Intl.NumberFormat(localeOf(language), {
    style: 'percent',
    roundingMode: 'trunc',
  }).format(Math.min(share, 1));
}

export function formatInteger(value: number, language: string): string {
  return new Intl.NumberFormat(localeOf(language)).format(value);
}

const DATE_ONLY = /^\d{4}-\d{2}-\d{2}$/;

/** A calendar day stays that day in every time zone. */
export function formatDate(value: string, language: string): string {
  const dayOnly = DATE_ONLY.test(value);
  const date = new Date(dayOnly ? `${value}T00:00:00Z` : value);
  if (Number.isNaN(date.getTime())) return value;
  return new Intl.DateTimeFormat(localeOf(language), {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    ...(dayOnly ? { timeZone: 'UTC' } : {}),
  }).format(date);
}

/** Making one takes longer than all else in a row of a table. */
const dateTimes = new Map<string, Intl.DateTimeFormat>();

export function formatDateTime(value: string, language: string): string {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return value;
  const locale = localeOf(language);
  let format = dateTimes.get(locale);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
    dateTimes.set(locale, format);
  }
  return format.format(date);
}

/** `2025-06` as `Jun 2025`. */
export function formatMonth(value: string, language: string): string {
  const date = new Date(`${value}-01T00:00:00Z`);
  if (Number.isNaN(date.getTime())) return value;
  return new Intl.DateTimeFormat(localeOf(language), {
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  }).format(date);
}

/** The same for an axis: `Jun 25`. */
export function formatMonthShort(value: string, language: string): string {
  const date = new Date(`${value}-01T00:00:00Z`);
  if (Number.isNaN(date.getTime())) return value;
  return new Intl.DateTimeFormat(localeOf(language), {
    month: 'short',
    year: '2-digit',
    timeZone: 'UTC',
  }).format(date);
}

const UNITS = ['B', 'kB', 'MB', 'GB'] as const;

export function formatBytes(bytes: number, language: string): string {
  const step = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const number = new Intl.NumberFormat(localeOf(language), {
    maximumFractionDigits: step === 0 ? 0 : 1,
  }).format(bytes / 1000 ** step);
  return `${number} ${UNITS[step] ?? 'B'}`;
}
