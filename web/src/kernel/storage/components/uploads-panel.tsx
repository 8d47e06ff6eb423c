import { ActionIcon, Button, Group, Paper, Progress, Text } from '@mantine/core';
import { IconRefresh, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { ApiError } from '@/api/errors';
import { formatBytes, formatPercent } from '@/ui/format';
import { lastPart } from '../model';
import type { Upload, UploadQueue } from '../upload-queue';
import classes from './files.module.css';

function useWords(): (error: ApiError) => string {
  const { t, i18n } = useTranslation('files');
  return ({ code, message, hint }) => {
    const known = `errors:${code}`;
    const words = i18n.exists(known) ? t(known) : message;
    return hint === null || words !== message ? words : `${words} ${hint}`;
  };
}

/** What is on its way to the server, and what did not arrive. */
export function UploadsPanel({
  uploads,
  queue,
}: {
  uploads: readonly Upload[];
  queue: UploadQueue;
}) {
  const { t } = useTranslation('files');
  if (uploads.length === 0) return null;
  const count = (wanted: Upload['state']) => uploads.filter(({ state }) => state === wanted).length;
  const failed = count('failed');
  return (
    <Paper withBorder p="md" component="section" aria-label={t('uploads.title')}>
      <Group justify="space-between" gap="sm" mb={4}>
        <Text size="sm" fw={600} role="status">
          {t('uploads.summary', { done: count('done'), all: uploads.length })}
          {failed > 0 && ` · ${t('uploads.failed', { count: failed })}`}
        </Text>
        {count('done') > 0 && (
          <Button size="compact-sm" variant="subtle" onClick={() => queue.tidy()}>
            {t('uploads.tidy')}
          </Button>
        )}
      </Group>
      <ul className={classes.uploads}>
        {uploads.map((upload) => (
          <UploadRow key={upload.id} upload={upload} queue={queue} />
        ))}
      </ul>
    </Paper>
  );
}

function UploadRow({ upload, queue }: { upload: Upload; queue: UploadQueue }) {
  const { t, i18n } = useTranslation('files');
  const wordsOf = useWords();
  const { id, file, path, state, sent, error } = upload;
  const name = lastPart(path);
  const share = state === 'done' ? 100 : file.size === 0 ? 0 : (sent / file.size) * 100;
  const size = formatBytes(file.size, i18n.language);
  const progress = t('uploads.progress', {
    percent: formatPercent(Math.floor(Math.min(share, 100)), i18n.language),
    size,
  });
  return (
    <li data-testid="upload" data-state={state}>
      <Group justify="space-between" gap="xs" wrap="nowrap" align="flex-start">
        <div style={{ minWidth: 0, flex: 1 }}>
          <Text size="sm" className={classes.name}>
            {name}
          </Text>
          {state === 'failed' && error !== null ? (
            <Text size="xs" c="var(--mantine-color-error)" role="alert">
              {wordsOf(error)}
            </Text>
          ) : (
            <Text size="xs" c="dimmed" className="tnum">
              {state === 'sending' ? progress : `${t(`uploads.${state}`)} · ${size}`}
            </Text>
          )}
        </div>
        {state === 'failed' && error?.code === 'KeyAlreadyExists' && (
          <Button size="compact-sm" variant="default" onClick={() => queue.retry(id, true)}>
            {t('uploads.replace')}
          </Button>
        )}
        {state === 'failed' && error?.code !== 'KeyAlreadyExists' && (
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('uploads.retry', { name })}
            onClick={() => queue.retry(id)}
          >
            <IconRefresh size={16} />
          </ActionIcon>
        )}
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={t(
            state === 'done' || state === 'failed' ? 'uploads.dismiss' : 'uploads.cancel',
            { name },
          )}
          onClick={() => queue.drop(id)}
        >
          <IconX size={16} />
        </ActionIcon>
      </Group>
      {state === 'sending' && (
        <Progress.Root size="sm" mt={6}>
          <Progress.Section value={share} aria-label={t('uploads.of', { name })} />
        </Progress.Root>
      )}
    </li>
  );
}
