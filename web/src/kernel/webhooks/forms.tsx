/** What is asked of an endpoint in a dialog. */
import { Alert, Button, Group, Select, Stack, TagsInput, Textarea, TextInput } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { CopyField } from '@/ui/copy-field';
import { Confirm, DialogForm } from '@/ui/dialog-form';
import type { Endpoint } from './queries';

const KEEPS = ['24', '168', '1', '0'] as const;
/** Offered as one types; any other is as good. */
const OFFERED = ['*', 'access.*', 'imports.*', 'purchasing.*', 'tenancy.*', 'webhooks.*'];

const isAddress = (text: string): boolean => /^https?:\/\/[^\s]+$/.test(text.trim());

function useChanged() {
  const { id } = useOrganization();
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: [id, 'webhooks'] });
}

/** A new endpoint, or other words for one there is. */
export function EndpointForm({
  endpoint,
  onDone,
}: {
  endpoint: Endpoint | null;
  onDone: () => void;
}) {
  const { t } = useTranslation('webhooks');
  const { api } = useOrganization();
  const changed = useChanged();
  const [url, setUrl] = useState(endpoint?.url ?? '');
  const [description, setDescription] = useState(endpoint?.description ?? '');
  const [events, setEvents] = useState<string[]>(endpoint?.events ?? []);
  const save = useMutation({
    mutationFn: async () => {
      const body = { url: url.trim(), description: description.trim(), events };
      if (endpoint === null) {
        return (await reply(api.POST('/api/v1/webhooks/endpoints', { body }))).secret;
      }
      const params = { path: { id: endpoint.id } };
      await reply(api.PATCH('/api/v1/webhooks/endpoints/{id}', { params, body }));
      return null;
    },
    onSuccess: async (secret) => {
      await changed();
      if (secret === null) onDone();
    },
  });
  if (typeof save.data === 'string') return <Secret secret={save.data} onDone={onDone} />;
  return (
    <DialogForm
      ok={isAddress(url) && events.length > 0}
      error={save.error}
      pending={save.isPending}
      submit={endpoint === null ? t('add') : t('save')}
      onSubmit={() => {
        save.mutate();
      }}
      onCancel={onDone}
    >
      {(tried) => (
        <>
          <TextInput
            type="url"
            label={t('address')}
            description={t('addressHint')}
            placeholder="https://example.com/hooks/tenon"
            value={url}
            data-autofocus
            maxLength={2000}
            error={tried && !isAddress(url) ? t('addressInvalid') : null}
            onChange={(event) => {
              setUrl(event.currentTarget.value);
            }}
          />
          <TagsInput
            label={t('events')}
            description={t('eventsHint')}
            data={OFFERED}
            value={events}
            error={tried && events.length === 0 ? t('eventsInvalid') : null}
            maxDropdownHeight={220}
            acceptValueOnBlur
            splitChars={[',', ' ']}
            onChange={setEvents}
          />
          <Textarea
            label={t('description')}
            value={description}
            maxLength={500}
            autosize
            onChange={(event) => {
              setDescription(event.currentTarget.value);
            }}
          />
        </>
      )}
    </DialogForm>
  );
}

function Secret({ secret, onDone }: { secret: string; onDone: () => void }) {
  const { t } = useTranslation('webhooks');
  return (
    <Stack>
      <Alert icon={<IconKey />} color="ink" role="status">
        {t('secretText')}
      </Alert>
      <CopyField label={t('secret')} value={secret} />
      <Group justify="flex-end">
        <Button onClick={onDone}>{t('done')}</Button>
      </Group>
    </Stack>
  );
}

/** Asks how long the old secret is good, and shows the new one. */
export function RotateForm({ endpoint, onDone }: { endpoint: Endpoint; onDone: () => void }) {
  const { t } = useTranslation('webhooks');
  const { api } = useOrganization();
  const changed = useChanged();
  const [keep, setKeep] = useState<(typeof KEEPS)[number]>('24');
  const rotate = useMutation({
    mutationFn: () =>
      reply(
        api.POST('/api/v1/webhooks/endpoints/{id}/rotate', {
          params: { path: { id: endpoint.id } },
          body: { keep_hours: Number(keep) },
        }),
      ),
    onSuccess: changed,
  });
  if (rotate.data !== undefined) return <Secret secret={rotate.data.secret} onDone={onDone} />;
  return (
    <DialogForm
      text={t('rotateText')}
      error={rotate.error}
      pending={rotate.isPending}
      submit={t('rotate')}
      onSubmit={() => {
        rotate.mutate();
      }}
      onCancel={onDone}
    >
      {() => (
        <Select
          label={t('keep')}
          data={KEEPS.map((value) => ({ value, label: t(`keeps.${value}`) }))}
          value={keep}
          allowDeselect={false}
          onChange={(next) => {
            if (next !== null) setKeep(next);
          }}
        />
      )}
    </DialogForm>
  );
}

export function RemoveForm({ endpoint, onDone }: { endpoint: Endpoint; onDone: () => void }) {
  const { t } = useTranslation('webhooks');
  const { api } = useOrganization();
  const changed = useChanged();
  const remove = useMutation({
    mutationFn: () =>
      reply(
        api.DELETE('/api/v1/webhooks/endpoints/{id}', { params: { path: { id: endpoint.id } } }),
      ),
    onSuccess: async () => {
      await changed();
      onDone();
    },
  });
  return (
    <Confirm
      text={t('removeText', { url: endpoint.url })}
      error={remove.error}
      pending={remove.isPending}
      submit={t('remove')}
      onSubmit={() => {
        remove.mutate();
      }}
      onCancel={onDone}
    />
  );
}
