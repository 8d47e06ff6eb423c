import { useQuery } from '@tanstack/react-query';
import { useOrganization } from '@/kernel/tenancy/organization';
import type { Entry } from '../model';
import { folderQuery } from '../queries';

/** The file of this name; if the page that is shown does not have it, it is asked for. */
export function useFileInFront(
  folder: string,
  name: string | null,
  shown: readonly Entry[] | undefined,
): Entry | null {
  const organization = useOrganization();
  const among = (entries: readonly Entry[] | undefined) =>
    entries?.find((entry) => !entry.folder && entry.name === name);
  const here = among(shown);
  const { data } = useQuery({
    ...folderQuery(organization, { folder, page: 1, size: 25, sort: null, begins: name ?? '' }),
    enabled: name !== null && shown !== undefined && here === undefined,
    refetchInterval: false,
  });
  return name === null ? null : (here ?? among(data?.entries) ?? null);
}
