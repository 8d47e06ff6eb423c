import { Badge, Text } from '@mantine/core';
import { IconBuilding } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchState } from '@/kernel/routing/use-search-state';
import { formatDate } from '@/ui/format';
import { AnchorLink } from '@/ui/links';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import type { Column } from '@/ui/table/data-table';
import { Count, DateText } from '@/ui/values';
import { organizationsQuery, type OrganizationRow } from '../queries';
import { SearchedList } from '../searched-list';

/** Whether anybody is let in. */
export function OrganizationState({
  organization,
}: {
  organization: Pick<OrganizationRow, 'suspended_at' | 'delete_after'>;
}) {
  const { t, i18n } = useTranslation('operator');
  const badge = (color: string, text: string) => (
    <Badge variant="light" color={color} tt="none" c="var(--mantine-color-text)">
      {text}
    </Badge>
  );
  if (organization.suspended_at != null) return badge('red', t('organizations.suspended'));
  if (organization.delete_after != null) {
    const date = formatDate(organization.delete_after, i18n.language);
    return badge('yellow', t('organizations.ending', { date }));
  }
  return badge('teal', t('organizations.active'));
}

export function OrganizationsPage() {
  const { t } = useTranslation('operator');
  const search = useSearchState(['q']);
  const query = useQuery(organizationsQuery({ q: search.values.q, page: search.page }));
  const columns = useMemo<Column<OrganizationRow>[]>(
    () => [
      {
        key: 'name',
        header: t('name'),
        render: ({ id, name, slug }) => (
          <>
            <AnchorLink to="/operator/organizations/$id" params={{ id }} size="sm" fw={550}>
              {name}
            </AnchorLink>
            <Text size="xs" c="dimmed">
              {slug}
            </Text>
          </>
        ),
      },
      { key: 'plan', header: t('organizations.plan'), render: ({ plan }) => plan },
      {
        key: 'members',
        header: t('organizations.members'),
        align: 'right',
        render: ({ members }) => <Count value={members} />,
      },
      {
        key: 'state',
        header: t('organizations.state'),
        render: (organization) => <OrganizationState organization={organization} />,
      },
      {
        key: 'created',
        header: t('created'),
        optional: true,
        render: ({ created_at }) => <DateText value={created_at} />,
      },
    ],
    [t],
  );
  return (
    <>
      <PageHeader title={t('organizations.title')} description={t('organizations.text')} />
      <SearchedList
        search={search}
        query={query}
        caption={t('organizations.title')}
        columns={columns}
        rows={query.data?.organizations}
        minWidth={520}
        empty={<EmptyState icon={IconBuilding} title={t('organizations.empty')} />}
      />
    </>
  );
}
