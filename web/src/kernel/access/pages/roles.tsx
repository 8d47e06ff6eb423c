import {
  Alert,
  Badge,
  Button,
  Checkbox,
  Group,
  Paper,
  Select,
  Stack,
  Table,
  Text,
  Title,
} from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import {
  IconCheck,
  IconPencil,
  IconShieldLock,
  IconTrash,
  IconUserPlus,
  IconX,
} from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { ROLES } from '@/kernel/tenancy/queries';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { WideContent } from '@/ui/table/wide-content';
import {
  ConfirmRemoval,
  DescriptionField,
  ListPage,
  ThingAction,
  ThingCard,
  ThingForm,
} from '../blocks';
import { Names, PatternsField } from '../fields';
import {
  previewQuery,
  roleMembersQuery,
  rolesQuery,
  type CustomRole,
  type Roles,
} from '../queries';

type Ask = (what: 'edit' | 'remove' | 'assign', role: CustomRole) => void;

export function RolesPage() {
  const { t } = useTranslation('access');
  return (
    <ListPage<'edit' | 'remove' | 'assign', CustomRole>
      title={t('roles.title')}
      text={t('roles.text')}
      add={t('roles.add')}
      read="access.roles.read"
      manage="access.roles.manage"
      list={(ask) => <RoleLists ask={ask} />}
      dialogTitle={({ what, thing }) => t(`roles.${what}`, { name: thing.name })}
      dialog={(asked, close) => {
        if (asked?.what === 'remove') return <RemoveForm role={asked.thing} onDone={close} />;
        if (asked?.what === 'assign') return <AssignForm role={asked.thing} />;
        return <RoleForm role={asked?.thing ?? null} onDone={close} />;
      }}
    />
  );
}

function RoleLists({ ask }: { ask: Ask }) {
  const { t } = useTranslation('access');
  const { id } = useOrganization();
  const { data, error, refetch } = useQuery(rolesQuery(id));
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <LoadingState />;
  return (
    <Stack gap="xl">
      <section aria-labelledby="own-roles">
        <Title order={2} size="h4" mb="sm" id="own-roles">
          {t('roles.custom')}
        </Title>
        {data.custom.length === 0 ? (
          <EmptyState icon={IconShieldLock} title={t('roles.empty')} order={2}>
            {t('roles.emptyText')}
          </EmptyState>
        ) : (
          <Stack gap="sm">
            {data.custom.map((role) => (
              <CustomRoleCard key={role.id} role={role} ask={ask} />
            ))}
          </Stack>
        )}
      </section>
      <section aria-labelledby="built-in-roles">
        <Title order={2} size="h4" mb="sm" id="built-in-roles">
          {t('roles.builtIn')}
        </Title>
        <Matrix roles={data} />
      </section>
    </Stack>
  );
}

function CustomRoleCard({ role, ask }: { role: CustomRole; ask: Ask }) {
  const { t } = useTranslation('access');
  const { can } = useOrganization();
  return (
    <ThingCard
      name={role.name}
      description={role.description}
      testId="custom-role"
      badges={
        <Badge variant="light" color="gray" c="var(--mantine-color-text)">
          {t('roles.members')}: {role.members}
        </Badge>
      }
      actions={
        can('access.roles.manage') && (
          <>
            <ThingAction
              label={t('roles.assign', { name: role.name })}
              icon={IconUserPlus}
              onClick={() => {
                ask('assign', role);
              }}
            />
            <ThingAction
              label={t('roles.edit', { name: role.name })}
              icon={IconPencil}
              onClick={() => {
                ask('edit', role);
              }}
            />
            <ThingAction
              label={t('roles.remove', { name: role.name })}
              icon={IconTrash}
              color="red"
              disabled={role.members > 0}
              onClick={() => {
                ask('remove', role);
              }}
            />
          </>
        )
      }
    >
      <Names names={role.permissions} />
    </ThingCard>
  );
}

