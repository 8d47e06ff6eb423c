import { Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconRuler2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { asApiError } from '@/api/errors';
import { Attachments } from '@/kernel/storage/components/attachments';
import { useOrganization } from '@/kernel/tenancy/organization';
import { RequirePermission } from '@/kernel/tenancy/require-permission';
import { KeyFigure } from '@/ui/key-figure';
import { LEVEL_COLOR, LevelBadge, UtilisationBar } from '@/ui/level';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { NotFound } from '@/ui/states/not-found';
import { LoadingState } from '@/ui/states/loading-state';
import { DataTable, type Column } from '@/ui/table/data-table';
import type { TableSpec } from '@/ui/table/table-state';
import { useTableUrlState } from '@/ui/table/use-table-url-state';
import { DateText, Money, Percent } from '@/ui/values';
import { isNegative, marksOf, remaining, type Entry, type Order } from '../model';
import { entriesQuery, orderQuery, settingsQuery } from '../queries';

const TABLE: TableSpec = {
  sortable: ['number', 'survey_date', 'amount'],
  defaultSort: '-survey_date',
  defaultSize: 25,
};

export function OrderPage() {
  return (
    <RequirePermission permission="purchasing.orders.read">
      <OrderDetail />
    </RequirePermission>
  );
}

function OrderDetail() {
  const { t } = useTranslation('purchasing');
  const organization = useOrganization();
  const { id } = useParams({ from: '/o/$org/purchasing/orders/$id' });
  const { data: order, error, refetch } = useQuery(orderQuery(organization, id));

  if (error !== null && order === undefined) {
    const problem = asApiError(error);
    // An id that is no id names nothing either.
    if (problem.isNotFound || problem.code === '22P02') return <NotFound />;
    return <ErrorState error={error} onRetry={() => void refetch()} />;
  }
  if (order === undefined) return <LoadingState height="50vh" />;
  return (
    <>
      <PageHeader
        title={order.number}
        back={{ label: t('order.back'), to: `/o/${organization.slug}/purchasing/orders` }}
        badge={<LevelBadge level={order.level} size="lg" />}
        {...(order.description === null ? {} : { description: order.description })}
      />
      <Stack gap="lg">
        <Figures order={order} />
        <Facts order={order} />
        <Stack gap="sm">
          <Title order={2} size="h3">
            {t('order.entries')}
          </Title>
          <Entries order={order} />
        </Stack>
        <Attachments prefix={`purchasing/orders/${order.id}`} />
      </Stack>
    </>
  );
}

function Figures({ order }: { order: Order }) {
  const { t } = useTranslation('purchasing');
  const organization = useOrganization();
  const { data: settings } = useQuery(settingsQuery(organization));
  const rest = remaining(order);
  const over = isNegative(rest);
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} spacing="md">
        <KeyFigure label={t('order.original')}>
          <Money amount={order.original_value} currency={order.currency} />
        </KeyFigure>
        <KeyFigure label={t('order.current')}>
          <Money amount={order.current_value} currency={order.currency} />
        </KeyFigure>
        <KeyFigure label={t('order.billed')}>
          <Money amount={order.billed_to_date} currency={order.currency} />
        </KeyFigure>
        <KeyFigure
          label={over ? t('order.overrun') : t('order.remaining')}
          accent={over ? LEVEL_COLOR.over_budget : undefined}
        >
          <Money amount={over ? rest.slice(1) : rest} currency={order.currency} />
        </KeyFigure>
      </SimpleGrid>
      <Paper withBorder p="lg">
        <Text size="sm" c="dimmed">
          {t('order.utilisation')}
        </Text>
        <Text fz={26} lh={1.2} fw={650} mb="md" data-testid="order-utilisation">
          <Percent value={order.utilisation} />
        </Text>
        <UtilisationBar
          value={order.utilisation}
          level={order.level}
          marks={marksOf(settings)}
          size="lg"
        />
      </Paper>
    </Stack>
  );
}

function Facts({ order }: { order: Order }) {
  const { t } = useTranslation('purchasing');
  const facts: [label: string, value: ReactNode][] = [
    [t('order.supplier'), order.supplier?.name ?? t('ui:empty')],
    [t('order.project'), order.project ?? t('ui:empty')],
    [
      t('order.period'),
      <>
        <DateText value={order.start_date} /> – <DateText value={order.due_date} />
      </>,
    ],
  ];
  return (
    <Paper withBorder p="lg">
      <SimpleGrid component="dl" cols={{ base: 1, sm: 3 }} m={0}>
        {facts.map(([label, value]) => (
          <div key={label}>
            <Text component="dt" size="sm" c="dimmed">
              {label}
            </Text>
            <Text component="dd" m={0} fw={550}>
              {value}
            </Text>
          </div>
        ))}
      </SimpleGrid>
    </Paper>
  );
}

function Entries({ order }: { order: Order }) {
  const { t } = useTranslation('purchasing');
  const organization = useOrganization();
  const tableState = useTableUrlState(TABLE);
  const { page, size, sort, query, filters } = tableState;
  const { data, error, refetch, isPlaceholderData } = useQuery(
    entriesQuery(organization, order.id, { page, size, sort, query, filters }),
  );
  const columns = useMemo<Column<Entry>[]>(
    () => [
      {
        key: 'number',
        header: t('order.entryNumber'),
        sortable: true,
        render: (one) => one.number,
      },
      { key: 'note', header: t('order.note'), render: ({ note }) => note ?? t('ui:empty') },
      {
        key: 'survey_date',
        header: t('order.date'),
        sortable: true,
        render: ({ survey_date }) => <DateText value={survey_date} />,
      },
      {
        key: 'surveyor',
        header: t('order.surveyor'),
        optional: true,
        render: ({ surveyor }) => surveyor ?? t('ui:empty'),
      },
      {
        key: 'state',
        header: t('order.state'),
        render: ({ state }) => t(`order.states.${state}`),
      },
      {
        key: 'amount',
        header: t('order.amount'),
        sortable: true,
        align: 'right',
        render: ({ amount }) => <Money amount={amount} currency={order.currency} />,
      },
    ],
    [t, order.currency],
  );
  return (
    <DataTable
      caption={t('order.entriesCaption', { number: order.number })}
      columns={columns}
      rows={data?.rows}
      total={data?.total}
      rowKey={({ id }) => id}
      state={tableState}
      error={error}
      onRetry={() => void refetch()}
      stale={isPlaceholderData}
      empty={
        <EmptyState icon={IconRuler2} title={t('order.noEntries')}>
          {t('order.noEntriesText')}
        </EmptyState>
      }
    />
  );
}
