import { useNavigate, useSearch } from '@tanstack/react-router';

/** What is searched for and which page is shown, in the address. */
export function useConsoleSearch() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const page = Number(search.page);
  const set = (change: Record<string, string | undefined>) => {
    void navigate({
      to: '.',
      replace: true,
      resetScroll: false,
      search: ((previous: Record<string, unknown>) => ({ ...previous, ...change })) as never,
    });
  };
  return {
    q: typeof search.q === 'string' ? search.q : '',
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
    setQ: (q: string) => {
      set({ q: q === '' ? undefined : q, page: undefined });
    },
    setPage: (next: number) => {
      set({ page: next === 1 ? undefined : String(next) });
    },
  };
}
