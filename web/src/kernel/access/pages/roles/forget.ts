import { useQueryClient } from '@tanstack/react-query';
import { useOrganization } from '@/kernel/tenancy/organization';

/** Queries about access are asked anew after a change. */
export function useForgetAccess() {
  const { id } = useOrganization();
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: [id, 'access'] }),
      client.invalidateQueries({ queryKey: [id, 'session'] }),
    ]);
}
