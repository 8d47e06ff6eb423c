/**
 * Page, page size, order, search and filters of a table, as they stand in the address.
 * What equals the default is left out of the address, and what makes no sense in it is ignored.
 */

export const PAGE_SIZES = [25, 50, 100] as const;

/** No page of the web app loads more rows than this. */
export const MOST_ROWS = 100;

export interface TableSpec {
  /** Columns that may be ordered by. */
  sortable?: readonly string[];
  /** `column` or `-column` for descending. */
  defaultSort?: string;
  defaultSize?: number;
  /** Filters by name: the values each may take, or null when any text is allowed. */
  filters?: Readonly<Record<string, readonly string[] | null>>;
}

export interface Sort {
  column: string;
  descending: boolean;
}

export interface TableState {
  /** Counted from 1. */
  page: number;
  size: number;
  sort: Sort | null;
  query: string;
  filters: Readonly<Record<string, readonly string[]>>;
}

type Search = Record<string, unknown>;

function readSort(text: unknown, sortable: readonly string[]): Sort | null {
  if (typeof text !== 'string') return null;
  const descending = text.startsWith('-');
  const column = descending ? text.slice(1) : text;
  return sortable.includes(column) ? { column, descending } : null;
}

function readFilter(text: unknown, allowed: readonly string[] | null): string[] {
  if (typeof text !== 'string') return [];
  // A free value may hold a comma; only listed values come in lists.
  if (allowed === null) return text === '' ? [] : [text];
  return [...new Set(text.split(','))].filter((value) => allowed.includes(value));
}

export function readTableState(search: Search, spec: TableSpec): TableState {
  const page = Number(search.page);
  const size = Number(search.size);
  const sortable = spec.sortable ?? [];
  return {
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
    size: PAGE_SIZES.some((allowed) => allowed === size) ? size : (spec.defaultSize ?? 50),
    sort: readSort(search.sort, sortable) ?? readSort(spec.defaultSort, sortable),
    query: typeof search.q === 'string' ? search.q : '',
    filters: Object.fromEntries(
      Object.entries(spec.filters ?? {}).map(([name, allowed]) => [
        name,
        readFilter(search[name], allowed),
      ]),
    ),
  };
}

const sortText = (sort: Sort) => `${sort.descending ? '-' : ''}${sort.column}`;

/** The parameters for `state`; undefined removes one. */
export function writeTableState(
  state: TableState,
  spec: TableSpec,
): Record<string, string | undefined> {
  const sort = state.sort === null ? undefined : sortText(state.sort);
  return {
    page: state.page === 1 ? undefined : String(state.page),
    size: state.size === (spec.defaultSize ?? 50) ? undefined : String(state.size),
    sort: sort === spec.defaultSort ? undefined : sort,
    q: state.query === '' ? undefined : state.query,
    ...Object.fromEntries(
      Object.keys(spec.filters ?? {}).map((name) => {
        const values = state.filters[name] ?? [];
        return [name, values.length === 0 ? undefined : values.join(',')];
      }),
    ),
  };
}

/** A change of anything but the page itself starts again at the first page. */
export function changeTableState(state: TableState, change: Partial<TableState>): TableState {
  return { ...state, page: 1, ...change };
}

export function isFiltered(state: TableState): boolean {
  return state.query !== '' || Object.values(state.filters).some((values) => values.length > 0);
}

/** First and last row of the page, counted from 0, as `range()` of supabase-js takes them. */
export function rowRange({ page, size }: TableState): [from: number, to: number] {
  const limit = Math.min(size, MOST_ROWS);
  return [(page - 1) * limit, page * limit - 1];
}
