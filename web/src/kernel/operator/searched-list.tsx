import { Stack } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { useSearchState } from '@/kernel/routing/use-search-state';
import { DataTable, type Column } from '@/ui/table/data-table';
import { SearchField } from '@/ui/table/search-field';

/** A list of the console: a field that searches it, and a page of what was found. */
export function SearchedList<Row extends { id: string }>({
  search: { values, page, setValue, setPage },
  query: { data, error, refetch, isPlaceholderData },
  ...table
}: {
  search: ReturnType<typeof useSearchState<'q'>>;
  query: UseQueryResult<{ total: number; page_size: number }>;
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[] | undefined;
  minWidth: number;
  rowProps?: (row: Row) => Record<string, string>;
  empty: ReactNode;
}) {
  const { t } = useTranslation('operator');
  return (
    <Stack>
      <SearchField
        label={t('search')}
        value={values.q}
        onChange={(value) => {
          setValue('q', value);
        }}
      />
      <DataTable
        {...table}
        total={data?.total}
        rowKey={({ id }) => id}
        state={{ page, size: data?.page_size ?? 50, setPage }}
        error={error}
        onRetry={() => void refetch()}
        stale={isPlaceholderData}
      />
    </Stack>
  );
}
