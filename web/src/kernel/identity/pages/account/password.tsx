import { Button, Group, PasswordInput, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/ui/dialog';
import { notifyDone } from '@/ui/notify';
import { ErrorState } from '@/ui/states/error-state';
import { SHORTEST_PASSWORD } from '../../model';
import { setPassword } from '../../session';
import { sessionsQuery, userQuery } from './api';
import { Confirmation, useConfirmed } from './confirmation';
import { Panel } from './panel';

/** Another password, or the first one of who came in by another way. */
export function PasswordSection() {
  const { t } = useTranslation('account');
  const [changing, setChanging] = useState(false);
  const close = () => {
    setChanging(false);
  };
  return (
    <Panel title={t('password.title')} description={t('password.description')}>
      <Group>
        <Button
          variant="default"
          onClick={() => {
            setChanging(true);
          }}
        >
          {t('password.change')}
        </Button>
      </Group>
      <Dialog opened={changing} onClose={close} title={t('password.change')}>
        <PasswordForm onDone={close} />
      </Dialog>
    </Panel>
  );
}

function PasswordForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation(['account', 'identity']);
  const client = useQueryClient();
  const user = useQuery(userQuery());
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { password: '' },
    validate: {
      password: (value) =>
        value.length < SHORTEST_PASSWORD ? t('identity:invalid.password') : null,
    },
  });
  const change = useConfirmed(setPassword, async () => {
    notifyDone(t('password.changed'));
    onDone();
    await client.invalidateQueries(sessionsQuery());
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit(({ password }) => {
        change.submit(password);
      })}
    >
      <Stack>
        {change.error !== null && <ErrorState error={change.error} />}
        <PasswordInput
          name="password"
          autoComplete="new-password"
          data-autofocus
          required
          withAsterisk={false}
          label={t('identity:newPassword.label')}
          description={t('identity:fields.passwordHint')}
          key={form.key('password')}
          {...form.getInputProps('password')}
        />
        <Confirmation of={change} user={user.data} />
        <Button type="submit" loading={change.pending}>
          {t('identity:newPassword.submit')}
        </Button>
      </Stack>
    </form>
  );
}
