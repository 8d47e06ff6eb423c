import { Button, Group, MultiSelect, Select, Stack, Text } from '@mantine/core';
import { IconClipboardList, IconFilterOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { RequirePermission } from '@/kernel/tenancy/require-permission';
import { LevelBadge, LEVELS, UtilisationBar } from '@/ui/level';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { DataTable, type Column } from '@/ui/table/data-table';
import { NoMatch } from '@/ui/table/no-match';
import { SearchField } from '@/ui/table/search-field';
import type { TableSpec } from '@/ui/table/table-state';
import { useTableUrlState } from '@/ui/table/use-table-url-state';
import { DateText, Money } from '@/ui/values';
import { ImportButton } from '../components/import-button';
import { SupplierFilter } from '../components/supplier-filter';
import type { Order } from '../model';
import { boardQuery, ordersQuery } from '../queries';
import { AnchorLink } from '@/ui/links';

const TABLE: TableSpec = {
  sortable: ['number', 'current_value', 'billed_to_date', 'utilisation', 'due_date'],
  defaultSort: 'number',
  filters: { level: LEVELS, currency: null, supplier: null },
};

export function OrdersPage() {
  const { t } = useTranslation('purchasing');
  return (
    <>
      <PageHeader
        title={t('orders.title')}
        description={t('orders.description')}
        actions={<ImportButton />}
      />
      <RequirePermission permission="purchasing.orders.read">
        <OrderTable />
      </RequirePermission>
    </>
  );
}

function OrderTable() {
  const { t } = useTranslation('purchasing');
  const organization = useOrganization();
  const state = useTableUrlState(TABLE);
  const { page, size, sort, query, filters } = state;
  const { data, error, refetch, isPlaceholderData } = useQuery(
    ordersQuery(organization, { page, size, sort, query, filters }),
  );
  const columns = useOrderColumns(organization.slug);

  return (
    <Stack>
      <Filters state={state} />
      <DataTable
        caption={t('orders.caption')}
        columns={columns}
        rows={data?.rows}
        total={data?.total}
        rowKey={({ id }) => id}
        state={state}
        error={error}
        onRetry={() => void refetch()}
        stale={isPlaceholderData}
        minWidth={900}
        empty={
          state.isFiltered ? (
            <NoMatch onReset={state.reset} />
          ) : (
            <EmptyState
              icon={IconClipboardList}
              title={t('board.empty')}
              action={<ImportButton primary />}
            >
              {t('board.emptyText')}
            </EmptyState>
          )
        }
      />
    </Stack>
  );
}

function Filters({ state }: { state: ReturnType<typeof useTableUrlState> }) {
  const { t } = useTranslation('purchasing');
  const organization = useOrganization();
  const { data: board } = useQuery(boardQuery(organization));
  const currency = state.filters.currency?.[0] ?? null;
  const currencies = new Set(board?.totals.map((total) => total.currency) ?? []);
  if (currency !== null) currencies.add(currency);
  const levels = [...(state.filters.level ?? [])];
  return (
    <Group gap="sm" align="flex-start">
      <SearchField label={t('orders.search')} value={state.query} onChange={state.setQuery} />
      <MultiSelect
        aria-label={t('orders.level')}
        placeholder={levels.length === 0 ? t('orders.anyLevel') : ''}
        clearable
        w={{ base: '100%', xs: levels.length > 1 ? 268 : 170 }}
        data={LEVELS.map((level) => ({ value: level, label: t(`ui:levels.${level}`) }))}
        value={levels}
        onChange={(values) => {
          state.setFilter('level', values);
        }}
      />
      <Select
        aria-label={t('orders.currency')}
        placeholder={t('orders.anyCurrency')}
        clearable
        w={{ base: '100%', xs: 145 }}
        data={[...currencies]}
        value={currency}
        onChange={(value) => {
          state.setFilter('currency', value === null ? [] : [value]);
        }}
      />
      <SupplierFilter
        value={state.filters.supplier?.[0] ?? null}
        onChange={(value) => {
          state.setFilter('supplier', value === null ? [] : [value]);
        }}
      />
      {state.isFiltered && (
        <Button
          variant="subtle"
          color="gray"
          leftSection={<IconFilterOff size={16} aria-hidden />}
          onClick={state.reset}
        >
          {t('ui:table.reset')}
        </Button>
      )}
    </Group>
  );
}

function useOrderColumns(slug: string): Column<Order>[] {
  const { t } = useTranslation('purchasing');
  return useMemo(
    () => [
      {
        key: 'number',
        header: t('orders.number'),
        sortable: true,
        width: '14%',
        render: ({ id, number, description }) => (
          <>
            <AnchorLink
              to="/o/$org/purchasing/orders/$id"
              params={{ org: slug, id }}
              size="sm"
              fw={550}
            >
              {number}
            </AnchorLink>
            {description !== null && (
              <Text size="xs" c="dimmed" lineClamp={1}>
                {description}
              </Text>
            )}
          </>
        ),
      },
      {
        key: 'supplier',
        header: t('orders.supplier'),
        render: ({ supplier, project }) => (
          <>
            <Text size="sm">{supplier?.name ?? t('ui:empty')}</Text>
            {project !== null && (
              <Text size="xs" c="dimmed" lineClamp={1}>
                {project}
              </Text>
            )}
          </>
        ),
      },
      {
        key: 'current_value',
        header: t('orders.value'),
        sortable: true,
        align: 'right',
        render: ({ current_value, currency }) => (
          <Money amount={current_value} currency={currency} />
        ),
      },
      {
        key: 'billed_to_date',
        header: t('orders.billed'),
        sortable: true,
        align: 'right',
        render: ({ billed_to_date, currency }) => (
          <Money amount={billed_to_date} currency={currency} />
        ),
      },
      {
        key: 'utilisation',
        header: t('orders.utilisation'),
        sortable: true,
        width: '16%',
        render: ({ utilisation, level }) => <UtilisationBar value={utilisation} level={level} />,
      },
      {
        key: 'level',
        header: t('orders.level'),
        render: ({ level }) => <LevelBadge level={level} />,
      },
      {
        key: 'due_date',
        header: t('orders.due'),
        sortable: true,
        align: 'right',
        render: ({ due_date }) => <DateText value={due_date} />,
      },
    ],
    [t, slug],
  );
}
