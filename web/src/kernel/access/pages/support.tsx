import { Badge, Button } from '@mantine/core';
import { IconLifebuoy } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { RequirePermission } from '@/kernel/tenancy/require-permission';
import { formatDateTime } from '@/ui/format';
import { notifyFailed } from '@/ui/notify';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { DataTable, type Column } from '@/ui/table/data-table';
import { rowRange, type TableSpec } from '@/ui/table/table-state';
import { useTableUrlState } from '@/ui/table/use-table-url-state';
import { DateTimeText } from '@/ui/values';
import { supportQuery, type SupportVisit } from '../queries';

const TABLE: TableSpec = {};

export function SupportPage() {
  const { t } = useTranslation('access');
  const { name } = useOrganization();
  return (
    <>
      <PageHeader
        title={t('support.title')}
        description={t('support.text', { organization: name })}
      />
      <RequirePermission permission="access.support.read">
        <VisitTable />
      </RequirePermission>
    </>
  );
}

function VisitTable() {
  const { t, i18n } = useTranslation('access');
  const { id, api, can } = useOrganization();
  const client = useQueryClient();
  const state = useTableUrlState(TABLE);
  const { data, error, refetch } = useQuery(supportQuery(id));
  const mayEnd = can('access.support.end');
  const { mutate, isPending, variables } = useMutation({
    mutationFn: (visit: string) =>
      reply(api.DELETE('/api/v1/access/support/{id}', { params: { path: { id: visit } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: [id, 'access'] }),
    onError: notifyFailed,
  });
  const [from, to] = rowRange(state);
  const columns = useMemo<Column<SupportVisit>[]>(
    () => [
      { key: 'operator', header: t('support.operator'), render: ({ operator }) => operator },
      { key: 'reason', header: t('support.reason'), render: ({ reason }) => reason },
      {
        key: 'began',
        header: t('support.began'),
        render: ({ started_at }) => <DateTimeText value={started_at} />,
      },
      {
        key: 'ended',
        header: t('support.ended'),
        render: ({ active, ended_at, ends_at }) =>
          active ? (
            <Badge variant="light" color="yellow" tt="none" c="var(--mantine-color-text)">
              {t('support.active')},{' '}
              {t('support.until', { date: formatDateTime(ends_at, i18n.language) })}
            </Badge>
          ) : (
            <DateTimeText value={ended_at ?? ends_at} />
          ),
      },
      ...(mayEnd
        ? [
            {
              key: 'actions',
              header: t('actions'),
              align: 'right' as const,
              render: (visit: SupportVisit) =>
                visit.active && (
                  <Button
                    size="xs"
                    color="red"
                    variant="light"
                    aria-label={t('support.end', { name: visit.operator })}
                    loading={isPending && variables === visit.id}
                    onClick={() => {
                      mutate(visit.id);
                    }}
                  >
                    {t('support.endButton')}
                  </Button>
                ),
            },
          ]
        : []),
    ],
    [t, i18n.language, mayEnd, mutate, isPending, variables],
  );
  return (
    <DataTable
      caption={t('support.title')}
      columns={columns}
      rows={data?.slice(from, to + 1)}
      total={data?.length}
      rowKey={(visit) => visit.id}
      state={state}
      error={error}
      onRetry={() => void refetch()}
      minWidth={640}
      empty={
        <EmptyState icon={IconLifebuoy} title={t('support.empty')}>
          {t('support.emptyText')}
        </EmptyState>
      }
    />
  );
}
