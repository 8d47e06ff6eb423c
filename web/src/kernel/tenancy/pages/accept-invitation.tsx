import { Button, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { createApi, reply } from '@/api/client';
import { AuthLayout } from '@/kernel/identity/auth-layout';
import { useSession } from '@/kernel/identity/session';
import { formatDateTime } from '@/ui/format';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { invitationQuery, organizationsQuery } from '../queries';
import { ButtonLink } from '@/ui/links';

export function AcceptInvitationPage() {
  const { t, i18n } = useTranslation('tenancy');
  const { t: identity } = useTranslation('identity');
  const { token } = useParams({ from: '/invite/$token' });
  const session = useSession();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const invitation = useQuery(invitationQuery(token));
  const mutation = useMutation({
    mutationFn: () =>
      reply(
        createApi().POST('/api/v1/tenancy/invitations/{token}/accept', {
          params: { path: { token } },
        }),
      ),
    onSuccess: async ({ slug }) => {
      await queryClient.invalidateQueries({ queryKey: organizationsQuery().queryKey });
      await navigate({ to: '/o/$org', params: { org: slug } });
    },
  });

  if (invitation.isPending) {
    return (
      <AuthLayout title={t('invitation.loading')}>
        <LoadingState />
      </AuthLayout>
    );
  }
  if (invitation.isError) {
    return (
      <AuthLayout title={t('invitation.invalid')}>
        <Stack>
          <ErrorState error={invitation.error} />
          <ButtonLink to="/" variant="default">
            {t('invitation.home')}
          </ButtonLink>
        </Stack>
      </AuthLayout>
    );
  }

  const { organization, role, expires_at, email } = invitation.data;
  const next = {
    next: `/invite/${token}`,
    ...(typeof email === 'string' ? { email } : {}),
  };
  return (
    <AuthLayout
      title={t('invitation.title', { organization: organization.name })}
      description={t('invitation.description', { role: t(`roles.${role}`) })}
      footer={t('invitation.expires', { date: formatDateTime(expires_at, i18n.language) })}
    >
      <Stack>
        {mutation.isError && <ErrorState error={mutation.error} />}
        {session === null ? (
          <>
            <Text size="sm">{t('invitation.signedOut')}</Text>
            <ButtonLink to="/sign-up" search={next}>
              {identity('signIn.toSignUp')}
            </ButtonLink>
            <ButtonLink to="/sign-in" search={next} variant="default">
              {identity('signIn.submit')}
            </ButtonLink>
          </>
        ) : (
          <>
            <Text size="sm">{t('invitation.wrongUser', { email: session.user.email })}</Text>
            <Button
              loading={mutation.isPending}
              onClick={() => {
                mutation.mutate();
              }}
            >
              {t('invitation.accept')}
            </Button>
          </>
        )}
      </Stack>
    </AuthLayout>
  );
}
