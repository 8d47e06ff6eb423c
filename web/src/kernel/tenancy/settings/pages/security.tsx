import { Card, Stack, Switch, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { asApiError } from '@/api/errors';
import { reply } from '@/api/client';
import { AnchorLink } from '@/ui/links';
import { notifyDone } from '@/ui/notify';
import { PageHeader } from '@/ui/page-header';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { useOrganization } from '../../organization';
import { secondFactorQuery } from '../../queries';
import { RequirePermission } from '../../require-permission';

export function SecurityPage() {
  const { t } = useTranslation('tenancy');
  return (
    <>
      <PageHeader title={t('security.title')} description={t('security.description')} />
      <RequirePermission permission="tenancy.security.update">
        <SecondFactorRule />
      </RequirePermission>
    </>
  );
}

function SecondFactorRule() {
  const { t } = useTranslation('tenancy');
  const { id, api } = useOrganization();
  const queryClient = useQueryClient();
  const { data, error, refetch } = useQuery(secondFactorQuery(id));
  const mutation = useMutation({
    mutationFn: (required: boolean) =>
      reply(api.PUT('/api/v1/tenancy/second-factor', { body: { required } })),
    onSuccess: (rule) => {
      notifyDone(t('security.saved'));
      queryClient.setQueryData(secondFactorQuery(id).queryKey, rule);
    },
  });
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <LoadingState />;
  return (
    <Stack maw={640}>
      {mutation.isError && (
        <>
          <ErrorState error={mutation.error} />
          {asApiError(mutation.error).code === 'tenancy.second_factor_missing' && (
            <AnchorLink to="/account" size="sm">
              {t('security.addOwn')}
            </AnchorLink>
          )}
        </>
      )}
      <Card padding="md">
        <Switch
          label={t('security.require')}
          description={t('security.requireHint')}
          checked={data.required}
          disabled={mutation.isPending}
          onChange={({ currentTarget }) => {
            mutation.mutate(currentTarget.checked);
          }}
        />
      </Card>
      <Text size="sm" c="dimmed">
        {t('security.without', { without: data.members_without, members: data.members })}
      </Text>
    </Stack>
  );
}
