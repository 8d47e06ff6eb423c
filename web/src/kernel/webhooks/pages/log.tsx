import { Badge, Button, Group, Select, Stack, Text, UnstyledButton } from '@mantine/core';
import { IconListDetails } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchState } from '@/kernel/routing/use-search-state';
import { useOrganization } from '@/kernel/tenancy/organization';
import { RequirePermission } from '@/kernel/tenancy/require-permission';
import { Dialog } from '@/ui/dialog';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { DataTable, type Column } from '@/ui/table/data-table';
import { NoMatch } from '@/ui/table/no-match';
import { SearchField } from '@/ui/table/search-field';
import { DateTimeText } from '@/ui/values';
import { DeliveryDetail } from '../delivery';
import { deliveriesQuery, endpointsQuery, STATES, type Delivery, type LogFilter } from '../queries';
import { RecoverForm } from '../recover';
import { COLOURS } from '../states';

export function LogPage() {
  const { t } = useTranslation('webhooks');
  const { slug, id, can } = useOrganization();
  const { values } = useSearchState(['endpoint']);
  const [recovering, setRecovering] = useState(false);
  const close = () => {
    setRecovering(false);
  };
  const { data: endpoints = [] } = useQuery({
    ...endpointsQuery(id),
    enabled: can('webhooks.endpoints.read'),
  });
  const chosen = endpoints.find((endpoint) => endpoint.id === values.endpoint);
  return (
    <>
      <PageHeader
        title={t('log.title')}
        description={t('log.text')}
        back={{ label: t('title'), to: `/o/${slug}/settings/webhooks` }}
        actions={
          can('webhooks.endpoints.manage') &&
          chosen?.enabled === true && (
            <Button
              variant="default"
              onClick={() => {
                setRecovering(true);
              }}
            >
              {t('log.recover')}
            </Button>
          )
        }
      />
      <RequirePermission permission="webhooks.endpoints.read">
        <Log urls={new Map(endpoints.map((endpoint) => [endpoint.id, endpoint.url]))} />
      </RequirePermission>
      <Dialog opened={recovering} onClose={close} title={t('log.recoverTitle')}>
        {chosen !== undefined && <RecoverForm endpoint={chosen} onDone={close} />}
      </Dialog>
    </>
  );
}

function Log({ urls }: { urls: ReadonlyMap<string, string> }) {
  const { t } = useTranslation('webhooks');
  const { id } = useOrganization();
  const { values, setValue } = useSearchState(['endpoint', 'state', 'event']);
  const [shown, setShown] = useState<Delivery | null>(null);
  const filter: LogFilter = {
    ...(values.endpoint === '' ? {} : { endpoint: values.endpoint }),
    ...(values.event === '' ? {} : { event: values.event }),
  };
  const state = STATES.find((known) => known === values.state);
  if (state !== undefined) filter.state = state;
  const isFiltered = Object.keys(filter).length > 0;
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    deliveriesQuery(id, filter),
  );
  const rows = data?.pages.flatMap(({ items }) => items);
  const columns = useColumns(urls, setShown);
  return (
    <Stack>
      <Group>
        <SearchField
          label={t('log.event')}
          value={values.event}
          onChange={(event) => {
            setValue('event', event);
          }}
        />
        <Select
          aria-label={t('log.endpoint')}
          placeholder={t('log.anyEndpoint')}
          clearable
          w={260}
          data={[...urls].map(([value, label]) => ({ value, label }))}
          value={values.endpoint === '' ? null : values.endpoint}
          onChange={(endpoint) => {
            setValue('endpoint', endpoint ?? '');
          }}
        />
        <Select
          aria-label={t('state')}
          placeholder={t('log.anyState')}
          clearable
          w={170}
          data={STATES.map((value) => ({ value, label: t(`log.states.${value}`) }))}
          value={state ?? null}
          onChange={(next) => {
            setValue('state', next ?? '');
          }}
        />
      </Group>
      <DataTable
        caption={t('log.title')}
        columns={columns}
        rows={rows}
        total={undefined}
        rowKey={(delivery) => delivery.id}
        state={{ page: 1, size: 50, setPage: () => undefined }}
        error={error}
        onRetry={() => void refetch()}
        minWidth={320}
        empty={
          isFiltered ? (
            <NoMatch
              onReset={() => {
                for (const field of ['endpoint', 'state', 'event'] as const) setValue(field, '');
              }}
            />
          ) : (
            <EmptyState icon={IconListDetails} title={t('log.empty')}>
              {t('log.emptyText')}
            </EmptyState>
          )
        }
      />
      {hasNextPage && (
        <Group justify="center">
          <Button
            variant="default"
            loading={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            {t('log.more')}
          </Button>
        </Group>
      )}
      <Dialog
        opened={shown !== null}
        onClose={() => {
          setShown(null);
        }}
        title={shown?.type ?? ''}
      >
        {shown !== null && <DeliveryDetail id={shown.id} />}
      </Dialog>
    </Stack>
  );
}

function useColumns(
  urls: ReadonlyMap<string, string>,
  show: (delivery: Delivery) => void,
): Column<Delivery>[] {
  const { t } = useTranslation('webhooks');
  return useMemo(
    () => [
      {
        key: 'message',
        header: t('log.message'),
        render: (delivery) => (
          <>
            <UnstyledButton
              onClick={() => {
                show(delivery);
              }}
            >
              <Text size="sm" fw={550} td="underline">
                {delivery.type}
              </Text>
            </UnstyledButton>
            <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              {urls.get(delivery.endpoint_id) ?? t('log.gone')}
            </Text>
          </>
        ),
      },
      {
        key: 'state',
        header: t('state'),
        render: ({ state }) => (
          <Badge variant="light" color={COLOURS[state]} c="var(--mantine-color-text)">
            {t(`log.states.${state}`)}
          </Badge>
        ),
      },
      {
        key: 'answer',
        header: t('log.answer'),
        optional: true,
        render: ({ status, error }) => status ?? error ?? t('log.noAnswer'),
      },
      {
        key: 'calls',
        header: t('log.calls'),
        align: 'right',
        optional: true,
        render: ({ attempts }) => attempts,
      },
      {
        key: 'created_at',
        header: t('log.created'),
        optional: true,
        render: ({ created_at }) => <DateTimeText value={created_at} />,
      },
    ],
    [t, urls, show],
  );
}
