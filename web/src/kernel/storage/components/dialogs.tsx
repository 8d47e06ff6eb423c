import { useTranslation } from 'react-i18next';
import { Dialog } from '@/ui/dialog';
import { Confirm } from '@/ui/dialog-form';
import { useLast } from '@/ui/use-last';
import { useFileChanges } from '../commands/change-files';
import { isolated, join, type Entry } from '../model';
import { MoveForm } from './move-form';
import { NameForm } from './name-form';
import { Preview } from './preview';
import { ShareForm } from './share-form';

export type Asked =
  { what: 'folder' } | { what: 'look' | 'share' | 'rename' | 'move' | 'remove'; entry: Entry };

interface Place {
  prefix: string;
  /** Below the prefix. */
  folder: string;
  /** What the outermost folder is called. */
  start: string;
}

/** What is asked or shown about one file or folder, in front of the list. */
export function FileDialogs({
  asked,
  onClose,
  ...place
}: Place & { asked: Asked | null; onClose: () => void }) {
  const { t } = useTranslation('files');
  const last = useLast(asked);
  if (last === null) return null;
  const here = join(place.prefix, place.folder);
  if (last.what === 'look') {
    return (
      <Preview
        key={last.entry.name}
        entry={last.entry}
        path={join(here, last.entry.name)}
        opened={asked !== null}
        onClose={onClose}
      />
    );
  }
  const title =
    last.what === 'folder'
      ? t('newFolder')
      : t(`titles.${last.what}`, { name: isolated(last.entry.name) });
  return (
    <Dialog opened={asked !== null} onClose={onClose} title={title}>
      {asked !== null && asked.what !== 'look' && (
        <Question asked={asked} here={here} place={place} onDone={onClose} />
      )}
    </Dialog>
  );
}

function Question({
  asked,
  here,
  place,
  onDone,
}: {
  asked: Asked;
  here: string;
  place: Place;
  onDone: () => void;
}) {
  switch (asked.what) {
    case 'folder':
      return <NameForm parent={here} entry={null} onDone={onDone} />;
    case 'rename':
      return <NameForm parent={here} entry={asked.entry} onDone={onDone} />;
    case 'move':
      return <MoveForm {...place} entry={asked.entry} onDone={onDone} />;
    case 'share':
      return <ShareForm path={join(here, asked.entry.name)} />;
    default:
      return <RemoveForm here={here} entry={asked.entry} onDone={onDone} />;
  }
}

function RemoveForm({ here, entry, onDone }: { here: string; entry: Entry; onDone: () => void }) {
  const { t } = useTranslation('files');
  const { remove } = useFileChanges(onDone);
  return (
    <Confirm
      text={entry.folder ? t('removeFolderText') : t('removeFileText')}
      error={remove.error}
      pending={remove.isPending}
      submit={t('actions.remove')}
      focus="cancel"
      onSubmit={() => remove.mutate({ path: join(here, entry.name), folder: entry.folder })}
      onCancel={onDone}
    />
  );
}
