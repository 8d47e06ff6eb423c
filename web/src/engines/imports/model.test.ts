import { describe, expect, it } from 'vitest';
import {
  columnLetters,
  doubledColumns,
  doubledTargets,
  isComplete,
  isRunning,
  missingFields,
  percentDone,
  stageOf,
  STATES,
  summaryFigure,
  worstLevel,
  type SheetMapping,
  type Template,
} from './model';

const field = (key: string, required: boolean) => ({
  key,
  label: key,
  kind: 'text' as const,
  required,
  help: '',
  example: '',
});

const template = {
  name: 'purchasing.register',
  title: 'Register',
  description: '',
  sheets: [
    {
      key: 'orders',
      title: 'Purchase orders',
      required_fields: ['number', 'value'],
      fields: [field('number', true), field('note', false), field('value', true)],
    },
  ],
} as unknown as Template;

const mapping = (columns: SheetMapping['columns'], target: string | null = 'orders') => ({
  name: 'Sheet1',
  target,
  header_row: 1,
  columns,
});

describe('matching columns', () => {
  it('names the required fields that have no column', () => {
    const missing = missingFields(mapping({ number: 0, note: null }), template);
    expect(missing.map(({ key }) => key)).toEqual(['value']);
  });

  it('asks nothing of a sheet that is not imported', () => {
    expect(missingFields(mapping({}, null), template)).toEqual([]);
  });

  it('finds a column that is used twice', () => {
    expect([...doubledColumns(mapping({ number: 0, note: 2, value: 2 }))]).toEqual([2]);
  });

  it('finds two sheets that are to feed the same', () => {
    const twice = [mapping({ number: 0, value: 1 }), mapping({ number: 0, value: 1 })];
    expect([...doubledTargets(twice)]).toEqual(['orders']);
    expect(isComplete(twice, template)).toBe(false);
  });

  it('is complete only with at least one complete sheet', () => {
    expect(isComplete([mapping({}, null)], template)).toBe(false);
    expect(isComplete([mapping({ number: 0 })], template)).toBe(false);
    expect(isComplete([mapping({ number: 0, value: 0 })], template)).toBe(false);
    expect(isComplete([mapping({ number: 0, value: 1 }), mapping({}, null)], template)).toBe(true);
  });
});

describe('states', () => {
  it('knows a stage for each', () => {
    expect(STATES.map(stageOf)).toMatchInlineSnapshot(`
      [
        "reading",
        "reading",
        "matching",
        "reading",
        "review",
        "review",
        "committing",
        "committing",
        "committed",
        "failed",
        "closed",
        "closed",
      ]
    `);
  });

  it('waits for the server only while it is at work', () => {
    expect(STATES.filter(isRunning)).toEqual([
      'uploaded',
      'parsing',
      'mapped',
      'confirmed',
      'committing',
    ]);
  });
});

it('shows progress in whole per cent, and none while the total is unknown', () => {
  expect(percentDone({ done: 0, total: 0 })).toBeNull();
  expect(percentDone({ done: 999, total: 1000 })).toBe(99);
  expect(percentDone({ done: 12, total: 10 })).toBe(100);
});

it('names columns as a spreadsheet does', () => {
  expect([0, 25, 26, 51, 52, 701, 702].map(columnLetters)).toEqual([
    'A',
    'Z',
    'AA',
    'AZ',
    'BA',
    'ZZ',
    'AAA',
  ]);
});

it('lets an error outweigh a warning', () => {
  const issue = (level: 'error' | 'warning' | 'info') => ({
    field: null,
    level,
    code: 'x',
    message: 'x',
  });
  expect(worstLevel([])).toBeNull();
  expect(worstLevel([issue('info'), issue('error'), issue('warning')])).toBe('error');
});

it('finds figures anywhere in a summary', () => {
  const summary = { orders: 92, alerts: { opened: 51 } };
  expect(summaryFigure(summary, 'orders')).toBe(92);
  expect(summaryFigure(summary, 'alerts.opened')).toBe(51);
  expect(summaryFigure(summary, 'alerts.closed')).toBeNull();
  expect(summaryFigure(null, 'orders')).toBeNull();
});
