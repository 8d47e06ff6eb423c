import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { safeNext } from '@/kernel/routing/search';
import { ErrorState } from '@/ui/states/error-state';
import { AuthLayout } from '../auth-layout';
import { isEmail, SHORTEST_PASSWORD } from '../model';
import { CodeForm } from '../code-form';
import { signUp } from '../session';
import { ProviderButtons } from '../providers/provider-buttons';
import { AnchorLink } from '@/ui/links';

export function SignUpPage() {
  const { t, i18n } = useTranslation('identity');
  const router = useRouter();
  const search = useSearch({ from: '/sign-up' });
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { name: '', email: search.email ?? '', password: '' },
    validate: {
      name: (value) => (value.trim() === '' ? t('invalid.name') : null),
      email: (value) => (isEmail(value) ? null : t('invalid.email')),
      password: (value) => (value.length < SHORTEST_PASSWORD ? t('invalid.password') : null),
    },
  });
  const enter = () => {
    router.history.push(safeNext(search.next));
  };
  const mutation = useMutation({
    mutationFn: ({ name, email, password }: typeof form.values) =>
      signUp(email.trim(), password, name.trim(), i18n.language, safeNext(search.next)),
    onSuccess: (signedIn) => {
      if (signedIn) enter();
    },
  });

  if (mutation.data === false) {
    const email = mutation.variables.email.trim();
    return (
      <AuthLayout title={t('code.title')} description={t('code.confirm', { email })}>
        <CodeForm email={email} type="email" onDone={enter} />
      </AuthLayout>
    );
  }

  return (
    <AuthLayout
      title={t('signUp.title')}
      description={t('signUp.description')}
      footer={
        <>
          {t('signUp.haveAccount')}{' '}
          <AnchorLink
            to="/sign-in"
            search={search.next === undefined ? {} : { next: search.next }}
            size="sm"
            underline="always"
          >
            {t('signUp.toSignIn')}
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
          {mutation.isError && <ErrorState error={mutation.error} />}
          <TextInput
            name="name"
            autoComplete="name"
            autoFocus
            required
            withAsterisk={false}
            label={t('fields.name')}
            key={form.key('name')}
            {...form.getInputProps('name')}
          />
          <TextInput
            type="email"
            name="email"
            autoComplete="username"
            required
            withAsterisk={false}
            label={t('fields.email')}
            key={form.key('email')}
            {...form.getInputProps('email')}
          />
          <PasswordInput
            name="password"
            autoComplete="new-password"
            required
            withAsterisk={false}
            label={t('fields.password')}
            description={t('fields.passwordHint')}
            key={form.key('password')}
            {...form.getInputProps('password')}
          />
          <Button type="submit" loading={mutation.isPending} mt="xs">
            {t('signUp.submit')}
          </Button>
        </Stack>
      </form>
      <ProviderButtons next={safeNext(search.next)} apart />
    </AuthLayout>
  );
}
