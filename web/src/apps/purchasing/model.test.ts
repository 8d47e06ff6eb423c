import { describe, expect, it } from 'vitest';
import {
  canAcknowledge,
  marksOf,
  monthsOf,
  needsNote,
  remaining,
  searchCondition,
  share,
  totalOrders,
  type Board,
} from './model';

describe('remaining value', () => {
  it('is exact to the last digit', () => {
    expect(remaining({ current_value: '9007199254740993.10', billed_to_date: '0.01' })).toBe(
      '9007199254740993.09',
    );
  });

  it('falls below zero when the order ran over', () => {
    expect(remaining({ current_value: '582069.38', billed_to_date: '584397.66' })).toBe('-2328.28');
  });
});

it('gives a share in per cent, and none of nothing', () => {
  expect(share('25.00', '200.00')).toBe('12.5');
  expect(share('25.00', '0')).toBeNull();
});

it('asks for a note at critical and above', () => {
  expect(needsNote('warning')).toBe(false);
  expect(needsNote('critical')).toBe(true);
  expect(needsNote('over_budget')).toBe(true);
});

it('offers acknowledgement only of what waits for it', () => {
  expect(canAcknowledge('open')).toBe(true);
  expect(canAcknowledge('escalated')).toBe(true);
  expect(canAcknowledge('acknowledged')).toBe(false);
  expect(canAcknowledge('resolved')).toBe(false);
});

describe('search', () => {
  it('looks in every column', () => {
    expect(searchCondition('lift', ['number', 'description'])).toBe(
      'number.ilike."*lift*",description.ilike."*lift*"',
    );
  });

  it('searches for signs of the dialect instead of obeying them', () => {
    expect(searchCondition('a",level.eq.x', ['number'])).toBe('number.ilike."*a\\",level.eq.x*"');
    expect(searchCondition('50%_x', ['number'])).toBe('number.ilike."*50\\\\%\\\\_x*"');
    expect(searchCondition('c:\\x', ['number'])).toBe('number.ilike."*c:\\\\\\\\x*"');
  });
});

it('uses the usual marks until the organisation has told its own', () => {
  expect(marksOf(undefined)).toEqual({ warning: 80, critical: 95 });
  expect(marksOf({ warning: '70', critical: '90.5' })).toEqual({ warning: 70, critical: 90.5 });
});

describe('board', () => {
  const board = {
    totals: [],
    levels: [
      { level: 'on_track', orders: 41 },
      { level: 'warning', orders: 17 },
    ],
    open_alerts: 0,
    overdue: 0,
    top_risks: [],
    billed_by_month: [
      { month: '2025-06', currency: 'GBP', billed: '10.50' },
      { month: '2025-06', currency: 'EUR', billed: '99.00' },
    ],
  } as Board;

  it('draws the months of one currency only', () => {
    expect(monthsOf(board, 'GBP')).toEqual([{ month: '2025-06', billed: '10.50', height: 10.5 }]);
  });

  it('counts the orders of all levels', () => {
    expect(totalOrders(board)).toBe(58);
  });
});
