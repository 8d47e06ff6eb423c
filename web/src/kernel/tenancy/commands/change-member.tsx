import { Checkbox, Select, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { rolesQuery } from '@/kernel/access/queries';
import { Dialog } from '@/ui/dialog';
import { Confirm, FormButtons } from '@/ui/dialog-form';
import { notifyDone } from '@/ui/notify';
import { ErrorState } from '@/ui/states/error-state';
import { useLast } from '@/ui/use-last';
import { useOrganization } from '../organization';
import { departmentsQuery, organizationSessionQuery, ROLES, type Member } from '../queries';

/** What somebody wants to do to a member. */
export interface Asked {
  what: 'change' | 'suspend' | 'reinstate' | 'remove';
  member: Member;
}

export const nameOf = (member: Member) => member.name ?? member.email ?? '';

/** Asks once more, or for the particulars, and does it. */
export function MemberDialog({ asked, onClose }: { asked: Asked | null; onClose: () => void }) {
  const { t } = useTranslation('tenancy');
  const last = useLast(asked);
  const title = last === null ? '' : t(`members.${last.what}Title`, { name: nameOf(last.member) });
  return (
    <Dialog opened={asked !== null} onClose={onClose} title={title}>
      {asked !== null &&
        (asked.what === 'change' ? (
          <ChangeForm member={asked.member} onDone={onClose} />
        ) : (
          <Question what={asked.what} member={asked.member} onDone={onClose} />
        ))}
    </Dialog>
  );
}

function useDone(onDone: () => void) {
  const { t } = useTranslation('tenancy');
  const { id } = useOrganization();
  const queryClient = useQueryClient();
  return async () => {
    onDone();
    notifyDone(t('saved'));
    await Promise.all([
      queryClient.invalidateQueries({ queryKey: [id, 'members'] }),
      queryClient.invalidateQueries({ queryKey: [id, 'open-invitations'] }),
      queryClient.invalidateQueries({ queryKey: [id, 'departments'] }),
      queryClient.invalidateQueries({ queryKey: [id, 'organization'] }),
      queryClient.invalidateQueries({ queryKey: [id, 'access'] }),
      // It may have been oneself.
      queryClient.invalidateQueries({ queryKey: organizationSessionQuery(id).queryKey }),
    ]);
  };
}

function Question({
  what,
  member,
  onDone,
}: {
  what: 'suspend' | 'reinstate' | 'remove';
  member: Member;
  onDone: () => void;
}) {
  const { t } = useTranslation('tenancy');
  const { api } = useOrganization();
  const params = { params: { path: { user_id: member.user_id } } };
  const onSuccess = useDone(onDone);
  const mutation = useMutation({
    mutationFn: () =>
      what === 'remove'
        ? reply(api.DELETE('/api/v1/tenancy/members/{user_id}', params))
        : what === 'suspend'
          ? reply(api.POST('/api/v1/tenancy/members/{user_id}/suspend', params))
          : reply(api.POST('/api/v1/tenancy/members/{user_id}/reinstate', params)),
    onSuccess,
  });
  return (
    <Confirm
      text={t(`members.${what}Text`)}
      error={mutation.error}
      pending={mutation.isPending}
      submit={t(`members.${what}`)}
      color={what === 'reinstate' ? undefined : 'red'}
      focus="submit"
      onSubmit={() => {
        mutation.mutate();
      }}
      onCancel={onDone}
    />
  );
}

function ChangeForm({ member, onDone }: { member: Member; onDone: () => void }) {
  const { t } = useTranslation('tenancy');
  const { id, api, can, role: own } = useOrganization();
  const { data: departments = [] } = useQuery(departmentsQuery(id));
  const { data: roles } = useQuery({
    ...rolesQuery(id),
    enabled: can('access.roles.manage'),
  });
  const customRoles = roles?.custom ?? [];
  const offered = ROLES.slice(ROLES.indexOf(own));
  const before = {
    role: member.role,
    department: member.department ?? '',
    custom: member.custom_role ?? '',
    only: member.custom_only,
  };
  const form = useForm({ initialValues: before });
  const onSuccess = useDone(onDone);
  const mutation = useMutation({
    mutationFn: async ({ role, department, custom, only }: typeof form.values) => {
      if (role !== before.role || department !== before.department) {
        await reply(
          api.PATCH('/api/v1/tenancy/members/{user_id}', {
            params: { path: { user_id: member.user_id } },
            body: {
              ...(role === before.role ? {} : { role }),
              ...(department === before.department
                ? {}
                : { department: department === '' ? null : department }),
            },
          }),
        );
      }
      if (custom !== before.custom || only !== before.only) {
        await reply(
          api.PUT('/api/v1/access/members/{id}/role', {
            params: { path: { id: member.user_id } },
            body: { role: customRoles.find(({ name }) => name === custom)?.id ?? null, only },
          }),
        );
      }
    },
    onSuccess,
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => {
        mutation.mutate(values);
      })}
    >
      <Stack>
        {mutation.isError && <ErrorState error={mutation.error} />}
        <Select
          data-autofocus
          label={t('members.role')}
          description={t(`roleHints.${form.values.role}`)}
          allowDeselect={false}
          data={offered.map((role) => ({ value: role, label: t(`roles.${role}`) }))}
          {...form.getInputProps('role')}
        />
        <Select
          label={t('members.department')}
          allowDeselect={false}
          data={[
            { value: '', label: t('members.noDepartment') },
            ...departments.map(({ name }) => ({ value: name, label: name })),
          ]}
          {...form.getInputProps('department')}
        />
        {customRoles.length > 0 && (
          <Select
            label={t('members.ownRole')}
            allowDeselect={false}
            data={[
              { value: '', label: t('members.noOwnRole') },
              ...customRoles.map(({ name }) => ({ value: name, label: name })),
            ]}
            {...form.getInputProps('custom')}
          />
        )}
        {form.values.custom !== '' && customRoles.length > 0 && (
          <Checkbox
            label={t('members.ownRoleOnly')}
            {...form.getInputProps('only', { type: 'checkbox' })}
          />
        )}
        <FormButtons
          submit={t('save')}
          pending={mutation.isPending}
          disabled={!form.isDirty()}
          onCancel={onDone}
        />
      </Stack>
    </form>
  );
}
