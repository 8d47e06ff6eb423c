import { ActionIcon, Button, FileButton, Group, Paper, Text } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { formatBytes } from '@/ui/format';
import { lastPart } from '../model';
import { unfinishedIn } from '../unfinished';
import type { Upload, UploadQueue } from '../upload-queue';
import classes from './files.module.css';

/** Large uploads that ended with an earlier window; they go on when their file is chosen again. */
export function UnfinishedUploads({
  prefix,
  uploads,
  queue,
}: {
  prefix: string;
  uploads: readonly Upload[];
  queue: UploadQueue;
}) {
  const { t, i18n } = useTranslation('files');
  const { id } = useOrganization();
  const [now] = useState(() => Date.now());
  const [, look] = useState(0);
  const going = new Set(uploads.map(({ path }) => path));
  const unfinished = unfinishedIn(localStorage, id, prefix, now).filter(
    ({ path }) => !going.has(path),
  );
  if (unfinished.length === 0) return null;
  return (
    <Paper withBorder p="md" component="section" aria-label={t('unfinished.title')}>
      <Text size="sm" fw={600} mb={4}>
        {t('unfinished.title')}
      </Text>
      <Text size="xs" c="dimmed">
        {t('unfinished.text')}
      </Text>
      <ul className={classes.uploads}>
        {unfinished.map(({ key, path, size }) => (
          <li key={key}>
            <Group justify="space-between" gap="xs" wrap="nowrap">
              <div style={{ minWidth: 0, flex: 1 }}>
                <Text size="sm" className={classes.name}>
                  {lastPart(path)}
                </Text>
                <Text size="xs" c="dimmed" className="tnum">
                  {formatBytes(size, i18n.language)}
                </Text>
              </div>
              <FileButton onChange={(file) => file !== null && queue.add([{ file, path }])}>
                {(props) => (
                  <Button
                    {...props}
                    size="compact-sm"
                    variant="default"
                    aria-label={t('unfinished.chooseFor', { name: lastPart(path) })}
                  >
                    {t('unfinished.choose')}
                  </Button>
                )}
              </FileButton>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t('unfinished.forget', { name: lastPart(path) })}
                onClick={() => {
                  localStorage.removeItem(key);
                  look((count) => count + 1);
                }}
              >
                <IconX size={16} />
              </ActionIcon>
            </Group>
          </li>
        ))}
      </ul>
    </Paper>
  );
}
