/** Rules of the forms; the server checks again. */

export const SHORTEST_PASSWORD = 8;

export function isEmail(text: string): boolean {
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text.trim());
}
