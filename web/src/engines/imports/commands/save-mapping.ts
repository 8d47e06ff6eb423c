import { useMutation, useQueryClient } from '@tanstack/react-query';
import { reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import type { SheetMapping } from '../model';
import { importQuery } from '../queries';

/** Sends the matching; the server checks every row again and remembers it for the organisation. */
export function useSaveMapping(importId: string) {
  const organization = useOrganization();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (sheets: SheetMapping[]) =>
      reply(
        organization.api.PUT('/api/v1/imports/{id}/mapping', {
          params: { path: { id: importId } },
          body: { sheets },
        }),
      ),
    onSuccess: (run) => {
      queryClient.setQueryData(importQuery(organization, importId).queryKey, run);
    },
  });
}
