import { describe, expect, it } from 'vitest';
import {
  changeTableState,
  isFiltered,
  readTableState,
  rowRange,
  writeTableState,
  type TableSpec,
} from './table-state';

const SPEC: TableSpec = {
  sortable: ['number', 'utilisation'],
  defaultSort: 'number',
  filters: { level: ['warning', 'critical'], supplier: null },
};

const read = (search: Record<string, unknown>) => readTableState(search, SPEC);

describe('reading the address', () => {
  it('begins on the first page in the default order', () => {
    expect(read({})).toEqual({
      page: 1,
      size: 50,
      sort: { column: 'number', descending: false },
      query: '',
      filters: { level: [], supplier: [] },
    });
  });

  it('understands every parameter', () => {
    expect(
      read({
        page: '3',
        size: '100',
        sort: '-utilisation',
        q: 'lift',
        level: 'warning,critical',
        supplier: 'a,b',
      }),
    ).toEqual({
      page: 3,
      size: 100,
      sort: { column: 'utilisation', descending: true },
      query: 'lift',
      filters: { level: ['warning', 'critical'], supplier: ['a,b'] },
    });
  });

  it.each(['0', '-1', '1.5', 'x', '', undefined, 'Infinity', '1e400'])(
    'takes %j for the first page',
    (page) => {
      expect(read({ page }).page).toBe(1);
    },
  );

  it.each(['1', '101', '1000', 'all'])('never loads %j rows', (size) => {
    expect(read({ size }).size).toBe(50);
  });

  it('orders only by columns that may be ordered by', () => {
    expect(read({ sort: 'password' }).sort).toEqual({ column: 'number', descending: false });
    expect(read({ sort: '--number' }).sort).toEqual({ column: 'number', descending: false });
  });

  it('drops values that a filter does not know, and doubles', () => {
    expect(read({ level: 'warning,nonsense,warning' }).filters.level).toEqual(['warning']);
    expect(read({ level: 7 }).filters.level).toEqual([]);
  });

  it('knows no order where none was declared', () => {
    expect(readTableState({ sort: 'number' }, {}).sort).toBeNull();
  });
});

describe('writing the address', () => {
  it('leaves out what is the default', () => {
    expect(
      Object.values(writeTableState(read({}), SPEC)).every((value) => value === undefined),
    ).toBe(true);
  });

  it('is read back as it was', () => {
    const search = {
      page: '2',
      size: '25',
      sort: '-number',
      q: 'a&b=c',
      level: 'critical',
      supplier: 'a,b',
    };
    expect(writeTableState(read(search), SPEC)).toEqual(search);
  });
});

describe('changing', () => {
  it('goes back to the first page when the rows become other rows', () => {
    const state = read({ page: '7' });
    expect(changeTableState(state, { query: 'x' }).page).toBe(1);
    expect(changeTableState(state, { page: 8 }).page).toBe(8);
  });

  it('knows whether anything is filtered', () => {
    expect(isFiltered(read({ page: '2', sort: '-number' }))).toBe(false);
    expect(isFiltered(read({ q: 'x' }))).toBe(true);
    expect(isFiltered(read({ level: 'critical' }))).toBe(true);
  });
});

it('asks the server for the rows of one page', () => {
  expect(rowRange(read({}))).toEqual([0, 49]);
  expect(rowRange(read({ page: '3', size: '25' }))).toEqual([50, 74]);
  expect(rowRange({ ...read({}), size: 5000 })).toEqual([0, 99]);
});
