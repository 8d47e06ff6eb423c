import { Button, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { safeNext } from '@/kernel/routing/search';
import { AnchorLink } from '@/ui/links';
import { ErrorState } from '@/ui/states/error-state';
import { AuthLayout } from '../auth-layout';
import { CodeForm } from '../code-form';
import { isPhone } from '../model';
import { askForText } from '../session';

/** Signing in with a code that a text message brings. */
export function PhoneSignInPage() {
  const { t } = useTranslation('identity');
  const router = useRouter();
  const search = useSearch({ from: '/sign-in/phone' });
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { phone: '' },
    validate: { phone: (value) => (isPhone(value) ? null : t('invalid.phone')) },
  });
  const mutation = useMutation({ mutationFn: (phone: string) => askForText(phone) });
  const back = (
    <AnchorLink
      to="/sign-in"
      search={search.next === undefined ? {} : { next: search.next }}
      size="sm"
      underline="always"
    >
      {t('phone.back')}
    </AnchorLink>
  );

  if (mutation.isSuccess) {
    const phone = mutation.variables;
    return (
      <AuthLayout
        title={t('phone.codeTitle')}
        description={t('phone.sent', { phone })}
        footer={back}
      >
        <CodeForm
          email={phone}
          type="sms"
          onDone={() => {
            router.history.push(safeNext(search.next));
          }}
        />
      </AuthLayout>
    );
  }

  return (
    <AuthLayout title={t('phone.title')} description={t('phone.description')} footer={back}>
      <form
        noValidate
        onSubmit={form.onSubmit(({ phone }) => {
          mutation.mutate(phone.trim());
        })}
      >
        <Stack>
          {mutation.isError && <ErrorState error={mutation.error} />}
          <TextInput
            type="tel"
            name="phone"
            autoComplete="tel"
            autoFocus
            required
            withAsterisk={false}
            label={t('fields.phone')}
            description={t('fields.phoneHint')}
            key={form.key('phone')}
            {...form.getInputProps('phone')}
          />
          <Button type="submit" loading={mutation.isPending} mt="xs">
            {t('phone.submit')}
          </Button>
        </Stack>
      </form>
    </AuthLayout>
  );
}
