import { Alert, Anchor, Avatar, Button, Group, Paper, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { asApiError } from '@/api/errors';
import { ButtonLink } from '@/ui/links';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { AuthLayout } from '../auth-layout';
import { signOut } from '../session';
import { decide, release, requestQuery, type Request } from './api';
import { Granted } from './granted';

const FAULTS = ['client', 'redirect', 'request', 'server'] as const;

/** A program asks the person for leave to know who they are. */
export function ConsentPage() {
  const { t } = useTranslation('issuer');
  const { authorization_id: id, fault } = useSearch({ from: '/oauth/consent' });
  if (id === undefined) {
    const known = FAULTS.find((name) => name === fault);
    return <Nothing text={known === undefined ? t('fault.missing') : t(`fault.${known}`)} />;
  }
  return <Asked key={id} id={id} />;
}

function Nothing({ text }: { text: string }) {
  const { t } = useTranslation('issuer');
  return (
    <AuthLayout title={t('fault.title')} description={text}>
      <Stack>
        <Text size="sm">{t('fault.todo')}</Text>
        <ButtonLink to="/" variant="default">
          {t('consent.home')}
        </ButtonLink>
      </Stack>
    </AuthLayout>
  );
}

function Asked({ id }: { id: string }) {
  const { t } = useTranslation('issuer');
  const request = useQuery(requestQuery(id));
  if (request.isPending) {
    return (
      <AuthLayout title={t('consent.loading')}>
        <LoadingState height={160} />
      </AuthLayout>
    );
  }
  if (request.isError) {
    const error = asApiError(request.error);
    if (error.isNotFound) return <Nothing text={t('fault.missing')} />;
    return (
      <AuthLayout title={t('consent.loading')}>
        {error.code === 'reauthentication_needed' ? (
          <SignInAgain />
        ) : (
          <ErrorState error={error} onRetry={() => void request.refetch()} />
        )}
      </AuthLayout>
    );
  }
  return 'redirect_url' in request.data ? (
    <GoOn address={request.data.redirect_url} program={t('consent.aProgram')} />
  ) : (
    <Question request={request.data} />
  );
}

/** Signs out and comes back here as whoever signs in next. */
function useSignInAgain() {
  const router = useRouter();
  return useMutation({
    mutationFn: async (before?: () => Promise<void>) => {
      const next = router.latestLocation.href;
      await before?.();
      await signOut();
      await router.navigate({ to: '/sign-in', search: { next } });
    },
  });
}

function SignInAgain() {
  const { t } = useTranslation('issuer');
  const again = useSignInAgain();
  return (
    <Stack>
      <Text>{t('consent.againText', { program: t('consent.aProgram') })}</Text>
      {again.isError && <ErrorState error={again.error} />}
      <Button
        loading={again.isPending}
        onClick={() => {
          again.mutate(undefined);
        }}
      >
        {t('consent.again')}
      </Button>
    </Stack>
  );
}

/** Leaves for the program; one that is installed answers without the page being left. */
function GoOn({ address, program }: { address: string; program: string }) {
  const { t } = useTranslation('issuer');
  useEffect(() => {
    window.location.assign(address);
  }, [address]);
  return (
    <AuthLayout title={t('consent.leaving', { program })} description={t('consent.leavingText')}>
      <LoadingState height={60} />
    </AuthLayout>
  );
}

/** Where an answer goes, in words that cannot be mistaken for another place. */
function destination(address: string, thisMachine: string): string {
  const url = new URL(address);
  if (url.protocol === 'https:') return url.host;
  if (url.protocol === 'http:') return thisMachine;
  return `${thisMachine} (${url.protocol})`;
}

function Question({ request }: { request: Request }) {
  const { t } = useTranslation('issuer');
  const { authorization_id: id, client, user } = request;
  const other = useSignInAgain();
  const answer = useMutation({
    mutationFn: (action: 'approve' | 'deny') => decide(id, action),
  });
  if (answer.isSuccess) return <GoOn address={answer.data} program={client.name} />;
  const late = answer.isError && asApiError(answer.error).isNotFound;
  if (late) return <Nothing text={t('fault.missing')} />;

  const asked = request.scope.split(' ');
  const scopes = request.refreshes ? [...new Set([...asked, 'offline_access'])] : asked;
  const whole = asked.includes('api');
  return (
    <AuthLayout
      title={t('consent.title', { program: client.name })}
      description={
        whole
          ? t('consent.descriptionApi', { program: client.name })
          : t('consent.description', { program: client.name })
      }
      footer={t('consent.later')}
    >
      <Stack>
        {answer.isError && <ErrorState error={answer.error} />}
        {other.isError && <ErrorState error={other.error} />}
        {!request.checked && (
          <Alert color="yellow" icon={<IconAlertTriangle />}>
            {t('consent.unchecked')}
          </Alert>
        )}
        <Paper withBorder p="sm">
          <Group gap="sm" wrap="nowrap">
            <Avatar size={34} radius="xl" name={user.email} aria-hidden />
            <div style={{ minWidth: 0, flex: 1 }}>
              <Text size="xs" c="dimmed">
                {t('consent.asWhom')}
              </Text>
              <Text size="sm" fw={550} truncate data-testid="consent-user">
                {user.email}
              </Text>
            </div>
          </Group>
          <Anchor
            component="button"
            type="button"
            size="sm"
            mt="xs"
            underline="always"
            disabled={other.isPending}
            onClick={() => {
              other.mutate(() => release(id));
            }}
          >
            {t('consent.other')}
          </Anchor>
        </Paper>
        <div>
          <Text size="sm" fw={600} mb={6}>
            {t('consent.what')}
          </Text>
          <Granted scopes={scopes} label={t('consent.what')} />
        </div>
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {t('consent.goesTo')}{' '}
          <Text span inherit fw={600} data-testid="consent-destination">
            {destination(request.redirect_uri, t('consent.thisMachine'))}
          </Text>
        </Text>
        <Button
          loading={answer.isPending && answer.variables === 'approve'}
          disabled={answer.isPending}
          onClick={() => {
            answer.mutate('approve');
          }}
        >
          {t('consent.approve')}
        </Button>
        <Button
          variant="default"
          loading={answer.isPending && answer.variables === 'deny'}
          disabled={answer.isPending}
          onClick={() => {
            answer.mutate('deny');
          }}
        >
          {t('consent.deny')}
        </Button>
      </Stack>
    </AuthLayout>
  );
}
