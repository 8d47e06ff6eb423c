import {
  ActionIcon,
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
  Textarea,
  TextInput,
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
import { RequirePermission } from '@/kernel/tenancy/require-permission';
import { Dialog } from '@/ui/dialog';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { WideContent } from '@/ui/table/wide-content';
import { Names, PatternsField } from '../fields';
import {
  previewQuery,
  roleMembersQuery,
  rolesQuery,
  type CustomRole,
  type Roles,
} from '../queries';

type Asked = { what: 'add' } | { what: 'edit' | 'remove' | 'assign'; role: CustomRole };

export function RolesPage() {
  const { t } = useTranslation('access');
  const { can } = useOrganization();
  const [asked, setAsked] = useState<Asked | null>(null);
  const close = () => {
    setAsked(null);
  };
  const title =
    asked === null || asked.what === 'add'
      ? t('roles.add')
      : t(`roles.${asked.what}`, { name: asked.role.name });
  return (
    <>
      <PageHeader
        title={t('roles.title')}
        description={t('roles.text')}
        actions={
          can('access.roles.manage') && (
            <Button
              onClick={() => {
                setAsked({ what: 'add' });
              }}
            >
              {t('roles.add')}
            </Button>
          )
        }
      />
      <RequirePermission permission="access.roles.read">
        <RoleLists ask={setAsked} />
      </RequirePermission>
      <Dialog opened={asked !== null} onClose={close} title={title}>
        {(asked?.what === 'add' || asked?.what === 'edit') && (
          <RoleForm role={asked.what === 'edit' ? asked.role : null} onDone={close} />
        )}
        {asked?.what === 'remove' && <RemoveForm role={asked.role} onDone={close} />}
        {asked?.what === 'assign' && <AssignForm role={asked.role} />}
      </Dialog>
    </>
  );
}

function RoleLists({ ask }: { ask: (asked: Asked) => void }) {
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

function CustomRoleCard({ role, ask }: { role: CustomRole; ask: (asked: Asked) => void }) {
  const { t } = useTranslation('access');
  const { can } = useOrganization();
  return (
    <Paper withBorder p="md" data-testid="custom-role">
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Stack gap={4} miw={0}>
          <Group gap="xs">
            <Text fw={600}>{role.name}</Text>
            <Badge variant="light" color="gray" c="var(--mantine-color-text)">
              {t('roles.members')}: {role.members}
            </Badge>
          </Group>
          {role.description !== '' && (
            <Text size="sm" c="dimmed">
              {role.description}
            </Text>
          )}
          <Names names={role.permissions} />
        </Stack>
        {can('access.roles.manage') && (
          <Group gap={4} wrap="nowrap">
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t('roles.assign', { name: role.name })}
              onClick={() => {
                ask({ what: 'assign', role });
              }}
            >
              <IconUserPlus size={16} />
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t('roles.edit', { name: role.name })}
              onClick={() => {
                ask({ what: 'edit', role });
              }}
            >
              <IconPencil size={16} />
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="red"
              disabled={role.members > 0}
              aria-label={t('roles.remove', { name: role.name })}
              onClick={() => {
                ask({ what: 'remove', role });
              }}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </Group>
        )}
      </Group>
    </Paper>
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
  const [tried, setTried] = useState(false);
  const nameOk = name.trim() !== '' && name.trim().length <= 80;
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
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (nameOk && includes.length > 0) save.mutate();
      }}
    >
      <Stack>
        {save.isError && <ErrorState error={save.error} />}
        <TextInput
          label={t('name')}
          value={name}
          data-autofocus
          error={tried && !nameOk ? t('invalidName') : null}
          onChange={(event) => {
            setName(event.currentTarget.value);
          }}
        />
        <Textarea
          label={t('description')}
          value={description}
          maxLength={500}
          autosize
          onChange={(event) => {
            setDescription(event.currentTarget.value);
          }}
        />
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
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            {t('cancel')}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {t('save')}
          </Button>
        </Group>
      </Stack>
    </form>
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
    <Stack>
      <Text size="sm">{t('roles.removeText')}</Text>
      {remove.isError && <ErrorState error={remove.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onDone}>
          {t('cancel')}
        </Button>
        <Button
          color="red"
          loading={remove.isPending}
          onClick={() => {
            remove.mutate();
          }}
        >
          {t('roles.remove', { name: role.name })}
        </Button>
      </Group>
    </Stack>
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
              <ActionIcon
                variant="subtle"
                color="red"
                aria-label={t('roles.take', { name: holder.name })}
                loading={assign.isPending && assign.variables.member === holder.id}
                onClick={() => {
                  assign.mutate({ member: holder.id, role: null, only: false });
                }}
              >
                <IconX size={16} />
              </ActionIcon>
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