/** Which built-in role has which permission. */
function Matrix({ roles }: { roles: Roles }) {
  const { t } = useTranslation('access');
  const weakestFirst = [...ROLES].reverse();
  return (
    <Paper withBorder>
      <WideContent label={t('roles.matrix')} minWidth={780}>
        <Table verticalSpacing={6} horizontalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{t('roles.permission')}</Table.Th>
              {weakestFirst.map((role) => (
                <Table.Th key={role} scope="col" ta="center">
                  {t(`tenancy:roles.${role}`)}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {roles.permissions.map(({ name, description, from }) => (
              <Table.Tr key={name}>
                <Table.Th scope="row" fw={400}>
                  <Text size="sm">{description}</Text>
                  <Text size="xs" c="dimmed">
                    {name}
                  </Text>
                </Table.Th>
                {weakestFirst.map((role) => {
                  const has = weakestFirst.indexOf(role) >= weakestFirst.indexOf(from);
                  return (
                    <Table.Td key={role} ta="center">
                      {has ? (
                        <IconCheck size={16} role="img" aria-label={t('roles.has')} />
                      ) : (
                        <Text span c="dimmed" aria-label={t('roles.hasNot')} role="img">
                          –
                        </Text>
                      )}
                    </Table.Td>
                  );
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </WideContent>
    </Paper>
  );
}

/** Queries about access are asked anew after a change. */
function useForgetAccess() {
  const { id } = useOrganization();
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: [id, 'access'] }),
      client.invalidateQueries({ queryKey: [id, 'session'] }),
    ]);
}

function RoleForm({ role, onDone }: { role: CustomRole | null; onDone: () => void }) {
  const { t } = useTranslation('access');
  const { id, api } = useOrganization();
  const forget = useForgetAccess();
  const [name, setName] = useState(role?.name ?? '');
  const [description, setDescription] = useState(role?.description ?? '');
  const [includes, setIncludes] = useState<string[]>(role?.includes ?? []);
  const [excludes, setExcludes] = useState<string[]>(role?.excludes ?? []);
  const save = useMutation({
    mutationFn: () => {
      const body = { name: name.trim(), description: description.trim(), includes, excludes };
      return role === null
        ? reply(api.POST('/api/v1/access/roles', { body }))
        : reply(api.PUT('/api/v1/access/roles/{id}', { params: { path: { id: role.id } }, body }));
    },
    onSuccess: async () => {
      await forget();
      onDone();
    },
  });
  return (
    <ThingForm
      name={name}
      onName={setName}
      ok={includes.length > 0}
      error={save.error}
      pending={save.isPending}
      submit={t('save')}
      onSubmit={() => {
        save.mutate();
      }}
      onCancel={onDone}
    >
      {(tried) => (
        <>
          <DescriptionField value={description} onChange={setDescription} />
          <PatternsField
            organizationId={id}
            label={t('roles.includes')}
            value={includes}
            error={tried && includes.length === 0 ? t('invalidPatterns') : null}
            onChange={setIncludes}
          />
          <PatternsField
            organizationId={id}
            label={t('roles.excludes')}
            hint={t('roles.excludesHint')}
            value={excludes}
            onChange={setExcludes}
          />
          <Preview includes={includes} excludes={excludes} />
        </>
      )}
    </ThingForm>
  );
}

/** What the patterns grant, while they are written. */
function Preview({ includes, excludes }: { includes: string[]; excludes: string[] }) {
  const { t } = useTranslation('access');
  const { id } = useOrganization();
  const patterns = useMemo(() => ({ includes, excludes }), [includes, excludes]);
  const [settled] = useDebouncedValue(patterns, 150);
  const { data, error } = useQuery({
    ...previewQuery(id, settled),
    enabled: settled.includes.length > 0,
  });
  const { data: roles } = useQuery(rolesQuery(id));
  if (includes.length === 0) return null;
  if (error !== null) return <ErrorState error={error} />;
  if (data === undefined) return <LoadingState />;
  return (
    <Stack gap="xs" aria-live="polite" data-testid="role-preview">
      <Text size="sm" fw={550}>
        {t('roles.preview', { count: data.granted.length, all: roles?.permissions.length ?? 0 })}
      </Text>
      <Names names={data.granted} most={40} />
      {data.unknown.length > 0 && (
        <Alert color="yellow" variant="light">
          {t('roles.unknown', { names: data.unknown.join(', ') })}
        </Alert>
      )}
      {data.beyond.length > 0 && (
        <Alert color="red" variant="light">
          {t('roles.beyond', { names: data.beyond.join(', ') })}
        </Alert>
      )}
    </Stack>
  );
}

function RemoveForm({ role, onDone }: { role: CustomRole; onDone: () => void }) {
  const { t } = useTranslation('access');
  const { api } = useOrganization();
  const forget = useForgetAccess();
  const remove = useMutation({
    mutationFn: () =>
      reply(api.DELETE('/api/v1/access/roles/{id}', { params: { path: { id: role.id } } })),
    onSuccess: async () => {
      await forget();
      onDone();
    },
  });
  return (
    <ConfirmRemoval
      text={t('roles.removeText')}
      error={remove.error}
      pending={remove.isPending}
      submit={t('roles.remove', { name: role.name })}
      onSubmit={() => {
        remove.mutate();
      }}
      onCancel={onDone}
    />
  );
}

function AssignForm({ role }: { role: CustomRole }) {
  const { t } = useTranslation('access');
  const { id, api } = useOrganization();
  const forget = useForgetAccess();
  const { data, error } = useQuery(roleMembersQuery(id));
  const [member, setMember] = useState<string | null>(null);
  const [only, setOnly] = useState(false);
  const assign = useMutation({
    mutationFn: (given: { member: string; role: string | null; only: boolean }) =>
      reply(
        api.PUT('/api/v1/access/members/{id}/role', {
          params: { path: { id: given.member } },
          body: { role: given.role, only: given.only },
        }),
      ),
    onSuccess: async () => {
      setMember(null);
      await forget();
    },
  });
  if (error !== null) return <ErrorState error={error} />;
  if (data === undefined) return <LoadingState />;
  const holders = data.filter(({ custom_role }) => custom_role === role.id);
  const others = data.filter(({ custom_role }) => custom_role !== role.id);
  return (
    <Stack>
      {assign.isError && <ErrorState error={assign.error} />}
      {holders.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('roles.nobody')}
        </Text>
      ) : (
        <Stack gap={4} component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
          {holders.map((holder) => (
            <Group key={holder.id} component="li" justify="space-between" wrap="nowrap">
              <Text size="sm" truncate>
                {holder.name}{' '}
                <Text span size="xs" c="dimmed">
                  {holder.custom_only
                    ? t('roles.alone')
                    : t('roles.besides', { role: t(`tenancy:roles.${holder.role}`) })}
                </Text>
              </Text>
              <ThingAction
                label={t('roles.take', { name: holder.name })}
                icon={IconX}
                color="red"
                loading={assign.isPending && assign.variables.member === holder.id}
                onClick={() => {
                  assign.mutate({ member: holder.id, role: null, only: false });
                }}
              />
            </Group>
          ))}
        </Stack>
      )}
      <Select
        label={t('roles.assignTo')}
        searchable
        data={others.map(({ id: value, name, email }) => ({
          value,
          label: email == null || email === name ? name : `${name} · ${email}`,
        }))}
        value={member}
        onChange={setMember}
      />
      <Checkbox
        label={t('roles.assignOnly')}
        checked={only}
        onChange={(event) => {
          setOnly(event.currentTarget.checked);
        }}
      />
      <Group justify="flex-end">
        <Button
          disabled={member === null}
          loading={assign.isPending}
          onClick={() => {
            if (member !== null) assign.mutate({ member, role: role.id, only });
          }}
        >
          {t('roles.assignButton')}
        </Button>
      </Group>
    </Stack>
  );
}
