import { ActionIcon, Button, Group, Paper, Progress, Text } from '@mantine/core';
import { IconRefresh, IconX } from '@tabler/icons-react';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import type { ApiError } from '@/api/errors';
import { formatBytes, formatProgress } from '@/ui/format';
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

const isTaken = ({ code }: ApiError) => code === 'KeyAlreadyExists';

/** Of thousands that were dropped together, those that nobody would scroll to are only counted. */
const SHOWN = 20;
const FIRST: Record<Upload['state'], number> = { failed: 0, sending: 1, waiting: 2, done: 3 };

/** What is on its way to the server, and what did not arrive. What arrived is in the list below. */
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
  const open = uploads
    .filter(({ state }) => state !== 'done')
    .sort((a, b) => FIRST[a.state] - FIRST[b.state]);
  const failedFor = (isMeant: (error: ApiError) => boolean) =>
    open.filter(({ state, error }) => state === 'failed' && error !== null && isMeant(error));
  return (
    <Paper withBorder p="md" component="section" aria-label={t('uploads.title')}>
      <Group justify="space-between" gap="sm" mb={4}>
        <Text size="sm" fw={600} role="status">
          {t('uploads.summary', { done: count('done'), all: uploads.length })}
          {failed > 0 && ` · ${t('uploads.failed', { count: failed })}`}
        </Text>
        <Group gap="xs">
          {failedFor((error) => !isTaken(error)).length > 1 && (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => queue.retryAll((error) => !isTaken(error))}
            >
              {t('uploads.retryAll')}
            </Button>
          )}
          {failedFor(isTaken).length > 1 && (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => queue.retryAll(isTaken, true)}
            >
              {t('uploads.replaceAll')}
            </Button>
          )}
          {count('done') > 0 && (
            <Button size="compact-sm" variant="subtle" onClick={() => queue.tidy()}>
              {t('uploads.tidy')}
            </Button>
          )}
        </Group>
      </Group>
      {open.length > 0 && (
        <ul className={classes.uploads}>
          {open.slice(0, SHOWN).map((upload) => (
            <UploadRow key={upload.id} upload={upload} queue={queue} />
          ))}
        </ul>
      )}
      {open.length > SHOWN && (
        <Text size="xs" c="dimmed">
          {t('uploads.more', { count: open.length - SHOWN })}
        </Text>
      )}
    </Paper>
  );
}

const UploadRow = memo(function UploadRow({
  upload,
  queue,
}: {
  upload: Upload;
  queue: UploadQueue;
}) {
  const { t, i18n } = useTranslation('files');
  const wordsOf = useWords();
  const { id, file, path, state, sent, interrupted, error } = upload;
  const name = lastPart(path);
  const share = file.size === 0 ? 0 : sent / file.size;
  const size = formatBytes(file.size, i18n.language);
  const progress = t('uploads.progress', {
    percent: formatProgress(share, i18n.language),
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
              {state === 'sending' ? progress : `${t('uploads.waiting')} · ${size}`}
              {state === 'sending' && interrupted && ` · ${t('uploads.interrupted')}`}
            </Text>
          )}
        </div>
        {state === 'failed' && error !== null && isTaken(error) && (
          <Button size="compact-sm" variant="default" onClick={() => queue.retry(id, true)}>
            {t('uploads.replace')}
          </Button>
        )}
        {state === 'failed' && error !== null && !isTaken(error) && (
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
          aria-label={t(state === 'failed' ? 'uploads.dismiss' : 'uploads.cancel', { name })}
          onClick={() => queue.drop(id)}
        >
          <IconX size={16} />
        </ActionIcon>
      </Group>
      {state === 'sending' && (
        <Progress.Root size="sm" mt={6}>
          <Progress.Section value={share * 100} aria-label={t('uploads.of', { name })} />
        </Progress.Root>
      )}
    </li>
  );
});
