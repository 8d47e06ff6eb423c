import { Alert, Button, Group, PasswordInput, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/ui/dialog';
import { notifyFailed } from '@/ui/notify';
import { ErrorState } from '@/ui/states/error-state';
import { eraseAccount, saveData, userQuery } from './api';
import { Confirmation, useConfirmed } from './confirmation';
import { Panel } from './panel';

/** Taking one's data along, and leaving for good. */
export function DataSection() {
  const { t } = useTranslation('account');
  const [asking, setAsking] = useState(false);
  const save = useMutation({ mutationFn: saveData, onError: notifyFailed });
  return (
    <Panel title={t('data.title')} description={t('data.description')}>
      <Group>
        <Button
          variant="default"
          loading={save.isPending}
          onClick={() => {
            save.mutate();
          }}
        >
          {t('data.save')}
        </Button>
        <Button
          variant="filled"
          color="red.9"
          onClick={() => {
            setAsking(true);
          }}
        >
          {t('data.erase')}
        </Button>
      </Group>
      <Dialog
        opened={asking}
        onClose={() => {
          setAsking(false);
        }}
        title={t('data.eraseTitle')}
      >
        <EraseForm />
      </Dialog>
    </Panel>
  );
}

function EraseForm() {
  const { t } = useTranslation(['account', 'identity']);
  const [password, setPassword] = useState('');
  const user = useQuery(userQuery());
  const erase = useConfirmed(eraseAccount, () => {
    window.location.assign('/sign-in');
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        erase.submit(password);
      }}
    >
      <Stack>
        <Alert color="red" icon={<IconAlertTriangle size={18} />}>
          {t('data.eraseWarning')}
        </Alert>
        <Text size="sm">{t('data.eraseText')}</Text>
        <PasswordInput
          label={t('identity:fields.password')}
          autoComplete="current-password"
          data-autofocus
          value={password}
          onChange={(event) => {
            setPassword(event.currentTarget.value);
          }}
        />
        <Confirmation of={erase} user={user.data} />
        {erase.error !== null && <ErrorState error={erase.error} />}
        <Button type="submit" color="red.9" loading={erase.pending}>
          {t('data.eraseSubmit')}
        </Button>
      </Stack>
    </form>
  );
}
