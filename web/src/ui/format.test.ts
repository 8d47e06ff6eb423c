import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatDate,
  formatDateTime,
  formatMoney,
  formatMonth,
  formatPercent,
  formatProgress,
} from './format';

describe('money', () => {
  it('keeps every digit of an amount that a floating-point number cannot hold', () => {
    expect(formatMoney('90071992547409931234.57', 'GBP', 'en')).toBe(
      '£90,071,992,547,409,931,234.57',
    );
  });

  it('uses the digits of the currency and the marks of the language', () => {
    expect(formatMoney('1234.5', 'EUR', 'de').replaceAll('\u00a0', ' ')).toBe('1.234,50 €');
    expect(formatMoney('1234', 'JPY', 'en')).toBe('JP¥1,234');
    expect(formatMoney('-12.30', 'GBP', 'en')).toBe('-£12.30');
  });

  it('shows what it cannot read as it came', () => {
    expect(formatMoney('n/a', 'GBP', 'en')).toBe('n/a');
    expect(formatMoney('12.00', 'POUNDS', 'en')).toBe('12.00 POUNDS');
  });
});

describe('percentages', () => {
  it('shows a percentage that is already times one hundred', () => {
    expect(formatPercent('100.4000', 'en')).toBe('100.4%');
    expect(formatPercent('100.4000', 'de').replaceAll('\u00a0', ' ')).toBe('100,4 %');
    expect(formatPercent('80.0000', 'en')).toBe('80.0%');
  });

  it('says that all is done only when it is', () => {
    expect(formatProgress(0.279, 'en')).toBe('27%');
    expect(formatProgress(0.9999, 'en')).toBe('99%');
    expect(formatProgress(1.02, 'en')).toBe('100%');
  });

  it('does not round a figure to the other side of a mark', () => {
    expect(formatPercent('94.9950', 'en')).toBe('94.99%');
    expect(formatPercent('100.0001', 'en')).toBe('100.01%');
    expect(formatPercent('100.40000045', 'en')).toBe('100.4%');
    expect(formatPercent('100.0000', 'en')).toBe('100.0%');
  });
});

describe('dates', () => {
  it('shows a calendar day as that day', () => {
    expect(formatDate('2025-06-01', 'en')).toBe('1 Jun 2025');
    expect(formatDate('2025-06-01', 'de')).toBe('1. Juni 2025');
  });

  it('names a month', () => {
    expect(formatMonth('2025-06', 'en')).toBe('Jun 2025');
  });

  it('shows what it cannot read as it came', () => {
    expect(formatDate('soon', 'en')).toBe('soon');
    expect(formatDateTime('soon', 'en')).toBe('soon');
    expect(formatMonth('', 'en')).toBe('');
  });
});

it('names a file size in steps of a thousand', () => {
  expect(formatBytes(0, 'en')).toBe('0 B');
  expect(formatBytes(999, 'en')).toBe('999 B');
  expect(formatBytes(63417, 'en')).toBe('63.4 kB');
  expect(formatBytes(2_500_000, 'de')).toBe('2,5 MB');
});
