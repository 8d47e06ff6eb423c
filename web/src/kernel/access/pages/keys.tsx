import { Badge, Group, Text, Select } from '@mantine/core';
import { IconKey, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { Confirm } from '@/ui/dialog-form';
import { EmptyState } from '@/ui/states/empty-state';
import { DataTable, type Column } from '@/ui/table/data-table';
import { rowRange, type TableSpec } from '@/ui/table/table-state';
import { useTableUrlState } from '@/ui/table/use-table-url-state';
import { DateText, DateTimeText } from '@/ui/values';
import { ListPage, ThingAction, ThingForm } from '../blocks';
import { daysOf, LifetimeField, Names, PatternsField, type Lifetime } from '../fields';
import { keysQuery, type Key } from '../queries';
import { ShownOnce } from '../secret';

const TABLE: TableSpec = {};
const KINDS = ['secret', 'publishable'] as const;

/** Whether a key is good, and if not, why. */
export function stateOf(key: {
  revoked_at?: string | null;
  expires_at?: string | null;
}): 'active' | 'revoked' | 'expired' {
  if (key.revoked_at != null) return 'revoked';
  if (key.expires_at != null && new Date(key.expires_at) <= new Date()) return 'expired';
  return 'active';
}

export function KeysPage() {
  const { t } = useTranslation('access');
  const { name } = useOrganization();
  return (
    <ListPage<'revoke', Key>
      title={t('keys.title')}
      text={t('keys.text', { organization: name })}
      add={t('keys.add')}
      read="access.keys.read"
      manage="access.keys.manage"
      list={(ask) => <KeyTable ask={ask} />}
      dialogTitle={({ thing }) => t('keys.revoke', { name: thing.name })}
      dialog={(asked, close) =>
        asked === null ? (
          <KeyForm onDone={close} />
        ) : (
          <RevokeForm id={asked.thing.id} onDone={close} />
        )
      }
    />
  );
}

function KeyTable({ ask }: { ask: (what: 'revoke', key: Key) => void }) {
  const { t } = useTranslation('access');
  const { id, can } = useOrganization();
  const state = useTableUrlState(TABLE);
  const { data, error, refetch } = useQuery(keysQuery(id));
  const mayChange = can('access.keys.manage');
  const [from, to] = rowRange(state);
  const columns = useMemo<Column<Key>[]>(
    () => [
      {
        key: 'name',
        header: t('name'),
        render: (key) => (
          <>
            <Group gap={6} wrap="nowrap">
              <Text size="sm" fw={550}>
                {key.name}
              </Text>
              <Badge size="sm" variant="light" color="gray" c="var(--mantine-color-text)">
                {t(`keys.kinds.${key.kind}`)}
              </Badge>
            </Group>
            <Text size="xs" c="dimmed" ff="monospace">
              {key.prefix}…
            </Text>
          </>
        ),
      },
      {
        key: 'scopes',
        header: t('keys.scopes'),
        render: ({ scopes }) => <Names names={scopes} most={2} />,
      },
      {
        key: 'state',
        header: t('state'),
        render: (key) =>
          t(`states.${stateOf(key) === 'active' && key.paused ? 'paused' : stateOf(key)}`),
      },
      {
        key: 'expires_at',
        header: t('expires'),
        optional: true,
        render: ({ expires_at }) =>
          expires_at == null ? t('never') : <DateText value={expires_at} />,
      },
      {
        key: 'last_used_at',
        header: t('lastUsed'),
        optional: true,
        render: ({ last_used_at }) =>
          last_used_at == null ? t('notUsed') : <DateTimeText value={last_used_at} />,
      },
      {
        key: 'created_by',
        header: t('keys.by'),
        optional: true,
        render: ({ created_by }) => created_by ?? '',
      },
      ...(mayChange
        ? [
            {
              key: 'actions',
              header: t('actions'),
              align: 'right' as const,
              render: (key: Key) =>
                stateOf(key) === 'active' && (
                  <ThingAction
                    label={t('keys.revoke', { name: key.name })}
                    icon={IconTrash}
                    color="red"
                    onClick={() => {
                      ask('revoke', key);
                    }}
                  />
                ),
            },
          ]
        : []),
    ],
    [t, mayChange, ask],
  );
  return (
    <DataTable
      caption={t('keys.title')}
      columns={columns}
      rows={data?.slice(from, to + 1)}
      total={data?.length}
      rowKey={(key) => key.id}
      state={state}
      error={error}
      onRetry={() => void refetch()}
      minWidth={480}
      empty={
        <EmptyState icon={IconKey} title={t('keys.empty')}>
          {t('keys.emptyText')}
        </EmptyState>
      }
    />
  );
}

function KeyForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation('access');
  const { id, api } = useOrganization();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [kind, setKind] = useState<(typeof KINDS)[number]>('secret');
  const [scopes, setScopes] = useState<string[]>([]);
  const [lifetime, setLifetime] = useState<Lifetime>('90');
  const make = useMutation({
    mutationFn: () =>
      reply(
        api.POST('/api/v1/access/keys', {
          body: { kind, name: name.trim(), scopes, expires_in_days: daysOf(lifetime) },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: [id, 'access'] }),
  });
  if (make.data !== undefined) {
    return (
      <ShownOnce
        label={t('keys.made', { name: name.trim() })}
        secret={make.data.secret}
        onDone={onDone}
      />
    );
  }
  return (
    <ThingForm
      name={name}
      onName={setName}
      ok={scopes.length > 0}
      error={make.error}
      pending={make.isPending}
      submit={t('keys.add')}
      onSubmit={() => {
        make.mutate();
      }}
      onCancel={onDone}
    >
      {(tried) => (
        <>
          <Select
            label={t('keys.kind')}
            description={t(`keys.kindHints.${kind}`)}
            data={KINDS.map((value) => ({ value, label: t(`keys.kinds.${value}`) }))}
            value={kind}
            allowDeselect={false}
            onChange={(next) => {
              if (next !== null) setKind(next);
            }}
          />
          <PatternsField
            organizationId={id}
            label={t('keys.scopes')}
            value={scopes}
            error={tried && scopes.length === 0 ? t('invalidPatterns') : null}
            onChange={setScopes}
          />
          <LifetimeField value={lifetime} onChange={setLifetime} />
        </>
      )}
    </ThingForm>
  );
}

function RevokeForm({ id: key, onDone }: { id: string; onDone: () => void }) {
  const { t } = useTranslation('access');
  const { id, api } = useOrganization();
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () =>
      reply(api.DELETE('/api/v1/access/keys/{id}', { params: { path: { id: key } } })),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: [id, 'access'] });
      onDone();
    },
  });
  return (
    <Confirm
      text={t('keys.revokeText')}
      error={revoke.error}
      pending={revoke.isPending}
      submit={t('keys.revokeButton')}
      onSubmit={() => {
        revoke.mutate();
      }}
      onCancel={onDone}
    />
  );
}
