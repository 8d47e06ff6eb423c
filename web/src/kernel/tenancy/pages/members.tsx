import { Avatar, Badge, Box, Group, Text } from '@mantine/core';
import { IconUsers } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { DataTable, type Column } from '@/ui/table/data-table';
import { rowRange, type TableSpec } from '@/ui/table/table-state';
import { useTableUrlState } from '@/ui/table/use-table-url-state';
import { DateText } from '@/ui/values';
import { InviteMember } from '../commands/invite-member';
import { useOrganization } from '../organization';
import { membersQuery, type Member } from '../queries';
import { RequirePermission } from '../require-permission';

const TABLE: TableSpec = {};

export function MembersPage() {
  const { t } = useTranslation('tenancy');
  const { name, can } = useOrganization();
  return (
    <>
      <PageHeader
        title={t('members.title')}
        description={t('members.description', { organization: name })}
        actions={can('tenancy.members.invite') && <InviteMember />}
      />
      <RequirePermission permission="tenancy.members.read">
        <MemberTable />
      </RequirePermission>
    </>
  );
}

function MemberTable() {
  const { t } = useTranslation('tenancy');
  const { id, user } = useOrganization();
  const state = useTableUrlState(TABLE);
  const { data, error, refetch } = useQuery(membersQuery(id));
  const [from, to] = rowRange(state);

  const columns = useMemo<Column<Member>[]>(
    () => [
      {
        key: 'name',
        header: t('members.name'),
        render: (member) => (
          <Group gap="sm" wrap="nowrap">
            <Avatar size={32} radius="xl" name={member.name ?? member.email} aria-hidden />
            <Box miw={0}>
              <Group gap={6} wrap="nowrap">
                <Text size="sm" fw={550} truncate>
                  {member.name ?? member.email}
                </Text>
                {member.user_id === user.id && (
                  <Badge size="xs" variant="light" color="gray" c="dimmed">
                    {t('members.you')}
                  </Badge>
                )}
              </Group>
            </Box>
          </Group>
        ),
      },
      { key: 'email', header: t('members.email'), render: ({ email }) => email },
      { key: 'role', header: t('members.role'), render: ({ role }) => t(`roles.${role}`) },
      {
        key: 'joined_at',
        header: t('members.joined'),
        render: ({ joined_at }) => <DateText value={joined_at} />,
      },
    ],
    [t, user.id],
  );

  return (
    <DataTable
      caption={t('members.title')}
      columns={columns}
      rows={data?.slice(from, to + 1)}
      total={data?.length}
      rowKey={(member) => member.user_id}
      state={state}
      error={error}
      onRetry={() => void refetch()}
      minWidth={560}
      empty={<EmptyState icon={IconUsers} title={t('members.empty')} />}
    />
  );
}
