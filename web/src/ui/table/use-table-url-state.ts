import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import {
  changeTableState,
  isFiltered,
  readTableState,
  writeTableState,
  type Sort,
  type TableSpec,
  type TableState,
} from './table-state';

export interface TableUrlState extends TableState {
  isFiltered: boolean;
  setPage: (page: number) => void;
  setSize: (size: number) => void;
  setSort: (sort: Sort | null) => void;
  setQuery: (query: string) => void;
  setFilter: (name: string, values: readonly string[]) => void;
  /** Several of them in one step, to which "back" leads unless it replaces the one before. */
  set: (change: Partial<TableState>, replace?: boolean) => void;
  reset: () => void;
}

/** The state of the table on this page; it lives in the address, so any view can be linked, reloaded and left with "back". */
export function useTableUrlState(spec: TableSpec): TableUrlState {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const state = useMemo(() => readTableState(search, spec), [search, spec]);

  const change = useCallback(
    (make: (state: TableState) => TableState, replace: boolean) => {
      void navigate({
        to: '.',
        replace,
        resetScroll: false,
        search: ((previous: Record<string, unknown>) => ({
          ...previous,
          ...writeTableState(make(readTableState(previous, spec)), spec),
        })) as never,
      });
    },
    [navigate, spec],
  );

  return useMemo(
    () => ({
      ...state,
      isFiltered: isFiltered(state),
      setPage: (page) => {
        change((now) => ({ ...now, page }), false);
      },
      setSize: (size) => {
        change((now) => changeTableState(now, { size }), true);
      },
      setSort: (sort) => {
        change((now) => changeTableState(now, { sort }), true);
      },
      setQuery: (query) => {
        change((now) => (now.query === query ? now : changeTableState(now, { query })), true);
      },
      setFilter: (name, values) => {
        change(
          (now) => changeTableState(now, { filters: { ...now.filters, [name]: values } }),
          false,
        );
      },
      set: (to, replace = false) => {
        change((now) => changeTableState(now, to), replace);
      },
      reset: () => {
        change((now) => changeTableState(now, { query: '', filters: {} }), false);
      },
    }),
    [state, change],
  );
}
