import { Group, SegmentedControl, Stack, Tabs } from '@mantine/core';
import { IconListSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { EmptyState } from '@/ui/states/empty-state';
import { DataTable } from '@/ui/table/data-table';
import { rowRange, type TableSpec } from '@/ui/table/table-state';
import { useTableUrlState } from '@/ui/table/use-table-url-state';
import { Count } from '@/ui/values';
import { sheetsOf, type Import, type ImportSheet, type Template } from '../model';
import { Notices } from './notices';
import { rowsQuery, type RowsQuery } from '../queries';
import classes from './preview.module.css';
import { usePreviewColumns } from './preview-columns';

const FILTERS = ['all', 'refused', 'warnings', 'accepted'] as const;
const TABLE: TableSpec = { filters: { sheet: null, only: FILTERS } };

/** Every row as the server read it, sheet by sheet, with what is wrong in each cell. */
export function Preview({
  run,
  template,
  action,
}: {
  run: Import;
  template: Template | undefined;
  action?: ReactNode;
}) {
  const { t } = useTranslation('imports');
  const state = useTableUrlState(TABLE);
  const sheets = sheetsOf(run).filter(({ target }) => target !== null);
  const wanted = state.filters.sheet?.[0];
  const sheet = sheets.find(({ target }) => target === wanted) ?? sheets[0];

  if (sheet === undefined) {
    return (
      <EmptyState icon={IconListSearch} title={t('review.nothing')} action={action}>
        {t('review.nothingText')}
      </EmptyState>
    );
  }
  return (
    <Tabs
      value={sheet.target ?? ''}
      keepMounted={false}
      onChange={(target) => {
        if (target !== null) state.setFilter('sheet', [target]);
      }}
    >
      <Tabs.List aria-label={t('review.tabs')}>
        {sheets.map(({ name, target, rows }) => (
          <Tabs.Tab
            key={name}
            value={target ?? ''}
            rightSection={
              <small>
                <Count value={rows} />
              </small>
            }
          >
            {name}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {sheets.map((one) => (
        <Tabs.Panel key={one.name} value={one.target ?? ''} pt="md">
          <SheetRows run={run} sheet={one} template={template} action={action} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

function SheetRows({
  run,
  sheet,
  template,
  action,
}: {
  run: Import;
  sheet: ImportSheet;
  template: Template | undefined;
  action: ReactNode;
}) {
  const { t } = useTranslation('imports');
  const organization = useOrganization();
  const state = useTableUrlState(TABLE);
  const only = (state.filters.only?.[0] ?? 'all') as RowsQuery['only'];
  const [offset] = rowRange(state);
  const { data, error, refetch, isPlaceholderData } = useQuery(
    rowsQuery(organization, run.id, run.validation_version, {
      sheet: sheet.name,
      only,
      offset,
      limit: state.size,
    }),
  );
  const fields = useMemo(
    () => template?.sheets.find(({ key }) => key === sheet.target)?.fields ?? [],
    [template, sheet.target],
  );
  const columns = usePreviewColumns(data?.fields ?? fields.map(({ key }) => key), fields);
  const counts = {
    all: sheet.accepted + sheet.refused,
    accepted: sheet.accepted,
    refused: sheet.refused,
    warnings: sheet.warnings,
  };

  return (
    <Stack gap="md">
      <Notices notices={sheet.notices} />
      <Group justify="space-between">
        <SegmentedControl
          className={classes.filter}
          aria-label={t('review.filter')}
          size="xs"
          value={only}
          data={FILTERS.map((value) => ({
            value,
            label: (
              <>
                {t(`review.${value}`)} <Count value={counts[value]} />
              </>
            ),
          }))}
          onChange={(value) => {
            state.setFilter('only', value === 'all' ? [] : [value]);
          }}
        />
        {action}
      </Group>
      <DataTable
        caption={t('review.caption', { sheet: sheet.name })}
        columns={columns}
        rows={data?.rows}
        total={data?.total}
        rowKey={({ row }) => String(row)}
        rowProps={({ accepted }) => ({ 'data-refused': accepted ? undefined : 'true' })}
        state={state}
        error={error}
        onRetry={() => void refetch()}
        stale={isPlaceholderData}
        minWidth={1000}
        dense
        empty={
          <EmptyState icon={IconListSearch} title={t('review.none')}>
            {t('review.noneText')}
          </EmptyState>
        }
      />
    </Stack>
  );
}
