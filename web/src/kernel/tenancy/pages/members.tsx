import { ActionIcon, Avatar, Badge, Box, Group, Menu, Select, Stack, Text } from '@mantine/core';
import {
  IconDots,
  IconLock,
  IconLockOpen,
  IconPencil,
  IconUserMinus,
  IconUsers,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { DataTable, type Column } from '@/ui/table/data-table';
import { NoMatch } from '@/ui/table/no-match';
import { SearchField } from '@/ui/table/search-field';
import type { TableSpec } from '@/ui/table/table-state';
import { useTableUrlState } from '@/ui/table/use-table-url-state';
import { DateText } from '@/ui/values';
import { MemberDialog, nameOf, type Asked } from '../commands/change-member';
import { InviteMember } from '../commands/invite-member';
import { OpenInvitations } from '../components/open-invitations';
import { useOrganization } from '../organization';
import { departmentsQuery, membersQuery, ROLES, type Member, type Role } from '../queries';
import { useRoleName } from '../role-name';
import { RequirePermission } from '../require-permission';

const TABLE: TableSpec = { defaultSize: 25, filters: { role: ROLES, department: null } };

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
        {can('tenancy.members.invite') && <OpenInvitations />}
      </RequirePermission>
    </>
  );
}

function MemberTable() {
  const { t } = useTranslation('tenancy');
  const { id } = useOrganization();
  const [asked, setAsked] = useState<Asked | null>(null);
  const state = useTableUrlState(TABLE);
  const { page, size, query, filters } = state;
  const role = filters.role?.[0] as Role | undefined;
  const department = filters.department?.[0];
  const { data, error, refetch, isPlaceholderData } = useQuery(
    membersQuery(id, {
      limit: size,
      offset: (page - 1) * size,
      ...(query === '' ? {} : { search: query }),
      ...(role === undefined ? {} : { role }),
      ...(department === undefined ? {} : { department }),
    }),
  );
  const { data: departments = [] } = useQuery(departmentsQuery(id));
  const columns = useColumns(setAsked);
  return (
    <Stack>
      <Group>
        <SearchField label={t('members.search')} value={query} onChange={state.setQuery} />
        <Select
          aria-label={t('members.role')}
          placeholder={t('members.anyRole')}
          clearable
          w={170}
          data={ROLES.map((value) => ({ value, label: t(`roles.${value}`) }))}
          value={role ?? null}
          onChange={(value) => {
            state.setFilter('role', value === null ? [] : [value]);
          }}
        />
        {departments.length > 0 && (
          <Select
            aria-label={t('members.department')}
            placeholder={t('members.anyDepartment')}
            clearable
            w={190}
            data={departments.map(({ name }) => name)}
            value={department ?? null}
            onChange={(value) => {
              state.setFilter('department', value === null ? [] : [value]);
            }}
          />
        )}
      </Group>
      <DataTable
        caption={t('members.title')}
        columns={columns}
        rows={data?.members}
        total={data?.total}
        rowKey={(member) => member.user_id}
        state={state}
        error={error}
        onRetry={() => void refetch()}
        stale={isPlaceholderData}
        minWidth={640}
        empty={
          state.isFiltered ? (
            <NoMatch onReset={state.reset} />
          ) : (
            <EmptyState icon={IconUsers} title={t('members.empty')} />
          )
        }
      />
      <MemberDialog
        asked={asked}
        onClose={() => {
          setAsked(null);
        }}
      />
    </Stack>
  );
}

function useColumns(ask: (asked: Asked) => void): Column<Member>[] {
  const { t } = useTranslation('tenancy');
  const { user, can, role: own } = useOrganization();
  const roleName = useRoleName();
  const [mayChange, maySuspend, mayRemove] = [
    can('tenancy.members.update'),
    can('tenancy.members.suspend'),
    can('tenancy.members.remove'),
  ];
  return useMemo(() => {
    // Nobody touches those above themselves.
    const withinReach = (member: Member) => ROLES.indexOf(member.role) >= ROLES.indexOf(own);
    const columns: Column<Member>[] = [
      {
        key: 'name',
        header: t('members.name'),
        render: (member) => (
          <Group gap="sm" wrap="nowrap">
            <Avatar size={32} radius="xl" name={nameOf(member)} aria-hidden />
            <Box miw={0}>
              <Group gap={6} wrap="nowrap">
                <Text size="sm" fw={550} truncate>
                  {nameOf(member)}
                </Text>
                {member.user_id === user.id && (
                  <Badge size="xs" variant="light" color="gray" c="dimmed">
                    {t('members.you')}
                  </Badge>
                )}
                {typeof member.suspended_at === 'string' && (
                  <Badge size="xs" variant="light" color="orange" c="orange.9" tt="none">
                    {t('members.suspended')}
                  </Badge>
                )}
              </Group>
              <Text size="xs" c="dimmed" truncate>
                {member.email}
              </Text>
            </Box>
          </Group>
        ),
      },
      { key: 'role', header: t('members.role'), render: (member) => roleName(member) },
      {
        key: 'department',
        header: t('members.department'),
        optional: true,
        render: ({ department }) => department ?? t('ui:empty'),
      },
      {
        key: 'joined_at',
        header: t('members.joined'),
        optional: true,
        render: ({ joined_at }) => <DateText value={joined_at} />,
      },
    ];
    if (!mayChange && !maySuspend && !mayRemove) return columns;
    return [
      ...columns,
      {
        key: 'actions',
        header: t('members.actions'),
        align: 'right',
        width: 90,
        render: (member) => {
          if (!withinReach(member)) return null;
          const oneself = member.user_id === user.id;
          if (oneself && !mayChange) return null;
          const suspended = typeof member.suspended_at === 'string';
          return (
            <Menu position="bottom-end" withinPortal>
              <Menu.Target>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={t('members.actionsFor', { name: nameOf(member) })}
                >
                  <IconDots size={16} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                {mayChange && (
                  <Menu.Item
                    leftSection={<IconPencil size={16} aria-hidden />}
                    onClick={() => {
                      ask({ what: 'change', member });
                    }}
                  >
                    {t('members.change')}
                  </Menu.Item>
                )}
                {maySuspend && !oneself && (
                  <Menu.Item
                    leftSection={
                      suspended ? (
                        <IconLockOpen size={16} aria-hidden />
                      ) : (
                        <IconLock size={16} aria-hidden />
                      )
                    }
                    onClick={() => {
                      ask({ what: suspended ? 'reinstate' : 'suspend', member });
                    }}
                  >
                    {t(suspended ? 'members.reinstate' : 'members.suspend')}
                  </Menu.Item>
                )}
                {mayRemove && !oneself && (
                  <Menu.Item
                    color="red"
                    leftSection={<IconUserMinus size={16} aria-hidden />}
                    onClick={() => {
                      ask({ what: 'remove', member });
                    }}
                  >
                    {t('members.remove')}
                  </Menu.Item>
                )}
              </Menu.Dropdown>
            </Menu>
          );
        },
      },
    ];
  }, [t, roleName, user.id, own, ask, mayChange, maySuspend, mayRemove]);
}
