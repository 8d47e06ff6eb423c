import { Group, Select, Stack, Text } from '@mantine/core';
import { IconFileImport, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { RequirePermission } from '@/kernel/tenancy/require-permission';
import { formatBytes } from '@/ui/format';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { DataTable, type Column } from '@/ui/table/data-table';
import { NoMatch } from '@/ui/table/no-match';
import { rowRange, type TableSpec } from '@/ui/table/table-state';
import { useTableUrlState } from '@/ui/table/use-table-url-state';
import { Count, DateTimeText } from '@/ui/values';
import { StateBadge } from '../components/state-badge';
import { STATES, type ImportItem, type ImportState } from '../model';
import { importListQuery, templatesQuery } from '../queries';
import { AnchorLink, ButtonLink } from '@/ui/links';

const TABLE: TableSpec = { defaultSize: 25, filters: { state: STATES } };

export function ImportListPage() {
  const { t } = useTranslation('imports');
  const { can } = useOrganization();
  return (
    <>
      <PageHeader
        title={t('title')}
        description={t('description')}
        actions={can('imports.runs.create') && <NewImportButton />}
      />
      <RequirePermission permission="imports.runs.read">
        <ImportTable />
      </RequirePermission>
    </>
  );
}

function NewImportButton() {
  const { t } = useTranslation('imports');
  const { slug } = useOrganization();
  return (
    <ButtonLink
      to="/o/$org/imports/new"
      params={{ org: slug }}
      leftSection={<IconPlus size={16} aria-hidden />}
    >
      {t('new')}
    </ButtonLink>
  );
}

function ImportTable() {
  const { t, i18n } = useTranslation('imports');
  const organization = useOrganization();
  const { slug } = organization;
  const state = useTableUrlState(TABLE);
  const wanted = state.filters.state?.[0] as ImportState | undefined;
  const [offset] = rowRange(state);
  const { data: templates } = useQuery(templatesQuery(organization));
  const { data, error, refetch, isPlaceholderData } = useQuery(
    importListQuery(organization, {
      limit: state.size,
      offset,
      ...(wanted === undefined ? {} : { state: wanted }),
    }),
  );

  const columns = useMemo<Column<ImportItem>[]>(
    () => [
      {
        key: 'filename',
        header: t('list.file'),
        render: ({ id, filename, size }) => (
          <>
            <AnchorLink to="/o/$org/imports/$id" params={{ org: slug, id }} size="sm" fw={550}>
              {filename}
            </AnchorLink>
            <Text size="xs" c="dimmed">
              {formatBytes(size, i18n.language)}
            </Text>
          </>
        ),
      },
      {
        key: 'template',
        header: t('list.kind'),
        optional: true,
        render: ({ template }) =>
          templates?.find(({ name }) => name === template)?.title ?? template,
      },
      {
        key: 'state',
        header: t('list.state'),
        render: (item) => <StateBadge state={item.state} />,
      },
      {
        key: 'accepted',
        header: t('list.accepted'),
        align: 'right',
        render: ({ counts }) => <Count value={counts.accepted} />,
      },
      {
        key: 'refused',
        header: t('list.refused'),
        align: 'right',
        render: ({ counts }) => <Count value={counts.refused} />,
      },
      {
        key: 'created_at',
        header: t('list.created'),
        render: ({ created_at }) => <DateTimeText value={created_at} />,
      },
    ],
    [t, i18n.language, slug, templates],
  );

  return (
    <Stack>
      {(state.isFiltered || (data?.total ?? 0) > 0) && (
        <Group>
          <Select
            aria-label={t('list.filterState')}
            placeholder={t('list.allStates')}
            w={220}
            clearable
            data={STATES.map((value) => ({ value, label: t(`states.${value}`) })).filter(
              // Two states share their words; one entry is enough to choose from.
              ({ value }) => value !== 'previewed',
            )}
            value={wanted ?? null}
            onChange={(value) => {
              state.setFilter('state', value === null ? [] : [value]);
            }}
          />
        </Group>
      )}
      <DataTable
        caption={t('list.caption')}
        columns={columns}
        rows={data?.items}
        total={data?.total}
        rowKey={({ id }) => id}
        state={state}
        error={error}
        onRetry={() => void refetch()}
        stale={isPlaceholderData}
        empty={
          state.isFiltered ? (
            <NoMatch onReset={state.reset} />
          ) : (
            <EmptyState
              icon={IconFileImport}
              title={t('list.empty')}
              action={organization.can('imports.runs.create') && <NewImportButton />}
            >
              {t('list.emptyText')}
            </EmptyState>
          )
        }
      />
    </Stack>
  );
}
