import { Badge, Button, Group, Select, Text } from '@mantine/core';
import { IconUsers } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useSearchState } from '@/kernel/routing/use-search-state';
import { Dialog } from '@/ui/dialog';
import { DialogForm } from '@/ui/dialog-form';
import { formatDate } from '@/ui/format';
import { notifyFailed } from '@/ui/notify';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import type { Column } from '@/ui/table/data-table';
import { DateTimeText } from '@/ui/values';
import { api, usersQuery, type UserRow } from '../queries';
import { ReasonField } from '../reason-field';
import { SearchedList } from '../searched-list';

const DAYS = ['1', '7', '30', '0'] as const;

const named = (user: UserRow) => user.name ?? user.email ?? user.id;

export function UsersPage() {
  const { t, i18n } = useTranslation('operator');
  const client = useQueryClient();
  const search = useSearchState(['q']);
  const query = useQuery(usersQuery({ q: search.values.q, page: search.page }));
  const [banning, setBanning] = useState<UserRow | null>(null);
  const close = () => {
    setBanning(null);
  };
  const { mutate: unban } = useMutation({
    mutationFn: (id: string) =>
      reply(api.DELETE('/api/v1/operator/users/{id}/ban', { params: { path: { id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['operator', 'users'] }),
    onError: notifyFailed,
  });
  const columns = useMemo<Column<UserRow>[]>(
    () => [
      {
        key: 'name',
        header: t('name'),
        render: (user) => (
          <>
            <Group gap={6}>
              <Text size="sm" fw={550}>
                {named(user)}
              </Text>
              {user.operator && (
                <Badge size="sm" variant="light" c="var(--mantine-color-text)">
                  {t('users.operator')}
                </Badge>
              )}
            </Group>
            {user.name != null && (
              <Text size="xs" c="dimmed">
                {user.email}
              </Text>
            )}
            {user.banned_until != null && (
              <Badge size="sm" variant="light" color="red" tt="none" c="var(--mantine-color-text)">
                {t('users.banned', { date: formatDate(user.banned_until, i18n.language) })}
              </Badge>
            )}
          </>
        ),
      },
      {
        key: 'organizations',
        header: t('users.organizations'),
        render: ({ organizations }) => organizations.map(({ name }) => name).join(', '),
      },
      {
        key: 'seen',
        header: t('users.lastSeen'),
        optional: true,
        render: ({ last_sign_in_at }) =>
          last_sign_in_at == null ? t('users.never') : <DateTimeText value={last_sign_in_at} />,
      },
      {
        key: 'actions',
        header: '',
        align: 'right',
        render: (user) =>
          user.banned_until == null ? (
            <Button
              size="xs"
              variant="light"
              color="red"
              aria-label={t('users.ban', { name: named(user) })}
              onClick={() => {
                setBanning(user);
              }}
            >
              {t('users.banButton')}
            </Button>
          ) : (
            <Button
              size="xs"
              variant="default"
              aria-label={t('users.unban', { name: named(user) })}
              onClick={() => {
                unban(user.id);
              }}
            >
              {t('users.unbanButton')}
            </Button>
          ),
      },
    ],
    [t, i18n.language, unban],
  );
  return (
    <>
      <PageHeader title={t('users.title')} description={t('users.text')} />
      <SearchedList
        search={search}
        query={query}
        caption={t('users.title')}
        columns={columns}
        rows={query.data?.users}
        minWidth={520}
        empty={<EmptyState icon={IconUsers} title={t('users.empty')} />}
      />
      <Dialog
        opened={banning !== null}
        onClose={close}
        title={banning === null ? '' : t('users.ban', { name: named(banning) })}
      >
        {banning !== null && <BanForm id={banning.id} onDone={close} />}
      </Dialog>
    </>
  );
}

function BanForm({ id, onDone }: { id: string; onDone: () => void }) {
  const { t } = useTranslation('operator');
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const [days, setDays] = useState<(typeof DAYS)[number]>('7');
  const ban = useMutation({
    mutationFn: () =>
      reply(
        api.PUT('/api/v1/operator/users/{id}/ban', {
          params: { path: { id } },
          body: { reason: reason.trim(), days: days === '0' ? null : Number(days) },
        }),
      ),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['operator', 'users'] });
      onDone();
    },
  });
  return (
    <DialogForm
      text={t('users.banText')}
      ok={reason.trim() !== ''}
      error={ban.error}
      pending={ban.isPending}
      submit={t('users.banButton')}
      color="red"
      onSubmit={() => {
        ban.mutate();
      }}
      onCancel={onDone}
    >
      {(tried) => (
        <>
          <ReasonField
            value={reason}
            onChange={setReason}
            missing={tried && reason.trim() === ''}
          />
          <Select
            label={t('users.days')}
            data={DAYS.map((value) => ({ value, label: t(`users.choices.${value}`) }))}
            value={days}
            allowDeselect={false}
            onChange={(next) => {
              if (next !== null) setDays(next);
            }}
          />
        </>
      )}
    </DialogForm>
  );
}
