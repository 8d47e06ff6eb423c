/** Codes for the day a factor is lost. */
import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/ui/dialog';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { recoveryCodesQuery } from '../../factors/api';
import { NewRecoveryCodes } from '../../factors/recovery-codes';

export function RecoveryCodes({ onMake }: { onMake: () => void }) {
  const { t } = useTranslation('factors');
  const codes = useQuery(recoveryCodesQuery());
  if (codes.isPending) return <LoadingState height={60} />;
  if (codes.isError) {
    return <ErrorState error={codes.error} onRetry={() => void codes.refetch()} />;
  }
  if (codes.data === null) {
    return (
      <Alert color="yellow" icon={<IconAlertTriangle />}>
        <Stack gap="xs" align="flex-start">
          <Text size="sm">{t('section.codesNone')}</Text>
          <Button size="xs" onClick={onMake}>
            {t('section.codesMake')}
          </Button>
        </Stack>
      </Alert>
    );
  }
  const { remaining, total } = codes.data;
  return (
    <Group justify="space-between" gap="xs">
      <Text size="sm">{t('section.codesLeft', { remaining, total })}</Text>
      <Button variant="default" size="xs" onClick={onMake}>
        {t('section.codesAgain')}
      </Button>
    </Group>
  );
}

/** Before codes that are good become void, the person is asked. */
export function CodesDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation('factors');
  return (
    <Dialog opened={opened} onClose={onClose} title={t('recovery.title')}>
      <CodesDialogBody onClose={onClose} />
    </Dialog>
  );
}

function CodesDialogBody({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('factors');
  // Asked anew, once: a factor that was added a moment ago may have brought the answer to an end.
  const codes = useQuery({ ...recoveryCodesQuery(), refetchOnMount: 'always' });
  // As it was when the dialog opened: making codes changes the count.
  const [again, setAgain] = useState<boolean | null>(null);
  if (again !== null) return <NewRecoveryCodes again={again} onDone={onClose} />;
  if (codes.isPending || !codes.isFetchedAfterMount) return <LoadingState height={80} />;
  if (codes.isError) return <ErrorState error={codes.error} />;
  const exist = codes.data !== null;
  return (
    <Stack>
      <Text size="sm">{exist ? t('section.codesAgainText') : t('recovery.text')}</Text>
      <Group justify="flex-end">
        <Button
          onClick={() => {
            setAgain(exist);
          }}
        >
          {exist ? t('section.codesAgain') : t('section.codesMake')}
        </Button>
      </Group>
    </Stack>
  );
}
