import { Alert, Button, Group, Stack } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { CopyField } from '@/ui/copy-field';

export interface Credentials {
  id: string;
  /** Null for a program without one. */
  secret: string | null;
}

/** What a program shows itself with; its secret this once. */
export function Told({ credentials, onDone }: { credentials: Credentials; onDone: () => void }) {
  const { t } = useTranslation('operator');
  const { id, secret } = credentials;
  return (
    <Stack>
      <Alert icon={<IconKey />} color="ink" role="status">
        {t(secret === null ? 'programs.noSecret' : 'programs.once')}
      </Alert>
      <CopyField label={t('programs.id')} value={id} />
      {secret !== null && <CopyField label={t('programs.secret')} value={secret} />}
      <Group justify="flex-end">
        <Button onClick={onDone}>{t('programs.done')}</Button>
      </Group>
    </Stack>
  );
}
