import { Paper, Progress, Stack, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { formatInteger } from '@/ui/format';
import { percentDone, type Import } from '../model';

/** What the server is doing, and how far it is. */
export function ProgressPanel({
  kind,
  progress,
}: {
  kind: 'reading' | 'committing';
  progress: Import['progress'];
}) {
  const { t, i18n } = useTranslation('imports');
  const percent = percentDone(progress);
  const phase = `phases.${progress.phase}`;
  return (
    <Paper withBorder p="xl" py={56}>
      <Stack maw={440} mx="auto" gap="sm" role="status" aria-live="polite">
        <Title order={2} size="h4" ta="center">
          {t(`${kind}.title`)}
        </Title>
        <Text size="sm" c="dimmed" ta="center">
          {t(`${kind}.text`)}
        </Text>
        <Progress
          mt="md"
          size="md"
          value={percent ?? 100}
          animated={percent === null}
          striped={percent === null}
          aria-label={t('progressLabel')}
        />
        <Text size="sm" c="dimmed" ta="center" className="tnum" mih={21}>
          {progress.phase !== '' && i18n.exists(`imports:${phase}`) && t(phase)}
          {percent !== null &&
            ` · ${t('progress', {
              done: formatInteger(progress.done, i18n.language),
              total: formatInteger(progress.total, i18n.language),
            })}`}
        </Text>
      </Stack>
    </Paper>
  );
}
