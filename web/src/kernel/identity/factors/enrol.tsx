import { Box, Button, Group, Image, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { CopyField } from '@/ui/copy-field';
import { ErrorState } from '@/ui/states/error-state';
import { isPhone } from '../model';
import { addApp, addKey, addPasskey, addPhone, showAppCode, type NewApp } from './api';
import { CodeField, isCode } from './code-field';
import { TextCodeForm } from './text-code';
import { useCodeForm } from './use-code-form';

/** Adds an authenticator app: a name, the picture to scan, the first code. */
export function AddApp({ suggestion, onDone }: { suggestion: string; onDone: () => void }) {
  const { t } = useTranslation('factors');
  const begin = useMutation({ mutationFn: (name: string) => addApp(name) });
  if (begin.data !== undefined) return <ConfirmApp app={begin.data} onDone={onDone} />;
  return (
    <NameForm
      suggestion={suggestion}
      text={t('enrol.appHint')}
      submit={t('app.start')}
      mutation={begin}
    />
  );
}

function ConfirmApp({ app, onDone }: { app: NewApp; onDone: () => void }) {
  const { t } = useTranslation('factors');
  const { field, mutation, onSubmit } = useCodeForm({
    isGood: isCode,
    words: t('identity:invalid.code'),
    show: (code) => showAppCode(app.id, code),
    onDone,
  });
  return (
    <form noValidate onSubmit={onSubmit}>
      <Stack>
        <Text size="sm">{t('app.scan')}</Text>
        {/* White around it in every theme: readers want the contrast. */}
        <Box bg="white" p={4} mx="auto" style={{ borderRadius: 8, lineHeight: 0 }}>
          <Image src={app.picture} alt={t('app.picture')} w={208} h={208} />
        </Box>
        <CopyField label={t('app.secret')} value={app.secret} />
        {/* As it is typed by hand; the field is too narrow for it. */}
        <Text size="xs" c="dimmed" ff="monospace" mt={-8} aria-hidden>
          {app.secret.replaceAll(/(.{4})(?=.)/g, '$1 ')}
        </Text>
        <Text size="sm">{t('app.confirm')}</Text>
        {mutation.isError && <ErrorState error={mutation.error} />}
        <CodeField label={t('step.code')} {...field} />
        <Button type="submit" loading={mutation.isPending}>
          {t('app.submit')}
        </Button>
      </Stack>
    </form>
  );
}

/** Adds a telephone: a name, its number, the code that comes to it. */
export function AddPhone({ suggestion, onDone }: { suggestion: string; onDone: () => void }) {
  const { t } = useTranslation('factors');
  const form = useForm({
    initialValues: { name: suggestion, phone: '' },
    validate: {
      name: (value) => (value.trim() === '' ? t('identity:invalid.name') : null),
      phone: (value) => (isPhone(value) ? null : t('identity:invalid.phone')),
    },
  });
  const begin = useMutation({
    mutationFn: ({ name, phone }: typeof form.values) => addPhone(name.trim(), phone.trim()),
  });
  if (begin.data !== undefined) {
    return <TextCodeForm sent={begin.data} phone={begin.variables.phone.trim()} onDone={onDone} />;
  }
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => {
        begin.mutate(values);
      })}
    >
      <Stack>
        <Text size="sm">{t('phone.text')}</Text>
        {begin.isError && <ErrorState error={begin.error} />}
        <TextInput
          type="tel"
          name="phone"
          autoComplete="tel"
          maxLength={40}
          data-autofocus
          label={t('identity:fields.phone')}
          description={t('identity:fields.phoneHint')}
          {...form.getInputProps('phone')}
        />
        <TextInput
          name="name"
          maxLength={120}
          autoComplete="off"
          label={t('app.name')}
          description={t('app.nameHint')}
          {...form.getInputProps('name')}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={begin.isPending}>
            {t('phone.send')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Adds a security key. */
export function AddKey({ suggestion, onDone }: { suggestion: string; onDone: () => void }) {
  const { t } = useTranslation('factors');
  const add = useMutation({ mutationFn: (name: string) => addKey(name), onSuccess: onDone });
  return (
    <NameForm
      suggestion={suggestion}
      text={t('key.text')}
      submit={t('key.submit')}
      mutation={add}
    />
  );
}

/** Adds a passkey. */
export function AddPasskey({ suggestion, onDone }: { suggestion: string; onDone: () => void }) {
  const { t } = useTranslation('factors');
  const add = useMutation({ mutationFn: (name: string) => addPasskey(name), onSuccess: onDone });
  return (
    <NameForm
      suggestion={suggestion}
      text={t('passkeys.addText')}
      submit={t('key.submit')}
      mutation={add}
    />
  );
}

/** Asks what to call something, and does it. */
export function NameForm({
  suggestion,
  text,
  submit,
  mutation,
}: {
  suggestion: string;
  text?: string;
  submit: string;
  mutation: {
    mutate: (name: string) => void;
    isPending: boolean;
    isError: boolean;
    error: unknown;
  };
}) {
  const { t } = useTranslation('factors');
  const form = useForm({
    initialValues: { name: suggestion },
    validate: { name: (value) => (value.trim() === '' ? t('identity:invalid.name') : null) },
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit(({ name }) => {
        mutation.mutate(name.trim());
      })}
    >
      <Stack>
        {text !== undefined && <Text size="sm">{text}</Text>}
        {mutation.isError && <ErrorState error={mutation.error} />}
        <TextInput
          name="name"
          maxLength={120}
          autoComplete="off"
          data-autofocus
          label={t('app.name')}
          description={t('app.nameHint')}
          {...form.getInputProps('name')}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={mutation.isPending}>
            {submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** A name that none of the others has: `Security key`, `Security key 2` … */
export function freeName(base: string, taken: readonly (string | undefined)[]): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base} ${number}`;
    if (!taken.includes(name)) return name;
  }
}
