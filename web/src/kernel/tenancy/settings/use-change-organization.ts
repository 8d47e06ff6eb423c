import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useRouterState } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import type { paths } from '@/api/generated/schema';
import { notifyDone } from '@/ui/notify';
import { useOrganization } from '../organization';
import { organizationSessionQuery, organizationsQuery, settingsQuery } from '../queries';

type Changes =
  paths['/api/v1/tenancy/organization']['patch']['requestBody']['content']['application/json'];

/** Changes settings of the organisation, and shows them wherever they are seen. */
export function useChangeOrganization() {
  const { t } = useTranslation('tenancy');
  const { id, slug, api } = useOrganization();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  return useMutation({
    mutationFn: (body: Changes) => reply(api.PATCH('/api/v1/tenancy/organization', { body })),
    onSuccess: async (settings) => {
      notifyDone(t('saved'));
      queryClient.setQueryData(settingsQuery(id).queryKey, settings);
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: organizationsQuery().queryKey }),
        queryClient.invalidateQueries({ queryKey: organizationSessionQuery(id).queryKey }),
      ]);
      if (settings.slug !== slug) {
        await navigate({
          to: path.replace(`/o/${slug}/`, `/o/${settings.slug}/`),
          replace: true,
        });
      }
    },
  });
}
