import { Paper, Progress as Bar, Stack, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { formatInteger } from '@/ui/format';
import { percentDone, type Progress } from '../model';

/** What the server is doing, and how far it is. */
export function ProgressPanel({
  kind,
  progress,
}: {
  kind: 'reading' | 'committing';
  progress: Progress | null;
}) {
  const { t, i18n } = useTranslation('imports');
  const percent = progress === null ? null : percentDone(progress);
  return (
    <Paper withBorder p="xl" py={56}>
      <Stack maw={440} mx="auto" gap="sm" role="status" aria-live="polite">
        <Title order={2} size="h4" ta="center">
          {t(`${kind}.title`)}
        </Title>
        <Text size="sm" c="dimmed" ta="center">
          {t(`${kind}.text`)}
        </Text>
        <Bar
          mt="md"
          size="md"
          value={percent ?? 100}
          animated={percent === null}
          striped={percent === null}
          aria-label={t('progressLabel')}
        />
        <Text size="sm" c="dimmed" ta="center" className="tnum" mih={21}>
          {progress === null
            ? t('phases.waiting')
            : [phaseWord(), rowsWord()].filter((part) => part !== null).join(' · ')}
        </Text>
      </Stack>
    </Paper>
  );

  function phaseWord(): string | null {
    const key = `phases.${progress?.phase ?? ''}`;
    return i18n.exists(`imports:${key}`) ? t(key) : null;
  }

  // The total is not known before a sheet has been read to its end.
  function rowsWord(): string | null {
    if (progress === null || progress.done === 0) return null;
    const done = formatInteger(progress.done, i18n.language);
    return progress.total > 0
      ? t('progress', { done, total: formatInteger(progress.total, i18n.language) })
      : t('progressDone', { done });
  }
}
