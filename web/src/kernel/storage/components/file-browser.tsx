import { Alert, Anchor, Button, Group, Stack, Text } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { IconFolderPlus, IconFolders, IconUpload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { RequirePermission } from '@/kernel/tenancy/require-permission';
import { formatBytes } from '@/ui/format';
import { notifyFailed } from '@/ui/notify';
import { EmptyState } from '@/ui/states/empty-state';
import { DataTable, type Column } from '@/ui/table/data-table';
import { NoMatch } from '@/ui/table/no-match';
import { SearchField } from '@/ui/table/search-field';
import { DateTimeText } from '@/ui/values';
import { join, relativePath, type Entry } from '../model';
import { folderQuery, save } from '../queries';
import { useUploadQueue } from '../use-uploads';
import type { FilesView } from '../view';
import { FileDialogs, type Asked } from './dialogs';
import { EntryIcon } from './entry-icon';
import { EntryMenu, type Action } from './entry-menu';
import { useFileInFront } from './use-file-in-front';
import { useFocus } from './use-focus';
import classes from './files.module.css';
import { FolderPager } from './folder-pager';
import { SortSelect } from './sort-select';
import { Uploads } from './uploads';
import { WayBar } from './way-bar';

interface Props {
  /** The folder it shows and never leaves, below the organisation; empty for all files. */
  prefix: string;
  /** What that folder is called. */
  start: string;
  view: FilesView;
}

/** The files of one folder and of those below it: upload, look, share, rename, move, delete. */
export function FileBrowser(props: Props) {
  return (
    <RequirePermission permission="storage.objects.read">
      <Folder {...props} />
    </RequirePermission>
  );
}

function Folder({ prefix, start, view }: Props) {
  const { t } = useTranslation('files');
  const organization = useOrganization();
  const { folder, page, size, sort, query, setPage, setSort, setQuery, open, look } = view;
  const here = join(prefix, folder);
  const mayWrite = organization.can('storage.objects.write');
  const { data, error, refetch, isPlaceholderData } = useQuery(
    folderQuery(organization, { folder: here, page, size, sort, begins: query }),
  );
  const more = data?.more ?? false;
  const isLong = query !== '' || page > 1 || more;
  const isEmpty = data?.entries.length === 0 && !isPlaceholderData;
  // The last one of the page was moved or deleted, or the address is old.
  useEffect(() => {
    if (isEmpty && page > 1) setPage(1);
  }, [isEmpty, page, setPage]);
  const queue = useUploadQueue();
  const [asked, setAsked] = useState<Asked | null>(null);
  const { root, remember, goBack } = useFocus(data);
  const file = useFileInFront(here, view.file, data?.entries);
  const inFront = useMemo(
    (): Asked | null => asked ?? (file === null ? null : { what: 'look', entry: file }),
    [asked, file],
  );
  const ask = (what: Asked) => {
    remember();
    setAsked(what);
  };
  const choose = useRef<() => void>(null);
  const upload = (files: File[]) => {
    queue.add(files.map((file) => ({ file, path: join(here, relativePath(file)) })));
  };
  const columns = useColumns({
    onOpen: (entry) => {
      if (entry.folder) open(join(folder, entry.name));
      else {
        remember();
        look(entry.name);
      }
    },
    onAct: (action, entry) => {
      if (action === 'save') {
        save(organization, join(here, entry.name), entry.name).catch(notifyFailed);
      } else if (action === 'look') {
        remember();
        look(entry.name);
      } else ask({ what: action, entry });
    },
  });
  return (
    <Stack gap="sm" ref={root}>
      <Group justify="space-between" gap="sm">
        <WayBar folder={folder} start={start} quiet={prefix !== ''} onOpen={open} />
        {mayWrite && (
          <Group gap="xs">
            <Button
              variant="default"
              leftSection={<IconFolderPlus size={16} />}
              onClick={() => ask({ what: 'folder' })}
            >
              {t('newFolder')}
            </Button>
            <Button leftSection={<IconUpload size={16} />} onClick={() => choose.current?.()}>
              {t('upload')}
            </Button>
          </Group>
        )}
      </Group>
      <Uploads prefix={prefix} mayWrite={mayWrite} />
      {isLong && <SearchField label={t('find')} value={query} onChange={setQuery} />}
      {(isLong || (data?.entries.length ?? 0) > 1) && <SortSelect sort={sort} setSort={setSort} />}
      {error !== null && data !== undefined && (
        <Alert color="yellow" variant="light" role="status">
          {t('old')}
        </Alert>
      )}
      <DropArea enabled={mayWrite} openRef={choose} onDrop={upload}>
        <DataTable
          caption={t('caption', { folder: folder === '' ? start : folder })}
          columns={columns}
          rows={data?.entries}
          total={undefined}
          rowKey={({ name, folder: isFolder }) => `${String(isFolder)} ${name}`}
          state={{ page, size, setPage, sort, setSort }}
          error={data === undefined ? error : null}
          onRetry={() => void refetch()}
          stale={isPlaceholderData}
          minWidth={0}
          empty={
            query === '' ? (
              <EmptyState icon={IconFolders} title={t('empty')}>
                {mayWrite ? t('emptyText') : t('emptyTextToRead')}
              </EmptyState>
            ) : (
              <NoMatch onReset={() => setQuery('')} />
            )
          }
        />
      </DropArea>
      <FolderPager page={page} more={more} setPage={setPage} />
      <FileDialogs
        prefix={prefix}
        folder={folder}
        start={start}
        asked={inFront}
        onClose={() => {
          setAsked(null);
          if (view.file !== null) look(null);
          goBack();
        }}
      />
    </Stack>
  );
}

function useColumns({
  onOpen,
  onAct,
}: {
  onOpen: (entry: Entry) => void;
  onAct: (action: Action, entry: Entry) => void;
}): Column<Entry>[] {
  const { t, i18n } = useTranslation('files');
  const sizeOf = ({ size }: Entry) => (size === null ? '' : formatBytes(size, i18n.language));
  return [
    {
      key: 'name',
      header: t('name'),
      sortable: true,
      render: (entry) => (
        <Group gap="sm" wrap="nowrap">
          <EntryIcon entry={entry} />
          <div>
            <Anchor
              component="button"
              type="button"
              size="sm"
              fw={550}
              c="var(--mantine-color-text)"
              className={classes.name}
              onClick={() => onOpen(entry)}
            >
              {entry.name}
            </Anchor>
            {!entry.folder && (
              <Text size="xs" c="dimmed" hiddenFrom="md">
                {sizeOf(entry)} · <DateTimeText value={entry.changed} />
              </Text>
            )}
          </div>
        </Group>
      ),
    },
    {
      key: 'size',
      header: t('size'),
      align: 'right',
      optional: true,
      nowrap: true,
      render: (entry) => <span className="tnum">{sizeOf(entry)}</span>,
    },
    {
      key: 'updated_at',
      header: t('changed'),
      sortable: true,
      optional: true,
      nowrap: true,
      render: (entry) => (entry.folder ? null : <DateTimeText value={entry.changed} />),
    },
    {
      key: 'actions',
      header: t('actions.title'),
      align: 'right',
      render: (entry) => <EntryMenu entry={entry} onAct={(action) => onAct(action, entry)} />,
    },
  ];
}

/** Takes what is dropped on it. The button beside it is the way for everybody who does not drag. */
function DropArea({
  enabled,
  openRef,
  onDrop,
  children,
}: {
  enabled: boolean;
  openRef: React.Ref<() => void>;
  onDrop: (files: File[]) => void;
  children: ReactNode;
}) {
  const { t } = useTranslation('files');
  if (!enabled) return children;
  return (
    <Dropzone
      onDrop={onDrop}
      openRef={openRef}
      activateOnClick={false}
      activateOnKeyboard={false}
      enablePointerEvents
      className={classes.drop}
      // The button is the way in that is spoken of.
      inputProps={{ 'aria-hidden': true, tabIndex: -1 }}
    >
      {children}
      <div className={classes.over} aria-hidden>
        {t('drop')}
      </div>
    </Dropzone>
  );
}
