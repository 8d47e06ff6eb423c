import { useMutation, useQueryClient } from '@tanstack/react-query';
import { reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';

interface Upload {
  template: string;
  file: File;
  /** The same for every attempt at the same choice of file, so that a repeated one starts nothing new. */
  idempotencyKey: string;
}

/** Sends a file; the server starts reading it at once. */
export function useUpload() {
  const { id, api } = useOrganization();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ template, file, idempotencyKey }: Upload) =>
      reply(
        api.POST('/api/v1/imports', {
          params: { query: { template, filename: file.name } },
          body: file as never,
          bodySerializer: (body) => body,
          headers: {
            'Content-Type': 'application/octet-stream',
            'Idempotency-Key': idempotencyKey,
          },
        }),
      ),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: [id, 'imports', 'list'] }),
  });
}
