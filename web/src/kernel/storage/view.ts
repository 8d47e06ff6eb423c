/** Which folder and file are looked at, in which order, and which page: in the address, or only while the page is there. */
import { useMemo, useState } from 'react';
import {
  changeTableState,
  type Sort,
  type TableSpec,
  type TableState,
} from '@/ui/table/table-state';
import { useTableUrlState } from '@/ui/table/use-table-url-state';
import { readFolder } from './model';

export interface FilesView {
  /** Below the folder that the component was given. */
  folder: string;
  page: number;
  size: number;
  sort: Sort | null;
  /** How the names begin that are looked for. */
  query: string;
  /** The file in front of the list. */
  file: string | null;
  open: (folder: string) => void;
  setPage: (page: number) => void;
  setSort: (sort: Sort | null) => void;
  setQuery: (query: string) => void;
  look: (file: string | null) => void;
}

const SPEC: TableSpec = {
  sortable: ['name', 'updated_at'],
  defaultSort: 'name',
  filters: { folder: null, file: null },
};

/** For the page whose matter the files are. */
export function useViewInAddress(): FilesView {
  const { page, size, sort, query, filters, setPage, setSort, setQuery, set } =
    useTableUrlState(SPEC);
  return useMemo(
    () => ({
      folder: readFolder(filters.folder?.[0]),
      page,
      size,
      sort,
      query,
      setPage,
      setSort,
      setQuery,
      file: filters.file?.[0] ?? null,
      open: (folder) => set({ query: '', filters: { folder: folder === '' ? [] : [folder] } }),
      look: (file) =>
        set({ page, filters: { ...filters, file: file === null ? [] : [file] } }, file === null),
    }),
    [page, size, sort, query, filters, setPage, setSort, setQuery, set],
  );
}

/** For a part of a page that has something else in its address. */
export function useOwnView(): FilesView {
  const [folder, setFolder] = useState('');
  const [file, look] = useState<string | null>(null);
  const [state, setState] = useState<TableState>({
    page: 1,
    size: 25,
    sort: { column: 'name', descending: false },
    query: '',
    filters: {},
  });
  const { page, size, sort, query } = state;
  return useMemo(
    () => ({
      folder,
      page,
      size,
      sort,
      query,
      file,
      look,
      setPage: (next) => setState((now) => ({ ...now, page: next })),
      setSort: (next) => setState((now) => changeTableState(now, { sort: next })),
      setQuery: (next) => setState((now) => changeTableState(now, { query: next })),
      open: (next) => {
        setFolder(next);
        setState((now) => changeTableState(now, { query: '' }));
      },
    }),
    [folder, file, page, size, sort, query],
  );
}
