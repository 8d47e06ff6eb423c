import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { notifyDone } from '@/ui/notify';
import { useOrganization } from '../organization';

/** Adds, renames and removes departments; members and invitations show their new names. */
export function useDepartmentChanges(onDone: () => void) {
  const { t } = useTranslation('tenancy');
  const { id: organization, api } = useOrganization();
  const queryClient = useQueryClient();
  const onSuccess = async () => {
    onDone();
    notifyDone(t('saved'));
    await queryClient.invalidateQueries({
      predicate: ({ queryKey: [of, what] }) =>
        of === organization &&
        ['departments', 'members', 'open-invitations', 'organization'].includes(String(what)),
    });
  };
  const add = useMutation({
    mutationFn: (name: string) =>
      reply(api.POST('/api/v1/tenancy/departments', { body: { name } })),
    onSuccess,
  });
  const rename = useMutation({
    mutationFn: ({ id, name }: { id: string; name: string }) =>
      reply(
        api.PATCH('/api/v1/tenancy/departments/{id}', { params: { path: { id } }, body: { name } }),
      ),
    onSuccess,
  });
  const remove = useMutation({
    mutationFn: (id: string) =>
      reply(api.DELETE('/api/v1/tenancy/departments/{id}', { params: { path: { id } } })),
    onSuccess,
  });
  return { add, rename, remove };
}
