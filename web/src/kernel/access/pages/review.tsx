import { Badge, Button, Group, Stack, Text } from '@mantine/core';
import { IconDownload, IconShieldSearch } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { download } from '@/api/client';
import { useSearchState } from '@/kernel/routing/use-search-state';
import { useOrganization } from '@/kernel/tenancy/organization';
import { RequirePermission } from '@/kernel/tenancy/require-permission';
import { notifyFailed } from '@/ui/notify';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { DataTable, type Column } from '@/ui/table/data-table';
import { SearchField } from '@/ui/table/search-field';
import { Names } from '../fields';
import { reviewQuery, type Principal } from '../queries';

const BUILT_IN = ['owner', 'admin', 'manager', 'support', 'member', 'viewer'];

const useFilter = () => useSearchState(['person', 'permission']);

export function ReviewPage() {
  const { t } = useTranslation('access');
  const { id, name, can } = useOrganization();
  const { person, permission } = useFilter().values;
  const save = useMutation({
    mutationFn: () => {
      const query = new URLSearchParams({ person, permission }).toString();
      return download(`/api/v1/access/review.csv?${query}`, id, 'access-review.csv');
    },
    onError: notifyFailed,
  });
  return (
    <>
      <PageHeader
        title={t('review.title')}
        description={t('review.text', { organization: name })}
        actions={
          can('access.review.read') && (
            <Button
              variant="default"
              leftSection={<IconDownload size={16} />}
              loading={save.isPending}
              onClick={() => {
                save.mutate();
              }}
            >
              {t('review.download')}
            </Button>
          )
        }
      />
      <RequirePermission permission="access.review.read">
        <Report />
      </RequirePermission>
    </>
  );
}

function Report() {
  const { t } = useTranslation('access');
  const { id } = useOrganization();
  const { values, page, setValue, setPage } = useFilter();
  const { person, permission } = values;
  const { data, error, refetch, isPlaceholderData } = useQuery(
    reviewQuery(id, { person, permission, page }),
  );
  const columns = useMemo<Column<Principal>[]>(
    () => [
      {
        key: 'who',
        header: t('review.who'),
        render: (who) => (
          <>
            <Group gap={6} wrap="nowrap">
              <Text size="sm" fw={550}>
                {who.name}
              </Text>
              <Badge size="sm" variant="light" color="gray" c="var(--mantine-color-text)">
                {t(`review.kinds.${who.kind}`)}
              </Badge>
              {who.state !== 'active' && (
                <Badge size="sm" variant="light" color="red" c="var(--mantine-color-text)">
                  {t(`states.${who.state as 'suspended' | 'banned' | 'maker_suspended'}`)}
                </Badge>
              )}
            </Group>
            {who.email != null && who.email !== who.name && (
              <Text size="xs" c="dimmed">
                {who.email}
              </Text>
            )}
          </>
        ),
      },
      {
        key: 'why',
        header: `${t('review.why')} · ${t('review.can')}`,
        render: (who) => (
          <Stack gap={6}>
            {who.reasons.map(({ source, name, permissions }) => (
              <div key={`${source} ${name}`}>
                <Text size="sm">
                  {t(`review.sources.${source as 'role'}`, {
                    name: BUILT_IN.includes(name) ? t(`tenancy:roles.${name as 'owner'}`) : name,
                  })}{' '}
                  <Text span size="xs" c="dimmed">
                    {t('review.count', { count: permissions.length })}
                  </Text>
                </Text>
                <Names names={permissions} most={permission === '' ? 3 : 12} />
              </div>
            ))}
          </Stack>
        ),
      },
    ],
    [t, permission],
  );
  return (
    <Stack>
      <Group gap="sm">
        <SearchField
          label={t('review.person')}
          value={person}
          onChange={(value) => {
            setValue('person', value);
          }}
        />
        <SearchField
          label={t('review.permission')}
          value={permission}
          onChange={(value) => {
            setValue('permission', value);
          }}
        />
      </Group>
      <DataTable
        caption={t('review.title')}
        columns={columns}
        rows={data?.principals}
        total={data?.total}
        rowKey={(who) => `${who.kind} ${who.id}`}
        state={{
          page,
          size: data?.page_size ?? 50,
          setPage,
        }}
        error={error}
        onRetry={() => void refetch()}
        stale={isPlaceholderData}
        minWidth={560}
        empty={<EmptyState icon={IconShieldSearch} title={t('review.empty')} />}
      />
    </Stack>
  );
}
