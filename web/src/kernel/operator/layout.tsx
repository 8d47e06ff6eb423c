import { Alert, Button, Container, Group, Tabs } from '@mantine/core';
import { IconLifebuoy, IconShieldLock } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { asApiError } from '@/api/errors';
import { Brand } from '@/ui/brand';
import { formatDateTime } from '@/ui/format';
import { AnchorLink } from '@/ui/links';
import { notifyFailed } from '@/ui/notify';
import { EmptyState } from '@/ui/states/empty-state';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { NotFound } from '@/ui/states/not-found';
import { api, operatorQuery, visitsQuery, type Visit } from './queries';

const TABS = ['organizations', 'users', 'programs', 'plans', 'messages'] as const;

/** Frame of the console. To whoever does not run the installation there is nothing here. */
export function OperatorLayout() {
  const { t } = useTranslation('operator');
  const { data, error, refetch } = useQuery(operatorQuery());
  if (error !== null) {
    const refused = asApiError(error);
    if (refused.isNotFound) return <NotFound alone />;
    return (
      <Container component="main" size="sm" py="xl" id="main">
        {refused.code === 'operator.second_factor_required' ? (
          <EmptyState
            icon={IconShieldLock}
            title={t('notHere')}
            order={1}
            action={
              <Button component={Link} to="/second-factor" search={{ next: '/operator' } as never}>
                {t('signIn')}
              </Button>
            }
          >
            {t('notHereText')}
          </EmptyState>
        ) : (
          <ErrorState error={error} onRetry={() => void refetch()} />
        )}
      </Container>
    );
  }
  if (data === undefined) return <LoadingState />;
  return <Console />;
}

function Console() {
  const { t } = useTranslation('operator');
  const navigate = useNavigate();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  return (
    <Container size="lg" py="lg">
      <Group justify="space-between" mb="md" component="header">
        <Brand />
        <AnchorLink to="/" size="sm">
          {t('back')}
        </AnchorLink>
      </Group>
      <Tabs
        component="nav"
        mb="lg"
        value={TABS.find((tab) => path.startsWith(`/operator/${tab}`)) ?? 'organizations'}
        onChange={(tab) => void navigate({ to: `/operator/${tab ?? 'organizations'}` })}
      >
        <Tabs.List aria-label={t('sections')}>
          {TABS.map((tab) => (
            <Tabs.Tab key={tab} value={tab}>
              {t(`${tab}.title`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
      </Tabs>
      <main id="main">
        <OpenVisits />
        <Outlet />
      </main>
    </Container>
  );
}

/** Where the operator is in, so that nobody forgets to leave. */
function OpenVisits() {
  const { t, i18n } = useTranslation('operator');
  const client = useQueryClient();
  const { data } = useQuery(visitsQuery());
  const leave = useMutation({
    mutationFn: (visit: Visit) =>
      reply(
        api.DELETE('/api/v1/operator/organizations/{id}/visits/{visit}', {
          params: { path: { id: visit.organization_id, visit: visit.id } },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ['operator', 'visits'] }),
    onError: notifyFailed,
  });
  return data?.map((visit) => (
    <Alert
      key={visit.id}
      mb="md"
      color="yellow"
      variant="light"
      icon={<IconLifebuoy />}
      title={`${t('visit.open')}: ${visit.organization_name}, ${t('visit.until', { date: formatDateTime(visit.ends_at, i18n.language) })}`}
      data-testid="visit"
    >
      {visit.reason}
      <Group mt="xs" gap="sm">
        <Button
          size="xs"
          onClick={() => {
            // The list of organisations is asked anew there: now it holds this one.
            window.location.assign(`/o/${visit.organization_slug}`);
          }}
        >
          {t('visit.go', { name: visit.organization_name })}
        </Button>
        <Button
          size="xs"
          variant="default"
          loading={leave.isPending}
          onClick={() => {
            leave.mutate(visit);
          }}
        >
          {t('visit.leave', { name: visit.organization_name })}
        </Button>
      </Group>
    </Alert>
  ));
}
