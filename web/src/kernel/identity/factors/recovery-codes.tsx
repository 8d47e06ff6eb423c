import { Button, CopyButton, Group, Stack, Text } from '@mantine/core';
import { IconCheck, IconCopy, IconDownload, IconPrinter } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { formatDate } from '@/ui/format';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { useSession } from '../session';
import { makeRecoveryCodes, recoveryCodesQuery } from './api';
import classes from './recovery-codes.module.css';

/** As people read it: in fours. */
export function inFours(code: string): string {
  return code.replaceAll(/(.{4})(?=.)/g, '$1-');
}

/** Makes recovery codes and shows them, this once. */
export function NewRecoveryCodes({ again, onDone }: { again: boolean; onDone: () => void }) {
  const { t } = useTranslation('factors');
  const queryClient = useQueryClient();
  const { mutate, ...make } = useMutation({
    mutationFn: () => makeRecoveryCodes(again),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: recoveryCodesQuery().queryKey }),
  });
  const begun = useRef(false);
  useEffect(() => {
    // Strict mode runs effects twice; the second codes would void the first.
    if (begun.current) return;
    begun.current = true;
    mutate();
  }, [mutate]);
  if (make.isError) {
    return (
      <ErrorState
        error={make.error}
        onRetry={() => {
          mutate();
        }}
      />
    );
  }
  if (make.data === undefined) return <LoadingState height={160} />;
  return <Codes codes={make.data.map(inFours)} done={t('recovery.done')} onDone={onDone} />;
}

function Codes({ codes, done, onDone }: { codes: string[]; done: string; onDone: () => void }) {
  const { t, i18n } = useTranslation('factors');
  const session = useSession();
  const text = [
    t('recovery.file', {
      email: session?.user.email ?? '',
      date: formatDate(new Date().toISOString(), i18n.language),
    }),
    '',
    ...codes,
    '',
  ].join('\n');

  function download() {
    const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
    const link = document.createElement('a');
    link.href = address;
    link.download = 'tenon-recovery-codes.txt';
    link.click();
    URL.revokeObjectURL(address);
  }

  function print() {
    const frame = document.createElement('iframe');
    frame.hidden = true;
    document.body.append(frame);
    const inside = frame.contentWindow;
    if (inside === null) return;
    const page = inside.document.createElement('pre');
    page.textContent = text;
    page.style.font = '16px/1.7 monospace';
    inside.document.body.append(page);
    inside.addEventListener('afterprint', () => {
      frame.remove();
    });
    inside.print();
  }

  return (
    <Stack>
      <Text size="sm">{t('recovery.text')}</Text>
      <ul className={classes.codes} aria-label={t('recovery.list')}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <Group gap="xs">
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button
              variant="default"
              size="xs"
              onClick={copy}
              leftSection={copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
            >
              {copied ? t('recovery.copied') : t('recovery.copy')}
            </Button>
          )}
        </CopyButton>
        <Button
          variant="default"
          size="xs"
          onClick={download}
          leftSection={<IconDownload size={15} />}
        >
          {t('recovery.download')}
        </Button>
        <Button variant="default" size="xs" onClick={print} leftSection={<IconPrinter size={15} />}>
          {t('recovery.print')}
        </Button>
      </Group>
      <Button onClick={onDone}>{done}</Button>
    </Stack>
  );
}
