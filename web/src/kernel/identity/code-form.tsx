import { Button, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ErrorState } from '@/ui/states/error-state';
import { showCode, showTextCode } from './session';

/** Takes the code of a mail that went to `email`, or of a text message to that number. */
export function CodeForm({
  email,
  type,
  onDone,
}: {
  email: string;
  type: 'recovery' | 'email' | 'sms';
  onDone: () => void;
}) {
  const { t } = useTranslation('identity');
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { code: '' },
    // People copy blanks along with it.
    validate: { code: (value) => (/^\s*\d{6}\s*$/.test(value) ? null : t('invalid.code')) },
  });
  const mutation = useMutation({
    mutationFn: (code: string) =>
      type === 'sms' ? showTextCode(email, code.trim()) : showCode(email, code.trim(), type),
    onSuccess: onDone,
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit(({ code }) => {
        mutation.mutate(code);
      })}
    >
      <Stack>
        {mutation.isError && <ErrorState error={mutation.error} />}
        <TextInput
          name="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          autoFocus
          required
          withAsterisk={false}
          label={t('code.label')}
          key={form.key('code')}
          {...form.getInputProps('code')}
        />
        <Button type="submit" loading={mutation.isPending} mt="xs">
          {t('code.submit')}
        </Button>
      </Stack>
    </form>
  );
}
