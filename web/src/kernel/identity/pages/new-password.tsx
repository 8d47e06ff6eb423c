import { Button, PasswordInput, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Navigate, useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { ButtonLink } from '@/ui/links';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { AuthLayout } from '../auth-layout';
import { needsSecondStep } from '../factors/level';
import { SHORTEST_PASSWORD } from '../model';
import { cameByRefusedLink, currentSession, setPassword } from '../session';

/** Where the link and the code of a recovery mail lead, with the session they opened. */
export function NewPasswordPage() {
  const { t } = useTranslation('identity');
  const session = useQuery({
    queryKey: ['recovery'],
    // A refused link opens nothing: who is signed in here anyway may be somebody else.
    queryFn: async () => {
      const found = cameByRefusedLink() ? null : await currentSession();
      return found === null ? 'none' : needsSecondStep(found) ? 'second step' : 'good';
    },
    gcTime: 0,
  });
  if (session.data === 'second step') {
    return <Navigate to="/second-factor" search={{ next: '/new-password' }} replace />;
  }
  if (session.data === 'none') {
    return (
      <AuthLayout title={t('newPassword.badLink')} description={t('newPassword.badLinkText')}>
        <ButtonLink to="/forgot-password">{t('newPassword.again')}</ButtonLink>
      </AuthLayout>
    );
  }
  return (
    <AuthLayout title={t('newPassword.title')} description={t('newPassword.description')}>
      {session.isPending && <LoadingState height={120} />}
      {session.isError && (
        <ErrorState error={session.error} onRetry={() => void session.refetch()} />
      )}
      {session.data === 'good' && <NewPasswordForm />}
    </AuthLayout>
  );
}

function NewPasswordForm() {
  const { t } = useTranslation('identity');
  const router = useRouter();
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { password: '' },
    validate: {
      password: (value) => (value.length < SHORTEST_PASSWORD ? t('invalid.password') : null),
    },
  });
  const mutation = useMutation({
    mutationFn: (password: string) => setPassword(password),
    onSuccess: () => void router.navigate({ to: '/', replace: true }),
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit(({ password }) => {
        mutation.mutate(password);
      })}
    >
      <Stack>
        {mutation.isError && <ErrorState error={mutation.error} />}
        <PasswordInput
          name="password"
          autoComplete="new-password"
          autoFocus
          required
          withAsterisk={false}
          label={t('newPassword.label')}
          description={t('fields.passwordHint')}
          key={form.key('password')}
          {...form.getInputProps('password')}
        />
        <Button type="submit" loading={mutation.isPending} mt="xs">
          {t('newPassword.submit')}
        </Button>
      </Stack>
    </form>
  );
}
