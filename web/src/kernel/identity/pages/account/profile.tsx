import { Alert, Button, Group, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconMail } from '@tabler/icons-react';
import type { User } from '@supabase/supabase-js';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { notifyDone } from '@/ui/notify';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { isEmail } from '../../model';
import { nameOf, saveProfile, userQuery, type Profile } from './api';
import { Confirmation, useConfirmed } from './confirmation';
import { Panel } from './panel';

/** How the person is called and written to. */
export function ProfileSection() {
  const { t } = useTranslation('account');
  const user = useQuery(userQuery());
  return (
    <Panel title={t('profile.title')} description={t('profile.description')}>
      {user.isPending && <LoadingState height={140} />}
      {user.isError && <ErrorState error={user.error} onRetry={() => void user.refetch()} />}
      {user.data !== undefined && <ProfileForm key={user.data.updated_at} user={user.data} />}
    </Panel>
  );
}

function ProfileForm({ user }: { user: User }) {
  const { t } = useTranslation(['account', 'identity']);
  const client = useQueryClient();
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { name: nameOf(user), email: user.email ?? '' },
    validate: {
      name: (value) => (value.trim() === '' ? t('identity:invalid.name') : null),
      email: (value) => (isEmail(value) ? null : t('identity:invalid.email')),
    },
  });
  const save = useConfirmed(
    (values: Profile, nonce) => saveProfile(user, values, nonce),
    async (waiting) => {
      if (waiting === null) {
        notifyDone(t('profile.saved'));
        await client.invalidateQueries();
      }
    },
  );
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => {
        save.submit(values);
      })}
    >
      <Stack gap="md" maw={440}>
        <TextInput
          label={t('identity:fields.name')}
          autoComplete="name"
          maxLength={200}
          key={form.key('name')}
          {...form.getInputProps('name')}
        />
        <TextInput
          label={t('identity:fields.email')}
          type="email"
          autoComplete="email"
          key={form.key('email')}
          {...form.getInputProps('email')}
        />
        {typeof save.saved === 'string' && (
          <Alert role="status" icon={<IconMail size={18} />} title={t('profile.waitingTitle')}>
            {t('profile.waiting', { email: save.saved })}
          </Alert>
        )}
        <Confirmation of={save} user={user} />
        {save.error !== null && <ErrorState error={save.error} />}
        <Group>
          <Button type="submit" loading={save.pending}>
            {t('save')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
