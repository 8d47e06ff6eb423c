import { Anchor, Button, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorState } from '@/ui/states/error-state';
import { usePhoneFactor } from '../ways';
import { sendTextCode, showTextCode, type SentCode } from './api';
import { CodeField, isTextCode } from './code-field';
import { useCodeForm } from './use-code-form';

/** Enough of a number to know it by, for whoever looks over the shoulder too little. */
export function endOf(phone: string | undefined): string {
  return `•••\u00a0${(phone ?? '').slice(-3)}`;
}

/** Asks for another message, once the pause is over. Mount it anew with each message. */
function Again({
  pause,
  sending,
  onAgain,
}: {
  pause: number;
  sending: boolean;
  onAgain: () => void;
}) {
  const { t } = useTranslation('factors');
  const [passed, setPassed] = useState(0);
  useEffect(() => {
    const start = Date.now();
    const clock = setInterval(() => {
      setPassed(Math.floor((Date.now() - start) / 1000));
    }, 1000);
    return () => {
      clearInterval(clock);
    };
  }, []);
  if (passed < pause) {
    return (
      <Text size="sm" c="dimmed">
        {t('phone.againIn', { seconds: pause - passed })}
      </Text>
    );
  }
  return (
    <Anchor
      component="button"
      type="button"
      size="sm"
      ta="start"
      disabled={sending}
      onClick={onAgain}
    >
      {t('phone.again')}
    </Anchor>
  );
}

/** Takes the code of a text message that is on its way, and sends another when the pause is over. */
export function TextCodeForm({
  sent,
  phone,
  onDone,
}: {
  sent: SentCode;
  /** As it is to be shown. */
  phone: string;
  onDone: () => void;
}) {
  const { t } = useTranslation('factors');
  const { pause } = usePhoneFactor();
  const again = useMutation({ mutationFn: () => sendTextCode(sent.factorId) });
  const current = again.data ?? sent;
  const { field, mutation, onSubmit } = useCodeForm({
    isGood: isTextCode,
    words: t('phone.invalidCode'),
    show: (code) => showTextCode(current, code),
    onDone,
  });
  return (
    <form noValidate onSubmit={onSubmit}>
      <Stack>
        <Text size="sm" role="status">
          {again.isSuccess ? t('phone.sentAgain', { phone }) : t('phone.sent', { phone })}
        </Text>
        {mutation.isError && <ErrorState error={mutation.error} />}
        {again.isError && <ErrorState error={again.error} />}
        <CodeField label={t('step.code')} data-autofocus autoFocus {...field} />
        <Button type="submit" loading={mutation.isPending}>
          {t('step.submit')}
        </Button>
        <Again
          key={current.challengeId}
          pause={pause}
          sending={again.isPending}
          onAgain={() => {
            mutation.reset();
            again.mutate();
          }}
        />
      </Stack>
    </form>
  );
}
