import { Radio, Stack, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { DialogForm } from '@/ui/dialog-form';
import { api, type Program } from '../queries';
import type { Credentials } from './told';

const MOST_ADDRESSES = 10;

/** One address a line. */
const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

export function ProgramForm({
  program,
  onDone,
  onCancel,
}: {
  program: Program | null;
  onDone: (credentials: Credentials | null) => Promise<void>;
  onCancel: () => void;
}) {
  const { t } = useTranslation('operator');
  const [name, setName] = useState(program?.name ?? '');
  const [redirects, setRedirects] = useState(program?.redirect_uris.join('\n') ?? '');
  const [uri, setUri] = useState(program?.uri ?? '');
  const [kind, setKind] = useState('confidential');
  const nameOk = name.trim() !== '' && name.trim().length <= 100;
  const addresses = lines(redirects);
  const addressesOk = addresses.length > 0 && addresses.length <= MOST_ADDRESSES;
  const save = useMutation({
    mutationFn: async () => {
      const body = { name: name.trim(), redirect_uris: addresses, uri: uri.trim() };
      if (program !== null) {
        const params = { path: { id: program.id } };
        await reply(api.PATCH('/api/v1/operator/programs/{id}', { params, body }));
        await onDone(null);
        return;
      }
      const confidential = kind === 'confidential';
      const made = await reply(
        api.POST('/api/v1/operator/programs', { body: { ...body, confidential } }),
      );
      await onDone({ id: made.id, secret: made.secret ?? null });
    },
  });
  return (
    <DialogForm
      ok={nameOk && addressesOk}
      error={save.error}
      pending={save.isPending}
      submit={t(program === null ? 'programs.register' : 'save')}
      onSubmit={() => {
        save.mutate();
      }}
      onCancel={onCancel}
    >
      {(tried) => (
        <>
          <TextInput
            label={t('name')}
            description={t('programs.nameHint')}
            value={name}
            data-autofocus
            error={tried && !nameOk ? t('programs.nameInvalid') : null}
            onChange={(event) => {
              setName(event.currentTarget.value);
            }}
          />
          <Textarea
            label={t('programs.redirects')}
            description={t('programs.redirectsHint')}
            value={redirects}
            autosize
            minRows={2}
            maxRows={10}
            autoCapitalize="off"
            spellCheck={false}
            error={tried && !addressesOk ? t('programs.redirectsInvalid') : null}
            onChange={(event) => {
              setRedirects(event.currentTarget.value);
            }}
          />
          <TextInput
            label={t('programs.uri')}
            description={t('programs.uriHint')}
            type="url"
            value={uri}
            onChange={(event) => {
              setUri(event.currentTarget.value);
            }}
          />
          {program === null && (
            <Radio.Group label={t('programs.kind')} value={kind} onChange={setKind}>
              <Stack gap="xs" mt="xs">
                <Radio
                  value="confidential"
                  label={t('programs.onServer')}
                  description={t('programs.onServerText')}
                />
                <Radio
                  value="public"
                  label={t('programs.withPeople')}
                  description={t('programs.withPeopleText')}
                />
              </Stack>
            </Radio.Group>
          )}
        </>
      )}
    </DialogForm>
  );
}
