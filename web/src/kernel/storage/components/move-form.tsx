import { Group, NavLink, Stack, Text } from '@mantine/core';
import { IconFolder } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { FormButtons } from '@/ui/dialog-form';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { useFileChanges } from '../commands/change-files';
import { isWithin, join, type Entry } from '../model';
import { folderQuery } from '../queries';
import classes from './files.module.css';
import { FolderPager } from './folder-pager';
import { WayBar } from './way-bar';

/** Chooses a folder by going there, and moves a file or folder into it. */
export function MoveForm({
  prefix,
  folder,
  entry,
  start,
  onDone,
}: {
  prefix: string;
  folder: string;
  entry: Entry;
  start: string;
  onDone: () => void;
}) {
  const { t } = useTranslation('files');
  const organization = useOrganization();
  const [target, setTarget] = useState(folder);
  const [page, setPage] = useState(1);
  const { move } = useFileChanges(onDone);
  const { data, error, refetch } = useQuery(
    folderQuery(organization, { folder: join(prefix, target), page, size: 100, sort: null }),
  );
  const open = (next: string) => {
    setTarget(next);
    setPage(1);
  };
  const path = join(folder, entry.name);
  const inside = entry.folder && isWithin(target, path);
  const folders = (data?.entries ?? []).filter((one) => one.folder);
  return (
    <Stack>
      {move.isError && <ErrorState error={move.error} />}
      <WayBar folder={target} start={start} label={t('wayThere')} onOpen={open} />
      {error !== null && <ErrorState error={error} onRetry={() => void refetch()} />}
      {error === null && data === undefined && <LoadingState height={80} />}
      {data !== undefined && folders.length === 0 && (
        <Text size="sm" c="dimmed">
          {t('noFolders')}
        </Text>
      )}
      {folders.length > 0 && (
        <ul className={classes.folders}>
          {folders.map(({ name }) => (
            <li key={name}>
              <NavLink
                component="button"
                type="button"
                label={name}
                disabled={entry.folder && join(target, name) === path}
                leftSection={<IconFolder size={18} stroke={1.5} aria-hidden />}
                onClick={() => open(join(target, name))}
              />
            </li>
          ))}
        </ul>
      )}
      <FolderPager page={page} more={data?.more ?? false} setPage={setPage} />
      <Group justify="flex-end">
        <FormButtons
          submit={t('moveHere')}
          pending={move.isPending}
          disabled={target === folder || inside}
          onSubmit={() =>
            move.mutate({
              what: { path: join(prefix, path), folder: entry.folder },
              to: join(prefix, target, entry.name),
            })
          }
          onCancel={onDone}
        />
      </Group>
    </Stack>
  );
}
