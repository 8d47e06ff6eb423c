import { Box, Paper, Skeleton, Table, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconArrowsSort } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorState } from '../states/error-state';
import classes from './data-table.module.css';
import { Pager } from './pager';
import { WideContent } from './wide-content';
import type { Sort } from './table-state';

export interface Column<Row> {
  key: string;
  header: string;
  render: (row: Row) => ReactNode;
  sortable?: boolean;
  align?: 'left' | 'right';
  width?: number | string;
  nowrap?: boolean;
  /** Left out on narrow screens. */
  optional?: boolean;
}

interface Paging {
  page: number;
  size: number;
  setPage: (page: number) => void;
  setSize?: (size: number) => void;
  sort?: Sort | null;
  setSort?: (sort: Sort | null) => void;
}

interface Props<Row> {
  /** Says to a screen reader what the table holds. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[] | undefined;
  rowKey: (row: Row) => string;
  total: number | undefined;
  state: Paging;
  error?: unknown;
  onRetry?: () => void;
  /** Shown in place of the table when there are no rows. */
  empty: ReactNode;
  /** While a page replaces another the old one stays, dimmed. */
  stale?: boolean;
  minWidth?: number;
  /** For many columns. */
  dense?: boolean;
  rowProps?: (row: Row) => Record<string, string | undefined>;
}

function SortButton({
  header,
  column,
  sort,
  onSort,
}: {
  header: string;
  column: string;
  sort: Sort | null;
  onSort: (sort: Sort) => void;
}) {
  const { t } = useTranslation('ui');
  const active = sort?.column === column;
  const Symbol = active ? (sort.descending ? IconArrowDown : IconArrowUp) : IconArrowsSort;
  return (
    <UnstyledButton
      className={classes.sort}
      aria-label={t('table.sortBy', { column: header })}
      onClick={() => {
        onSort({ column, descending: active ? !sort.descending : false });
      }}
    >
      <span>{header}</span>
      <Symbol size={13} opacity={active ? 1 : 0.45} aria-hidden />
    </UnstyledButton>
  );
}

/** Rows of one page that the server cut, ordered and counted. */
export function DataTable<Row>({
  caption,
  columns,
  rows,
  rowKey,
  total,
  state,
  error,
  onRetry,
  empty,
  stale = false,
  minWidth = 720,
  dense = false,
  rowProps,
}: Props<Row>) {
  const { t } = useTranslation('ui');
  const { sort = null, setSort } = state;

  if (error !== undefined && error !== null) {
    return <ErrorState error={error} {...(onRetry === undefined ? {} : { onRetry })} />;
  }
  if (rows?.length === 0 && state.page === 1) return empty;

  return (
    <Paper withBorder className={classes.frame}>
      <WideContent label={caption} minWidth={minWidth}>
        <Table
          verticalSpacing={9}
          horizontalSpacing={dense ? 'xs' : 'md'}
          highlightOnHover
          aria-busy={stale || undefined}
          className={classes.table}
        >
          <caption className={classes.caption}>
            <VisuallyHidden>{caption}</VisuallyHidden>
          </caption>
          <Table.Thead>
            <Table.Tr>
              {columns.map(({ key, header, sortable, align = 'left', width, optional }) => (
                <Table.Th
                  key={key}
                  scope="col"
                  w={width}
                  data-align={align}
                  visibleFrom={optional === true ? 'md' : undefined}
                  aria-sort={
                    sort?.column === key
                      ? sort.descending
                        ? 'descending'
                        : 'ascending'
                      : undefined
                  }
                >
                  {sortable === true && setSort !== undefined ? (
                    <SortButton header={header} column={key} sort={sort} onSort={setSort} />
                  ) : (
                    header
                  )}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows === undefined
              ? Array.from({ length: 8 }, (_, index) => (
                  <Table.Tr key={index} aria-hidden>
                    {columns.map(({ key, optional }) => (
                      <Table.Td key={key} visibleFrom={optional === true ? 'md' : undefined}>
                        <Skeleton height={14} my={4} width={`${50 + ((index * 17) % 40)}%`} />
                      </Table.Td>
                    ))}
                  </Table.Tr>
                ))
              : rows.map((row) => (
                  <Table.Tr key={rowKey(row)} {...rowProps?.(row)}>
                    {columns.map(({ key, render, align = 'left', optional, nowrap }) => (
                      <Table.Td
                        key={key}
                        data-align={align}
                        data-nowrap={nowrap}
                        visibleFrom={optional === true ? 'md' : undefined}
                      >
                        {render(row)}
                      </Table.Td>
                    ))}
                  </Table.Tr>
                ))}
          </Table.Tbody>
        </Table>
      </WideContent>
      {rows === undefined && (
        <VisuallyHidden role="status">
          <Text>{t('table.loading')}</Text>
        </VisuallyHidden>
      )}
      {total !== undefined && (
        <Box className={classes.foot}>
          <Pager total={total} {...state} />
        </Box>
      )}
    </Paper>
  );
}
