import { Alert, Button, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useDisclosure } from '@mantine/hooks';
import { IconLink, IconUserPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { isEmail } from '@/kernel/identity/model';
import { CopyField } from '@/ui/copy-field';
import { formatDateTime } from '@/ui/format';
import { Dialog } from '@/ui/dialog';
import { ErrorState } from '@/ui/states/error-state';
import { useOrganization } from '../organization';
import { departmentsQuery, openInvitationsQuery, ROLES, type Role } from '../queries';

/** Button and dialog: lets one person join with a role, by a mail to them or a link to pass on. */
export function InviteMember() {
  const { t } = useTranslation('tenancy');
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button leftSection={<IconUserPlus size={16} />} onClick={open}>
        {t('members.invite')}
      </Button>
      <Dialog opened={opened} onClose={close} title={t('members.inviteTitle')}>
        <InviteForm onDone={close} />
      </Dialog>
    </>
  );
}

function InviteForm({ onDone }: { onDone: () => void }) {
  const { t, i18n } = useTranslation('tenancy');
  const { id, api, role: own } = useOrganization();
  const queryClient = useQueryClient();
  const { data: departments = [] } = useQuery(departmentsQuery(id));
  // Nobody gives away more than they have.
  const offered: Role[] = ROLES.slice(Math.max(1, ROLES.indexOf(own)));
  const form = useForm<{ role: Role; email: string; department: string }>({
    initialValues: {
      role: offered.includes('member') ? 'member' : 'viewer',
      email: '',
      department: '',
    },
    validate: {
      email: (value) =>
        value.trim() === '' || isEmail(value) ? null : t('identity:invalid.email'),
    },
  });
  const mutation = useMutation({
    mutationFn: ({ role, email, department }: typeof form.values) =>
      reply(
        api.POST('/api/v1/tenancy/invitations', {
          body: {
            role,
            email: email.trim() === '' ? null : email.trim(),
            department: department === '' ? null : department,
            language: i18n.language.slice(0, 2),
          },
        }),
      ),
    onSuccess: async () => {
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: openInvitationsQuery(id).queryKey }),
        queryClient.invalidateQueries({ queryKey: [id, 'organization'] }),
      ]);
    },
  });

  if (mutation.data !== undefined) {
    const { url, expires_at, mailed, email } = mutation.data;
    return (
      <Stack>
        <Alert icon={<IconLink />} color="ink" role="status">
          {mailed
            ? t('members.mailed', { email: email ?? '' })
            : t('members.linkReady', { date: formatDateTime(expires_at, i18n.language) })}
        </Alert>
        <CopyField label={t('members.link')} value={url} />
        <Group justify="flex-end">
          <Button
            variant="default"
            onClick={() => {
              mutation.reset();
              form.reset();
            }}
          >
            {t('members.another')}
          </Button>
          <Button onClick={onDone}>{t('members.done')}</Button>
        </Group>
      </Stack>
    );
  }

  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => {
        mutation.mutate(values);
      })}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          {t('members.inviteDescription')}
        </Text>
        {mutation.isError && <ErrorState error={mutation.error} />}
        <TextInput
          type="email"
          data-autofocus
          label={t('members.inviteEmail')}
          description={t('members.inviteEmailHint')}
          {...form.getInputProps('email')}
        />
        <Select
          label={t('members.role')}
          data={offered.map((role) => ({ value: role, label: t(`roles.${role}`) }))}
          description={t(`roleHints.${form.values.role}`)}
          allowDeselect={false}
          {...form.getInputProps('role')}
        />
        {departments.length > 0 && (
          <Select
            label={t('members.department')}
            allowDeselect={false}
            data={[
              { value: '', label: t('members.noDepartment') },
              ...departments.map(({ name }) => ({ value: name, label: name })),
            ]}
            {...form.getInputProps('department')}
          />
        )}
        <Group justify="flex-end">
          <Button type="submit" loading={mutation.isPending}>
            {t(form.values.email.trim() === '' ? 'members.create' : 'members.send')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
