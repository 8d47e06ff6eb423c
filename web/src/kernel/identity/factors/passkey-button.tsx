import { Button, Divider, Stack } from '@mantine/core';
import { IconFingerprint } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorState } from '@/ui/states/error-state';
import { keysPossible, signInWithPasskey } from './api';
import { usePasskeyAutofill } from './passkey-autofill';

/** Signs in without a password, where the browser can: by a button, and, while `offered`, among what it offers to fill in. */
export function PasskeyButton({ offered, onDone }: { offered: boolean; onDone: () => void }) {
  const { t } = useTranslation('factors');
  const mutation = useMutation({ mutationFn: signInWithPasskey, onSuccess: onDone });
  const [failed, setFailed] = useState<unknown>(null);
  // A browser goes through one ceremony at a time.
  usePasskeyAutofill({ wanted: offered && !mutation.isPending, onDone, onError: setFailed });
  if (!keysPossible()) return null;
  return (
    <Stack>
      <Divider label={t('passkeys.or')} labelPosition="center" />
      {mutation.isError && <ErrorState error={mutation.error} />}
      {failed !== null && mutation.isIdle && <ErrorState error={failed} />}
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
