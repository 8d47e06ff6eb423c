import { Button, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { AnchorLink } from '@/ui/links';
import { ErrorState } from '@/ui/states/error-state';
import { AuthLayout } from '../auth-layout';
import { CodeForm } from '../code-form';
import { isEmail } from '../model';
import { forgotPassword } from '../session';

/** Asks for a mail to set a new password, and takes its code. */
export function ForgotPasswordPage() {
  const { t } = useTranslation('identity');
  const router = useRouter();
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { email: '' },
    validate: { email: (value) => (isEmail(value) ? null : t('invalid.email')) },
  });
  const mutation = useMutation({
    mutationFn: (email: string) => forgotPassword(email),
  });
  const footer = (
    <AnchorLink to="/sign-in" size="sm" underline="always">
      {t('forgot.back')}
    </AnchorLink>
  );

  if (mutation.isSuccess) {
    const email = mutation.variables;
    return (
      <AuthLayout title={t('code.title')} description={t('code.sent', { email })} footer={footer}>
        <CodeForm
          email={email}
          type="recovery"
          onDone={() => void router.navigate({ to: '/new-password' })}
        />
      </AuthLayout>
    );
  }

  return (
    <AuthLayout title={t('forgot.title')} description={t('forgot.description')} footer={footer}>
      <form
        noValidate
        onSubmit={form.onSubmit(({ email }) => {
          mutation.mutate(email.trim());
        })}
      >
        <Stack>
          {mutation.isError && <ErrorState error={mutation.error} />}
          <TextInput
            type="email"
            name="email"
            autoComplete="username"
            autoFocus
            required
            withAsterisk={false}
            label={t('fields.email')}
            key={form.key('email')}
            {...form.getInputProps('email')}
          />
          <Button type="submit" loading={mutation.isPending} mt="xs">
            {t('forgot.submit')}
          </Button>
        </Stack>
      </form>
    </AuthLayout>
  );
}
