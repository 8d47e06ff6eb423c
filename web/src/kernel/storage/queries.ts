import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { CurrentOrganization } from '@/kernel/tenancy/organization';
import type { Sort } from '@/ui/table/table-state';
import { BUCKET, entriesOf, isScalable, join, type Entry } from './model';
import { refusedWith, taken } from './refusals';

type Organization = Pick<CurrentOrganization, 'id' | 'tables'>;

export const filesOf = ({ tables }: Organization) => tables.storage.from(BUCKET);

export interface FolderWanted {
  /** Below the organisation. */
  folder: string;
  page: number;
  size: number;
  sort: Sort | null;
  /** How names begin; empty for all. */
  begins?: string;
}

/** What others change is seen this soon without a new look. */
const LOOK_AGAIN_MS = 30_000;

/** One page of a folder, and whether another one follows. */
export const folderQuery = (organization: Organization, wanted: FolderWanted) =>
  queryOptions({
    queryKey: [organization.id, 'files', wanted],
    queryFn: async () => {
      const { folder, page, size, sort, begins = '' } = wanted;
      const listed = await taken(
        filesOf(organization).list(join(organization.id, folder), {
          limit: size + 1,
          offset: (page - 1) * size,
          // The server would look into other folders.
          search: begins.replaceAll('/', ''),
          sortBy: {
            column: sort?.column ?? 'name',
            order: sort?.descending === true ? 'desc' : 'asc',
          },
        }),
      );
      return { entries: entriesOf(listed.slice(0, size)), more: listed.length > size };
    },
    placeholderData: keepPreviousData,
    refetchInterval: LOOK_AGAIN_MS,
  });

/** An address that is good for everybody who has it. */
export async function signed(
  organization: Organization,
  path: string,
  seconds: number,
  options: { download?: string; transform?: { width: number; height: number } } = {},
): Promise<string> {
  const { download, transform } = options;
  const { signedUrl } = await taken(
    filesOf(organization).createSignedUrl(join(organization.id, path), seconds, {
      ...(download === undefined ? {} : { download }),
      ...(transform === undefined ? {} : { transform: { ...transform, resize: 'contain' } }),
    }),
  );
  return signedUrl;
}

/** As long as somebody looks at a file. */
const LOOK_SECONDS = 3600;

/** Where a file can be looked at, and a smaller picture of it, if it is a picture. */
export const lookQuery = (organization: Organization, path: string, entry: Entry) =>
  queryOptions({
    queryKey: [organization.id, 'look', path, entry.changed],
    queryFn: async () => {
      const [whole, smaller] = await Promise.all([
        signed(organization, path, LOOK_SECONDS),
        isScalable(entry)
          ? signed(organization, path, LOOK_SECONDS, { transform: { width: 1600, height: 1200 } })
          : null,
      ]);
      return { whole, smaller };
    },
    staleTime: (LOOK_SECONDS / 2) * 1000,
    gcTime: 0,
  });

/** What stands in a text. */
export const textQuery = (organization: Organization, path: string, entry: Entry) =>
  queryOptions({
    queryKey: [organization.id, 'text', path, entry.changed],
    queryFn: async () => {
      const answer = await fetch(await signed(organization, path, 60));
      const text = await answer.text();
      if (!answer.ok) throw refusedWith(answer.status, text);
      return text;
    },
    gcTime: 0,
  });

/** Has the browser save a file. */
export async function save(organization: Organization, path: string, name: string): Promise<void> {
  const link = document.createElement('a');
  link.href = await signed(organization, path, 60, { download: name });
  link.click();
}
