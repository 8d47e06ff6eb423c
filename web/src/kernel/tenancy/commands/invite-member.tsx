import { Alert, Button, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useDisclosure } from '@mantine/hooks';
import { IconLink, IconUserPlus } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { isEmail } from '@/kernel/identity/model';
import { CopyField } from '@/ui/copy-field';
import { formatDateTime } from '@/ui/format';
import { Dialog } from '@/ui/dialog';
import { ErrorState } from '@/ui/states/error-state';
import { useOrganization } from '../organization';
import { ROLES, type Role } from '../queries';

/** Button and dialog: makes a link that lets one person join with a role. */
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
  const { api, role: own } = useOrganization();
  // Nobody gives away more than they have.
  const offered = ROLES.slice(Math.max(1, ROLES.indexOf(own)));
  const form = useForm<{ role: Role; email: string }>({
    initialValues: { role: 'member', email: '' },
    validate: {
      email: (value) =>
        value.trim() === '' || isEmail(value) ? null : t('identity:invalid.email'),
    },
  });
  const mutation = useMutation({
    mutationFn: ({ role, email }: typeof form.values) =>
      reply(
        api.POST('/api/v1/tenancy/invitations', {
          body: { role, email: email.trim() === '' ? null : email.trim() },
        }),
      ),
  });

  if (mutation.data !== undefined) {
    const { url, expires_at } = mutation.data;
    return (
      <Stack>
        <Alert icon={<IconLink />} color="ink" role="status">
          {t('members.linkReady', { date: formatDateTime(expires_at, i18n.language) })}
        </Alert>
        <CopyField label={t('members.link')} value={url} />
        <Group justify="flex-end">
          <Button
            variant="default"
            onClick={() => {
              mutation.reset();
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
        <Select
          label={t('members.role')}
          data={offered.map((role) => ({ value: role, label: t(`roles.${role}`) }))}
          description={t(`roleHints.${form.values.role}`)}
          allowDeselect={false}
          {...form.getInputProps('role')}
        />
        <TextInput
          type="email"
          label={t('members.inviteEmail')}
          description={t('members.inviteEmailHint')}
          {...form.getInputProps('email')}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={mutation.isPending}>
            {t('members.create')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
