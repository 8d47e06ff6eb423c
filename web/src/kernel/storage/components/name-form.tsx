import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { DialogForm } from '@/ui/dialog-form';
import { useFileChanges } from '../commands/change-files';
import { join, problemOf, type Entry } from '../model';

/** Names a new folder, or gives another name to what is there. */
export function NameForm({
  parent,
  entry,
  onDone,
}: {
  /** Below the organisation. */
  parent: string;
  /** None for a new folder. */
  entry: Entry | null;
  onDone: () => void;
}) {
  const { t } = useTranslation('files');
  const { makeFolder, move } = useFileChanges(onDone);
  const [name, setName] = useState(entry?.name ?? '');
  const wanted = name.trim().normalize('NFC');
  const problem = problemOf(wanted, parent);
  const { error, isPending } = entry === null ? makeFolder : move;
  return (
    <DialogForm
      ok={problem === null}
      error={error}
      pending={isPending}
      submit={entry === null ? t('make') : t('actions.rename')}
      onSubmit={() => {
        const to = join(parent, wanted);
        if (entry === null) makeFolder.mutate(to);
        else if (wanted === entry.name) onDone();
        else {
          move.mutate({ what: { path: join(parent, entry.name), folder: entry.folder }, to });
        }
      }}
      onCancel={onDone}
    >
      {(tried) => (
        <TextInput
          data-autofocus
          label={t('name')}
          value={name}
          error={
            problem !== null && (tried || problem !== 'empty') ? t(`problems.${problem}`) : null
          }
          onChange={(event) => setName(event.currentTarget.value)}
        />
      )}
    </DialogForm>
  );
}
