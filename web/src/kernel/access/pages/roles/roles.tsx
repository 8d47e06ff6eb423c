import { Badge, Stack, Title } from '@mantine/core';
import { IconPencil, IconShieldLock, IconTrash, IconUserPlus } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { Confirm } from '@/ui/dialog-form';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { ListPage, ThingAction, ThingCard } from '../../blocks';
import { Names } from '../../fields';
import { rolesQuery, type CustomRole } from '../../queries';
import { AssignForm } from './assign-form';
import { useForgetAccess } from './forget';
import { Matrix } from './matrix';
import { RoleForm } from './role-form';

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
    <Confirm
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
