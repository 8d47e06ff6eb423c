import { Button, Divider, Stack } from '@mantine/core';
import { IconFingerprint } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ErrorState } from '@/ui/states/error-state';
import { keysPossible, signInWithPasskey } from './api';

/** Signs in without a password, where the browser can. */
export function PasskeyButton({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation('factors');
  const mutation = useMutation({ mutationFn: signInWithPasskey, onSuccess: onDone });
  if (!keysPossible()) return null;
  return (
    <Stack>
      <Divider label={t('passkeys.or')} labelPosition="center" />
      {mutation.isError && <ErrorState error={mutation.error} />}
      <Button
        variant="default"
        leftSection={<IconFingerprint size={18} aria-hidden />}
        loading={mutation.isPending}
        onClick={() => {
          mutation.mutate();
        }}
      >
        {t('passkeys.signIn')}
      </Button>
    </Stack>
  );
}
