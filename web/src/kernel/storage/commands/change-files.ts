import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/errors';
import { useOrganization, type CurrentOrganization } from '@/kernel/tenancy/organization';
import { notifyDone } from '@/ui/notify';
import { join, PLACEHOLDER } from '../model';
import { filesOf } from '../queries';
import { taken } from '../refusals';

/** A file or a folder with all that is in it; paths are below the organisation. */
export interface Named {
  path: string;
  folder: boolean;
}

/** Names asked for at once, and moved at the same time. */
const MANY = 500;
const AT_ONCE = 5;

/** Some of the files in a folder and the folders in it; none at the end. */
async function someBelow(organization: CurrentOrganization, folder: string): Promise<string[]> {
  const prefix = `${join(organization.id, folder)}/`;
  const { objects } = await taken(filesOf(organization).listV2({ prefix, limit: MANY }));
  return objects.map(({ name }) => name);
}

async function removeThese(organization: CurrentOrganization, names: string[]): Promise<void> {
  const removed = await taken(filesOf(organization).remove(names));
  // What may not be removed is left out of the answer.
  if (removed.length === 0) throw new ApiError(404, 'NoSuchKey', 'Nothing was removed.');
}

async function remove(organization: CurrentOrganization, { path, folder }: Named): Promise<void> {
  if (!folder) {
    await removeThese(organization, [join(organization.id, path)]);
    return;
  }
  for (;;) {
    const names = await someBelow(organization, path);
    if (names.length === 0) return;
    await removeThese(organization, names);
  }
}

/** A folder is moved file by file: if that breaks off, what is left is where it was, and moving again takes it along. */
async function move(
  organization: CurrentOrganization,
  { path, folder }: Named,
  to: string,
): Promise<void> {
  const [from, target] = [join(organization.id, path), join(organization.id, to)];
  const files = filesOf(organization);
  if (!folder) {
    await taken(files.move(from, target));
    return;
  }
  for (;;) {
    const names = await someBelow(organization, path);
    if (names.length === 0) return;
    for (let start = 0; start < names.length; start += AT_ONCE) {
      const now = names.slice(start, start + AT_ONCE);
      await Promise.all(
        now.map((name) => taken(files.move(name, target + name.slice(from.length)))),
      );
    }
  }
}

/** Makes folders, moves, renames and removes. */
export function useFileChanges(onDone: () => void) {
  const { t } = useTranslation('files');
  const organization = useOrganization();
  const queryClient = useQueryClient();
  const refresh = () => queryClient.invalidateQueries({ queryKey: [organization.id, 'files'] });
  // Also after a failure: some of a folder may have been moved or removed.
  const onSettled = refresh;
  const done = (words: string) => () => {
    onDone();
    notifyDone(words);
  };
  return {
    makeFolder: useMutation({
      mutationFn: (path: string) =>
        taken(
          filesOf(organization).upload(
            join(organization.id, path, PLACEHOLDER),
            new Blob([], { type: 'application/octet-stream' }),
          ),
        ),
      onSuccess: done(t('folderMade')),
      onSettled,
    }),
    move: useMutation({
      mutationFn: ({ what, to }: { what: Named; to: string }) => move(organization, what, to),
      onSuccess: done(t('moved')),
      onSettled,
    }),
    remove: useMutation({
      mutationFn: (what: Named) => remove(organization, what),
      onSuccess: done(t('removed')),
      onSettled,
    }),
  };
}
