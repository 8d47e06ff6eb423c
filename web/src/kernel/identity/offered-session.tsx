import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { IconLogin2 } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ErrorState } from '@/ui/states/error-state';
import { hasOfferedSession, takeOfferedSession } from './session';

/** Asks whoever was led here by a link with a session that this browser did not ask for whether they want it. */
export function OfferedSession({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation('identity');
  const take = useMutation({ mutationFn: takeOfferedSession, onSuccess: onDone });
  if (!hasOfferedSession() && take.isIdle) return null;
  return (
    <Alert icon={<IconLogin2 />} color="ink" role="status" title={t('offered.title')}>
      <Stack gap="sm">
        <Text size="sm">{t('offered.text')}</Text>
        {take.isError && <ErrorState error={take.error} />}
        <Group>
          <Button
            size="xs"
            variant="default"
            loading={take.isPending}
            onClick={() => {
              take.mutate();
            }}
          >
            {t('offered.accept')}
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}
