import { Anchor, Button, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconKey } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorState } from '@/ui/states/error-state';
import { usePhoneFactor } from '../ways';
import {
  keysPossible,
  sendTextCode,
  showAppCode,
  showKey,
  showRecoveryCode,
  type OwnFactor,
} from './api';
import { CodeField, isCode } from './code-field';
import { endOf, TextCodeForm } from './text-code';
import { useCodeForm } from './use-code-form';

/** By what somebody confirms that it is them. */
export type Way = 'app' | 'key' | 'phone' | 'recovery';

/** The ways they have, the one that is offered first in front: an app, else a key, else a telephone. */
function waysOf(factors: readonly OwnFactor[]): Way[] {
  const has = (type: string) => factors.some((factor) => factor.factor_type === type);
  return [
    ...(has('totp') ? ['app' as const] : []),
    ...(has('webauthn') ? ['key' as const] : []),
    ...(has('phone') ? ['phone' as const] : []),
    'recovery',
  ];
}

/** The way that is offered: the one asked for if they have it, else the first of theirs. */
export function offered(factors: readonly OwnFactor[], asked: string | undefined): Way {
  const ways = waysOf(factors);
  return ways.find((way) => way === asked) ?? ways[0] ?? 'recovery';
}

/** The second step of a sign-in, by one of the person's factors or a recovery code. */
export function SecondStep({
  factors,
  way,
  onWay,
  onDone,
}: {
  factors: readonly OwnFactor[];
  way: Way;
  onWay: (way: Way) => void;
  onDone: () => void;
}) {
  const { t } = useTranslation('factors');
  const apps = factors.filter(({ factor_type }) => factor_type === 'totp');
  const keys = factors.filter(({ factor_type }) => factor_type === 'webauthn');
  const phones = factors.filter(({ factor_type }) => factor_type === 'phone');
  const labels = {
    app: t('step.useApp'),
    key: t('step.useKeyInstead'),
    phone: t('step.usePhone'),
    recovery: t('step.useRecovery'),
  };
  return (
    <Stack>
      {way === 'app' && <AppForm apps={apps} onDone={onDone} />}
      {way === 'key' && <KeyForm keys={keys} onDone={onDone} />}
      {way === 'phone' && <PhoneForm phones={phones} onDone={onDone} />}
      {way === 'recovery' && <RecoveryForm onDone={onDone} />}
      <Stack gap={6} align="flex-start">
        {waysOf(factors)
          .filter((other) => other !== way)
          .map((other) => (
            <Anchor
              key={other}
              component="button"
              type="button"
              size="sm"
              onClick={() => {
                onWay(other);
              }}
            >
              {labels[other]}
            </Anchor>
          ))}
      </Stack>
    </Stack>
  );
}

function AppForm({ apps, onDone }: { apps: readonly OwnFactor[]; onDone: () => void }) {
  const { t } = useTranslation('factors');
  const [factor, setFactor] = useState(apps[0]?.id ?? '');
  const { field, mutation, onSubmit } = useCodeForm({
    isGood: isCode,
    words: t('identity:invalid.code'),
    show: (code) => showAppCode(factor, code),
    onDone,
  });
  return (
    <form noValidate onSubmit={onSubmit}>
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
            value={factor}
            onChange={(event) => {
              setFactor(event.currentTarget.value);
            }}
          />
        )}
        <CodeField label={t('step.code')} data-autofocus autoFocus {...field} />
        <Button type="submit" loading={mutation.isPending}>
          {t('step.submit')}
        </Button>
      </Stack>
    </form>
  );
}

function KeyForm({ keys, onDone }: { keys: readonly OwnFactor[]; onDone: () => void }) {
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

/** Asks before it sends: a message costs, and may be the only one for a while. */
function PhoneForm({ phones, onDone }: { phones: readonly OwnFactor[]; onDone: () => void }) {
  const { t } = useTranslation('factors');
  const { show } = usePhoneFactor();
  const [chosen, setChosen] = useState(phones[0]?.id ?? '');
  const send = useMutation({ mutationFn: sendTextCode });
  const number = (id: string) => endOf(phones.find((phone) => phone.id === id)?.phone);
  if (send.data !== undefined) {
    return <TextCodeForm sent={send.data} phone={number(send.data.factorId)} onDone={onDone} />;
  }
  return (
    <Stack>
      <Text size="sm">
        {show ? t('phone.willSend', { phone: number(chosen) }) : t('phone.notSent')}
      </Text>
      {send.isError && <ErrorState error={send.error} />}
      {phones.length > 1 && (
        <NativeSelect
          label={t('phone.which')}
          data={phones.map(({ id, friendly_name }) => ({
            value: id,
            label: `${friendly_name ?? t('types.phone')} (${number(id)})`,
          }))}
          value={chosen}
          onChange={(event) => {
            setChosen(event.currentTarget.value);
          }}
        />
      )}
      <Button
        disabled={!show}
        loading={send.isPending}
        onClick={() => {
          send.mutate(chosen);
        }}
      >
        {t('phone.send')}
      </Button>
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
