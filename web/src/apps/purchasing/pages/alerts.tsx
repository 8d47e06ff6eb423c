import { Badge, Button, Group, Select, SegmentedControl, Stack, Text } from '@mantine/core';
import { IconBellCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { RequirePermission } from '@/kernel/tenancy/require-permission';
import { LevelBadge, LEVELS } from '@/ui/level';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { DataTable, type Column } from '@/ui/table/data-table';
import type { TableSpec } from '@/ui/table/table-state';
import { useTableUrlState } from '@/ui/table/use-table-url-state';
import { DateTimeText, Percent } from '@/ui/values';
import { AcknowledgeDialog } from '../commands/acknowledge-alert';
import { ALERT_STATES, canAcknowledge, type Alert } from '../model';
import { alertsQuery } from '../queries';
import { AnchorLink } from '@/ui/links';

const TABLE: TableSpec = {
  sortable: ['opened_at', 'utilisation'],
  defaultSort: '-opened_at',
  defaultSize: 25,
  filters: { state: [...ALERT_STATES], level: LEVELS },
};

const STATE_COLOR = { open: 'red', escalated: 'orange', acknowledged: 'ink', resolved: 'gray' };

export function AlertsPage() {
  const { t } = useTranslation('purchasing');
  return (
    <>
      <PageHeader title={t('alerts.title')} description={t('alerts.description')} />
      <RequirePermission permission="purchasing.alerts.read">
        <AlertTable />
      </RequirePermission>
    </>
  );
}

function AlertTable() {
  const { t } = useTranslation('purchasing');
  const organization = useOrganization();
  const [asked, setAsked] = useState<Alert | null>(null);
  const tableState = useTableUrlState(TABLE);
  const { page, size, sort, query, filters } = tableState;
  const { data, error, refetch, isPlaceholderData } = useQuery(
    alertsQuery(organization, { page, size, sort, query, filters }),
  );
  const columns = useAlertColumns(setAsked);
  const wanted = filters.state ?? [];

  return (
    <Stack>
      <Group>
        <SegmentedControl
          size="sm"
          aria-label={t('alerts.filter')}
          data={[
            { value: 'all', label: t('alerts.all') },
            ...ALERT_STATES.map((value) => ({ value, label: t(`alerts.states.${value}`) })),
          ]}
          value={wanted[0] ?? 'all'}
          onChange={(value) => {
            tableState.setFilter('state', value === 'all' ? [] : [value]);
          }}
          style={{ maxWidth: '100%', overflowX: 'auto' }}
        />
        <Select
          aria-label={t('alerts.level')}
          placeholder={t('alerts.anyLevel')}
          clearable
          w={180}
          data={LEVELS.slice(1).map((level) => ({ value: level, label: t(`ui:levels.${level}`) }))}
          value={filters.level?.[0] ?? null}
          onChange={(value) => {
            tableState.setFilter('level', value === null ? [] : [value]);
          }}
        />
      </Group>
      <DataTable
        caption={t('alerts.caption')}
        columns={columns}
        rows={data?.rows}
        total={data?.total}
        rowKey={({ id }) => id}
        state={tableState}
        error={error}
        onRetry={() => void refetch()}
        stale={isPlaceholderData}
        minWidth={820}
        empty={
          tableState.isFiltered ? (
            <EmptyState
              icon={IconBellCheck}
              title={t('alerts.noneOpen')}
              action={
                <Button variant="default" onClick={tableState.reset}>
                  {t('alerts.showAll')}
                </Button>
              }
            >
              {t('alerts.noneOpenText')}
            </EmptyState>
          ) : (
            <EmptyState icon={IconBellCheck} title={t('alerts.empty')}>
              {t('alerts.emptyText')}
            </EmptyState>
          )
        }
      />
      <AcknowledgeDialog
        alert={asked}
        onClose={() => {
          setAsked(null);
        }}
      />
    </Stack>
  );
}

function useAlertColumns(ask: (alert: Alert) => void): Column<Alert>[] {
  const { t } = useTranslation('purchasing');
  const { slug, can } = useOrganization();
  const mayAcknowledge = can('purchasing.alerts.acknowledge');
  return useMemo(
    () => [
      {
        key: 'order',
        header: t('alerts.order'),
        render: ({ order }) =>
          order === null ? (
            t('ui:empty')
          ) : (
            <>
              <AnchorLink
                to="/o/$org/purchasing/orders/$id"
                params={{ org: slug, id: order.id }}
                size="sm"
                fw={550}
              >
                {order.number}
              </AnchorLink>
              {order.description !== null && (
                <Text size="xs" c="dimmed" lineClamp={1}>
                  {order.description}
                </Text>
              )}
            </>
          ),
      },
      {
        key: 'level',
        header: t('alerts.level'),
        render: ({ level }) => <LevelBadge level={level} />,
      },
      {
        key: 'utilisation',
        header: t('alerts.utilisation'),
        align: 'right',
        sortable: true,
        render: ({ utilisation }) => <Percent value={utilisation} />,
      },
      {
        key: 'state',
        header: t('alerts.state'),
        render: ({ state }) => (
          <Badge variant="dot" color={STATE_COLOR[state]} tt="none" fw={550}>
            {t(`alerts.states.${state}`)}
          </Badge>
        ),
      },
      {
        key: 'opened_at',
        header: t('alerts.opened'),
        sortable: true,
        render: ({ opened_at }) => <DateTimeText value={opened_at} />,
      },
      {
        key: 'note',
        header: t('alerts.note'),
        optional: true,
        render: ({ note }) => (
          <Text size="sm" lineClamp={2} maw={260}>
            {note ?? ''}
          </Text>
        ),
      },
      ...(mayAcknowledge
        ? [
            {
              key: 'actions',
              header: t('alerts.actions'),
              align: 'right' as const,
              render: (alert: Alert) =>
                canAcknowledge(alert.state) && (
                  <Button
                    size="compact-sm"
                    variant="default"
                    aria-label={t('acknowledge.buttonFor', { order: alert.order?.number ?? '' })}
                    onClick={() => {
                      ask(alert);
                    }}
                  >
                    {t('acknowledge.button')}
                  </Button>
                ),
            },
          ]
        : []),
    ],
    [t, slug, mayAcknowledge, ask],
  );
}
