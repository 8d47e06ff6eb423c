import { Card, Stack, Switch } from '@mantine/core';
import { IconApps } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useModules } from '@/kernel/module';
import { notifyDone } from '@/ui/notify';
import { PageHeader } from '@/ui/page-header';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { useOrganization } from '../../organization';
import { organizationSessionQuery, settingsQuery } from '../../queries';
import { RequirePermission } from '../../require-permission';

export function AppsPage() {
  const { t } = useTranslation('tenancy');
  return (
    <>
      <PageHeader title={t('apps.title')} description={t('apps.description')} />
      <RequirePermission permission="tenancy.apps.update">
        <AppList />
      </RequirePermission>
    </>
  );
}

function AppList() {
  const { t } = useTranslation('tenancy');
  const { id, api } = useOrganization();
  const modules = useModules();
  const queryClient = useQueryClient();
  const { data, error, refetch } = useQuery(settingsQuery(id));
  const mutation = useMutation({
    mutationFn: (disabled: string[]) =>
      reply(api.PUT('/api/v1/tenancy/organization/apps', { body: { disabled } })),
    onSuccess: async () => {
      notifyDone(t('saved'));
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: settingsQuery(id).queryKey }),
        queryClient.invalidateQueries({ queryKey: organizationSessionQuery(id).queryKey }),
      ]);
    },
  });
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <LoadingState />;
  if (data.apps.length === 0) return <EmptyState icon={IconApps} title={t('apps.none')} />;
  return (
    <Stack maw={640}>
      {mutation.isError && <ErrorState error={mutation.error} />}
      {data.apps.map(({ name, title, enabled }) => {
        const known = modules.find((module) => module.name === name);
        return (
          <Card key={name} padding="md">
            <Switch
              label={known === undefined ? title : t(`${known.name}:${known.titleKey}`)}
              description={t(enabled ? 'apps.on' : 'apps.off')}
              checked={enabled}
              disabled={mutation.isPending}
              onChange={({ currentTarget }) => {
                const others = data.apps.filter((app) => app.name !== name && !app.enabled);
                mutation.mutate([
                  ...others.map((app) => app.name),
                  ...(currentTarget.checked ? [] : [name]),
                ]);
              }}
            />
          </Card>
        );
      })}
    </Stack>
  );
}
