import { Anchor, Button, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import type { Factor } from '@supabase/supabase-js';
import { IconKey } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ErrorState } from '@/ui/states/error-state';
import { keysPossible, showAppCode, showKey, showRecoveryCode } from './api';
import { CodeField, isCode } from './code-field';

/** By what somebody confirms that it is them. */
export type Way = 'app' | 'key' | 'recovery';

/** The way that is offered first: the one asked for if they have it, else an app, else a key. */
export function offered(factors: readonly Factor[], asked: string | undefined): Way {
  if (asked === 'recovery') return asked;
  const has = (type: string) => factors.some((factor) => factor.factor_type === type);
  const key = has('webauthn');
  if (asked === 'key' && key) return asked;
  return has('totp') || !key ? 'app' : 'key';
}

/** The second step of a sign-in, by one of the person's factors or a recovery code. */
export function SecondStep({
  factors,
  way,
  onWay,
  onDone,
}: {
  factors: readonly Factor[];
  way: Way;
  onWay: (way: Way) => void;
  onDone: () => void;
}) {
  const { t } = useTranslation('factors');
  const apps = factors.filter(({ factor_type }) => factor_type === 'totp');
  const keys = factors.filter(({ factor_type }) => factor_type === 'webauthn');
  const others: { way: Way; label: string }[] = [
    ...(apps.length > 0 ? [{ way: 'app' as const, label: t('step.useApp') }] : []),
    ...(keys.length > 0 ? [{ way: 'key' as const, label: t('step.useKeyInstead') }] : []),
    { way: 'recovery', label: t('step.useRecovery') },
  ];
  return (
    <Stack>
      {way === 'app' && <AppForm apps={apps} onDone={onDone} />}
      {way === 'key' && <KeyForm keys={keys} onDone={onDone} />}
      {way === 'recovery' && <RecoveryForm onDone={onDone} />}
      <Stack gap={6} align="flex-start">
        {others
          .filter((other) => other.way !== way)
          .map((other) => (
            <Anchor
              key={other.way}
              component="button"
              type="button"
              size="sm"
              onClick={() => {
                onWay(other.way);
              }}
            >
              {other.label}
            </Anchor>
          ))}
      </Stack>
    </Stack>
  );
}

function AppForm({ apps, onDone }: { apps: readonly Factor[]; onDone: () => void }) {
  const { t } = useTranslation('factors');
  const form = useForm({
    initialValues: { code: '', factor: apps[0]?.id ?? '' },
    validate: { code: (value) => (isCode(value) ? null : t('identity:invalid.code')) },
  });
  const mutation = useMutation({
    mutationFn: ({ code, factor }: typeof form.values) =>
      showAppCode(factor, code.replaceAll(/\s/g, '')),
    onSuccess: onDone,
    onError: () => {
      form.setFieldValue('code', '');
    },
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => {
        mutation.mutate(values);
      })}
    >
      <Stack>
        <Text size="sm">{t('step.app')}</Text>
        {mutation.isError && <ErrorState error={mutation.error} />}
        {apps.length > 1 && (
          <NativeSelect
            label={t('step.which')}
            data={apps.map(({ id, friendly_name }) => ({
              value: id,
              label: friendly_name ?? t('types.totp'),
            }))}
            {...form.getInputProps('factor')}
          />
        )}
        <CodeField
          label={t('step.code')}
          data-autofocus
          autoFocus
          {...form.getInputProps('code')}
        />
        <Button type="submit" loading={mutation.isPending}>
          {t('step.submit')}
        </Button>
      </Stack>
    </form>
  );
}

function KeyForm({ keys, onDone }: { keys: readonly Factor[]; onDone: () => void }) {
  const { t } = useTranslation('factors');
  const mutation = useMutation({ mutationFn: (id: string) => showKey(id), onSuccess: onDone });
  const possible = keysPossible();
  return (
    <Stack>
      <Text size="sm">{possible ? t('step.key') : t('step.noKeys')}</Text>
      {mutation.isError && <ErrorState error={mutation.error} />}
      {keys.map(({ id, friendly_name }) => (
        <Button
          key={id}
          leftSection={<IconKey size={18} aria-hidden />}
          disabled={!possible || (mutation.isPending && mutation.variables !== id)}
          loading={mutation.isPending && mutation.variables === id}
          onClick={() => {
            mutation.mutate(id);
          }}
        >
          {keys.length > 1 ? (friendly_name ?? t('types.webauthn')) : t('step.useKey')}
        </Button>
      ))}
    </Stack>
  );
}

function RecoveryForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation('factors');
  const form = useForm({ initialValues: { code: '' } });
  const mutation = useMutation({
    mutationFn: (code: string) => showRecoveryCode(code),
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
        <Text size="sm">{t('step.recovery')}</Text>
        {mutation.isError && <ErrorState error={mutation.error} />}
        <TextInput
          name="recovery-code"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={60}
          autoFocus
          label={t('step.recoveryCode')}
          placeholder="xxxx-xxxx-xxxx-xxxx"
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          {...form.getInputProps('code')}
        />
        <Button
          type="submit"
          disabled={form.values.code.trim() === ''}
          loading={mutation.isPending}
        >
          {t('step.submit')}
        </Button>
      </Stack>
    </form>
  );
}
