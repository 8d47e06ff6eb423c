import { Alert, Box, Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconClock } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { safeNext } from '@/kernel/routing/search';
import { ErrorState } from '@/ui/states/error-state';
import { AuthLayout } from '../auth-layout';
import { isEmail } from '../model';
import { CodeForm } from '../code-form';
import { OfferedSession } from '../offered-session';
import { usePhoneSignIn } from '../ways';
import { ProviderButtons } from '../providers/provider-buttons';
import { Refusal } from '../providers/refusal';
import { keysPossible } from '../factors/api';
import { PasskeyButton } from '../factors/passkey-button';
import { confirmAgain, signIn } from '../session';
import { asApiError } from '@/api/errors';
import { AnchorLink } from '@/ui/links';

export function SignInPage() {
  const { t } = useTranslation(['identity', 'providers']);
  const router = useRouter();
  const search = useSearch({ from: '/sign-in' });
  const byPhone = usePhoneSignIn();
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { email: search.email ?? '', password: '' },
    validate: {
      email: (value) => (isEmail(value) ? null : t('invalid.email')),
      password: (value) => (value === '' ? t('invalid.passwordMissing') : null),
    },
  });
  const enter = () => {
    router.history.push(safeNext(search.next));
  };
  const mutation = useMutation({
    mutationFn: ({ email, password }: typeof form.values) => signIn(email.trim(), password),
    onSuccess: enter,
  });
  const again = useMutation({ mutationFn: (email: string) => confirmAgain(email) });
  const unconfirmed =
    mutation.isError && asApiError(mutation.error).code === 'email_not_confirmed'
      ? mutation.variables.email.trim()
      : null;

  if (again.isSuccess) {
    return (
      <AuthLayout
        title={t('code.title')}
        description={t('code.confirm', { email: again.variables })}
      >
        <CodeForm email={again.variables} type="email" onDone={enter} />
      </AuthLayout>
    );
  }

  return (
    <AuthLayout
      title={t('signIn.title')}
      description={t('signIn.description')}
      footer={
        <>
          {t('signIn.noAccount')}{' '}
          <AnchorLink
            to="/sign-up"
            search={search.next === undefined ? {} : { next: search.next }}
            size="sm"
            underline="always"
          >
            {t('signIn.toSignUp')}
          </AnchorLink>
        </>
      }
    >
      <form
        noValidate
        onSubmit={form.onSubmit((values) => {
          mutation.mutate(values);
        })}
      >
        <Stack>
          <OfferedSession onDone={enter} />
          {mutation.isIdle && <Refusal title={t('providers:refused.title')} />}
          {search.reason === 'expired' && mutation.isIdle && (
            <Alert icon={<IconClock />} color="ink" role="status">
              {t('signIn.expired')}
            </Alert>
          )}
          {search.reason === 'link' && mutation.isIdle && (
            <Alert icon={<IconClock />} color="yellow" role="status">
              {t('signIn.badLink')}
            </Alert>
          )}
          {mutation.isError && <ErrorState error={mutation.error} />}
          {again.isError && <ErrorState error={again.error} />}
          {unconfirmed !== null && (
            <Button
              variant="default"
              loading={again.isPending}
              onClick={() => {
                again.mutate(unconfirmed);
              }}
            >
              {t('signIn.confirmAgain')}
            </Button>
          )}
          <TextInput
            type="email"
            name="email"
            autoComplete="username webauthn"
            autoFocus
            required
            withAsterisk={false}
            label={t('fields.email')}
            key={form.key('email')}
            {...form.getInputProps('email')}
          />
          <PasswordInput
            name="password"
            autoComplete="current-password"
            required
            withAsterisk={false}
            label={t('fields.password')}
            key={form.key('password')}
            {...form.getInputProps('password')}
          />
          <Button type="submit" loading={mutation.isPending} mt="xs">
            {t('signIn.submit')}
          </Button>
          <AnchorLink to="/forgot-password" size="sm">
            {t('signIn.forgot')}
          </AnchorLink>
          {byPhone && (
            <AnchorLink
              to="/sign-in/phone"
              search={search.next === undefined ? {} : { next: search.next }}
              size="sm"
            >
              {t('phone.link')}
            </AnchorLink>
          )}
        </Stack>
      </form>
      <Box mt="md">
        <PasskeyButton
          // Whoever signs in with a password has chosen; after a refusal both are open again.
          offered={!mutation.isPending && !mutation.isSuccess}
          onDone={enter}
        />
      </Box>
      <ProviderButtons next={safeNext(search.next)} apart={!keysPossible()} />
    </AuthLayout>
  );
}
