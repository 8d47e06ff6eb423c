import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { formatBytes } from '@/ui/format';
import { notifyFailed } from '@/ui/notify';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { kindOf, LONGEST_TEXT, type Entry } from '../model';
import { lookQuery, save, textQuery } from '../queries';
import classes from './files.module.css';

/** Shows a file where browsers can show it safely, and offers it for download in each case. */
export function Preview({
  entry,
  path,
  opened,
  onClose,
}: {
  entry: Entry;
  path: string;
  opened: boolean;
  onClose: () => void;
}) {
  const { t, i18n } = useTranslation('files');
  const organization = useOrganization();
  const download = useMutation({
    mutationFn: () => save(organization, path, entry.name),
    onError: notifyFailed,
  });
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      size="xl"
      title={entry.name}
      classNames={{ title: classes.name }}
      closeButtonProps={{ 'aria-label': t('ui:close') }}
    >
      <Stack>
        <Shown entry={entry} path={path} />
        <Group justify="space-between">
          <Text size="sm" c="dimmed">
            {entry.size !== null && formatBytes(entry.size, i18n.language)}
          </Text>
          <Button
            leftSection={<IconDownload size={16} />}
            loading={download.isPending}
            onClick={() => download.mutate()}
          >
            {t('actions.save')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function NotShown() {
  const { t } = useTranslation('files');
  return (
    <Text c="dimmed" size="sm">
      {t('notShown')}
    </Text>
  );
}

function Shown({ entry, path }: { entry: Entry; path: string }) {
  const kind = kindOf(entry);
  if (kind === 'other') return <NotShown />;
  if (kind !== 'text') return <Look entry={entry} path={path} />;
  return (entry.size ?? 0) > LONGEST_TEXT ? <NotShown /> : <Words entry={entry} path={path} />;
}

function Look({ entry, path }: { entry: Entry; path: string }) {
  const organization = useOrganization();
  const { data, error, refetch } = useQuery(lookQuery(organization, path, entry));
  // What cannot be made smaller is shown as it is, and what cannot be shown at all is said to be so.
  const [failed, setFailed] = useState(0);
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <LoadingState />;
  const sources = [data.smaller, data.whole].filter((source) => source !== null);
  const kind = kindOf(entry);
  const onError = () => setFailed(failed + 1);
  if (kind === 'pdf')
    return <iframe src={data.whole} title={entry.name} className={classes.pages} />;
  if (kind === 'image') {
    const source = sources[failed];
    if (source === undefined) return <NotShown />;
    return <img src={source} alt={entry.name} className={classes.shown} onError={onError} />;
  }
  if (failed > 0) return <NotShown />;
  const Player = kind === 'sound' ? 'audio' : 'video';
  return (
    <Player
      src={data.whole}
      controls
      aria-label={entry.name}
      className={classes.shown}
      onError={onError}
    />
  );
}

function Words({ entry, path }: { entry: Entry; path: string }) {
  const organization = useOrganization();
  const { data, error, refetch } = useQuery(textQuery(organization, path, entry));
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <LoadingState />;
  return (
    // It may be longer than the window: the keyboard scrolls it.
    <pre className={classes.text} tabIndex={0} role="group" aria-label={entry.name}>
      {data}
    </pre>
  );
}
