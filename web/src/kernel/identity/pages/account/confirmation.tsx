import { Button, Group, Stack, Text } from '@mantine/core';
import type { User } from '@supabase/supabase-js';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { asApiError } from '@/api/errors';
import { ErrorState } from '@/ui/states/error-state';
import { CodeField, isCode } from '../../factors/code-field';
import { askForConfirmation } from './api';

/** Changes something that guards the account; the code is there when the server asked for one. */
type Change<Values, Result> = (values: Values, nonce?: string) => Promise<Result>;

/**
 * A change that the server may want confirmed: then it sends a code, which goes with the next try. What somebody typed into the
 * form stays meanwhile.
 */
export function useConfirmed<Values, Result>(
  change: Change<Values, Result>,
  onSuccess: (result: Result) => void | Promise<void>,
) {
  const { t } = useTranslation(['account', 'identity']);
  const [asked, setAsked] = useState(false);
  const [code, setCode] = useState('');
  const [invalid, setInvalid] = useState(false);
  const send = useMutation({
    mutationFn: askForConfirmation,
    onSuccess: () => {
      setAsked(true);
      setCode('');
      save.reset();
    },
  });
  const save = useMutation({
    mutationFn: ({ values, nonce }: { values: Values; nonce?: string }) => change(values, nonce),
    onSuccess,
    onError: (error) => {
      if (asApiError(error).code === 'reauthentication_needed' && !send.isPending) send.mutate();
    },
  });
  const refusal = save.isError ? asApiError(save.error).code : null;
  return {
    asked,
    code,
    send,
    saved: save.data,
    pending: save.isPending || (send.isPending && !asked),
    /** What to say beside the form; about the code its own field says it. */
    error: refusal !== null && !refusal.startsWith('reauthentication_') ? save.error : null,
    codeError: invalid
      ? t('identity:invalid.code')
      : refusal === 'reauthentication_not_valid'
        ? t('errors:reauthentication_not_valid')
        : null,
    type: (text: string) => {
      setCode(text);
      setInvalid(false);
    },
    submit: (values: Values) => {
      if (asked && !isCode(code)) {
        setInvalid(true);
        return;
      }
      save.mutate(asked ? { values, nonce: code.replaceAll(/\s/g, '') } : { values });
    },
  };
}

/** The field for the code, once the server has asked for it, with a way to another. */
export function Confirmation({
  of: { asked, code, codeError, send, type },
  user,
}: {
  of: Pick<
    ReturnType<typeof useConfirmed<unknown, unknown>>,
    'asked' | 'code' | 'codeError' | 'send' | 'type'
  >;
  /** Whose code it is. */
  user: User | undefined;
}) {
  const { t } = useTranslation(['account', 'identity']);
  // It goes by mail to who has an address.
  const address = [user?.email, user?.phone && `+${user.phone}`].find((text) => text) ?? '';
  if (!asked) return send.isError ? <ErrorState error={send.error} /> : null;
  return (
    <Stack gap="xs">
      <Text size="sm" role="status">
        {t('confirmation.sent', { address })}
      </Text>
      <CodeField
        label={t('confirmation.label')}
        autoFocus
        value={code}
        error={codeError}
        onChange={(event) => {
          type(event.currentTarget.value);
        }}
      />
      {send.isError && <ErrorState error={send.error} />}
      <Group>
        <Button
          variant="subtle"
          size="xs"
          loading={send.isPending}
          onClick={() => {
            send.mutate();
          }}
        >
          {t('confirmation.again')}
        </Button>
      </Group>
    </Stack>
  );
}
