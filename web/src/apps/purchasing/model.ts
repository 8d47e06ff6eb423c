/** Orders, entries and alerts as the tables give them; amounts are exact decimals as text. */
import Big from 'big.js';
import type { Reply } from '@/api/client';
import { DEFAULT_MARKS, type Level, type Marks } from '@/ui/level';

export type Board = Reply<'/api/v1/purchasing/board'>;

export interface Order {
  id: string;
  number: string;
  description: string | null;
  project: string | null;
  currency: string;
  original_value: string;
  current_value: string;
  billed_to_date: string;
  utilisation: string | null;
  level: Level;
  start_date: string | null;
  due_date: string | null;
  supplier: { id: string; name: string } | null;
}

export interface Entry {
  id: string;
  number: string;
  note: string | null;
  survey_date: string;
  amount: string;
  surveyor: string | null;
  state: EntryState;
}

export type EntryState = 'draft' | 'submitted' | 'certified' | 'rejected' | 'reversed';

export const ALERT_STATES = ['open', 'escalated', 'acknowledged', 'resolved'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

export interface Alert {
  id: string;
  level: Exclude<Level, 'on_track'>;
  state: AlertState;
  utilisation: string | null;
  opened_at: string;
  acknowledged_at: string | null;
  note: string | null;
  order: { id: string; number: string; description: string | null } | null;
}

/** An acknowledgement needs a reason once an order is critical or worse. */
export function needsNote(level: Level): boolean {
  return level === 'critical' || level === 'over_budget';
}

export function canAcknowledge(state: AlertState): boolean {
  return state === 'open' || state === 'escalated';
}

/** What may still be billed; below zero when the order ran over. */
export function remaining({
  current_value,
  billed_to_date,
}: Pick<Order, 'current_value' | 'billed_to_date'>): string {
  return new Big(current_value).minus(billed_to_date).toFixed();
}

export function isNegative(amount: string): boolean {
  return amount.startsWith('-');
}

/** The share of `part` in `whole` in per cent with one digit, or null where there is no whole. */
export function share(part: string, whole: string): string | null {
  const total = new Big(whole);
  return total.eq(0) ? null : new Big(part).times(100).div(total).toFixed(1);
}

export function marksOf(settings: { warning: string; critical: string } | undefined): Marks {
  if (settings === undefined) return DEFAULT_MARKS;
  return { warning: Number(settings.warning), critical: Number(settings.critical) };
}

/**
 * The condition that finds `text` in any of `columns`, as `or()` takes it. The text is quoted, so that its
 * commas, brackets, dots and per cent signs are searched for and not obeyed; `*` stands for anything, as users expect.
 */
export function searchCondition(text: string, columns: readonly string[]): string {
  const pattern = `*${text.replaceAll(/[\\%_]/g, '\\$&')}*`;
  const quoted = pattern.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return columns.map((column) => `${column}.ilike."${quoted}"`).join(',');
}

/** Billing per month for one currency, ready to draw. Drawn heights need no exact decimals; labels use the text. */
export function monthsOf(board: Board, currency: string) {
  return board.billed_by_month
    .filter((month) => month.currency === currency)
    .map(({ month, billed }) => ({ month, billed, height: Number(billed) }));
}

export function totalOrders(board: Board): number {
  return board.levels.reduce((sum, { orders }) => sum + orders, 0);
}
