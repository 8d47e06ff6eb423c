/** Rules of the forms; the server checks again. */

export const SHORTEST_PASSWORD = 8;

export function isEmail(text: string): boolean {
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text.trim());
}

/** A telephone number with its country first, however people group its digits. */
export function isPhone(text: string): boolean {
  const digits = text.replace(/[\s\-./()]/g, '');
  return /^(\+|00)?[1-9]\d{6,14}$/.test(digits);
}
