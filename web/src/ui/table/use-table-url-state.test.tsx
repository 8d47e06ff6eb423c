import { act } from '@testing-library/react';
import { useEffect } from 'react';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { renderAt, speakEnglish } from '../testing/render';
import type { TableSpec } from './table-state';
import { useTableUrlState, type TableUrlState } from './use-table-url-state';

const SPEC: TableSpec = {
  sortable: ['number', 'value'],
  defaultSort: 'number',
  filters: { level: ['warning', 'critical'] },
};

let table: TableUrlState;

function Probe() {
  const state = useTableUrlState(SPEC);
  useEffect(() => {
    table = state;
  });
  return null;
}

async function openAt(address: string) {
  const { router } = await renderAt(address, () => <Probe />);
  const change = async (make: () => void) => {
    await act(async () => {
      make();
      await Promise.resolve();
    });
    await act(() => router.load());
    return router.history.location.href;
  };
  return { router, change };
}

beforeAll(() => speakEnglish());
beforeEach(() => {
  table = undefined as never;
});

describe('the table of a page', () => {
  it('starts as its address says', async () => {
    await openAt('/?page=2&sort=-value&level=critical&q=lift');
    expect(table).toMatchObject({
      page: 2,
      size: 50,
      sort: { column: 'value', descending: true },
      query: 'lift',
      filters: { level: ['critical'] },
      isFiltered: true,
    });
  });

  it('puts the page into the address, and takes the first page out of it', async () => {
    const { change } = await openAt('/');
    expect(
      await change(() => {
        table.setPage(2);
      }),
    ).toBe('/?page=2');
    expect(
      await change(() => {
        table.setPage(1);
      }),
    ).toBe('/');
  });

  it('returns to the first page when the filter, the order, the search or the size changes', async () => {
    const { change, router } = await openAt('/?page=9');
    const changes: (() => void)[] = [
      () => {
        table.setFilter('level', ['warning', 'critical']);
      },
      () => {
        table.setSort({ column: 'value', descending: true });
      },
      () => {
        table.setQuery('lift');
      },
      () => {
        table.setSize(100);
      },
    ];
    for (const make of changes) {
      await change(() => {
        table.setPage(9);
      });
      await change(make);
      expect(new URLSearchParams(router.history.location.search).has('page')).toBe(false);
    }
    expect(Object.fromEntries(new URLSearchParams(router.history.location.search))).toEqual({
      level: 'warning,critical',
      sort: '-value',
      q: 'lift',
      size: '100',
    });
  });

  it('stays on its page when the search box reports what is searched already', async () => {
    const { change } = await openAt('/?page=3&q=lift');
    expect(
      await change(() => {
        table.setQuery('lift');
      }),
    ).toBe('/?page=3&q=lift');
  });

  it('removes filters and search, and keeps the order', async () => {
    const { change } = await openAt('/?sort=-value&level=critical&q=lift');
    expect(
      await change(() => {
        table.reset();
      }),
    ).toBe('/?sort=-value');
  });

  it('leaves parameters of others alone', async () => {
    const { change } = await openAt('/?tab=notes');
    expect(
      await change(() => {
        table.setPage(4);
      }),
    ).toBe('/?tab=notes&page=4');
  });
});
