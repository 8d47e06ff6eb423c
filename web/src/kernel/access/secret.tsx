import { Alert, Button, Group, Stack } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { CopyField } from '@/ui/copy-field';

/** A key or token that was just made, shown this once. */
export function ShownOnce({
  label,
  secret,
  onDone,
}: {
  label: string;
  secret: string;
  onDone: () => void;
}) {
  const { t } = useTranslation('access');
  return (
    <Stack>
      <Alert icon={<IconKey />} color="ink" role="status">
        {t('copied')}
      </Alert>
      <CopyField label={label} value={secret} />
      <Group justify="flex-end">
        <Button onClick={onDone}>{t('done')}</Button>
      </Group>
    </Stack>
  );
}
