import { useNavigate, useSearch } from '@tanstack/react-router';

/** What is searched for and which page is shown, in the address. A search begins on the first page. */
export function useSearchState<Field extends string>(fields: readonly Field[]) {
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
  const text = (field: Field) => (typeof search[field] === 'string' ? search[field] : '');
  return {
    values: Object.fromEntries(fields.map((field) => [field, text(field)])) as Record<
      Field,
      string
    >,
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
    setValue: (field: Field, value: string) => {
      set({ [field]: value === '' ? undefined : value, page: undefined });
    },
    setPage: (next: number) => {
      set({ page: next === 1 ? undefined : String(next) });
    },
  };
}
