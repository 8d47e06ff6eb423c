import { Stack, Text, Textarea } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { notifyDone } from '@/ui/notify';
import { Dialog } from '@/ui/dialog';
import { FormButtons } from '@/ui/dialog-form';
import { ErrorState } from '@/ui/states/error-state';
import { needsNote, type Alert } from '../model';

const LONGEST_NOTE = 2000;

/** Says that somebody knows about an alert, and at critical and above what will be done. */
export function AcknowledgeDialog({
  alert,
  onClose,
}: {
  alert: Alert | null;
  onClose: () => void;
}) {
  const { t } = useTranslation('purchasing');
  return (
    <Dialog opened={alert !== null} onClose={onClose} title={t('acknowledge.title')}>
      {alert !== null && <AcknowledgeForm alert={alert} onDone={onClose} />}
    </Dialog>
  );
}

function AcknowledgeForm({ alert, onDone }: { alert: Alert; onDone: () => void }) {
  const { t } = useTranslation('purchasing');
  const organization = useOrganization();
  const queryClient = useQueryClient();
  const required = needsNote(alert.level);
  const form = useForm({
    initialValues: { note: '' },
    validate: {
      note: (value) => (required && value.trim() === '' ? t('acknowledge.missing') : null),
    },
  });
  const mutation = useMutation({
    mutationFn: ({ note }: typeof form.values) =>
      reply(
        organization.api.POST('/api/v1/purchasing/alerts/{id}/acknowledge', {
          params: { path: { id: alert.id } },
          body: { note: note.trim() === '' ? null : note.trim() },
        }),
      ),
    onSuccess: async () => {
      onDone();
      notifyDone(t('acknowledge.done'));
      await queryClient.invalidateQueries({ queryKey: [organization.id, 'purchasing'] });
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
        <Text size="sm">
          {t('acknowledge.text', {
            order: alert.order?.number ?? '',
            level: t(`ui:levels.${alert.level}`),
          })}
        </Text>
        {mutation.isError && <ErrorState error={mutation.error} />}
        <Textarea
          data-autofocus
          label={t('acknowledge.note')}
          description={required ? t('acknowledge.noteRequired') : t('acknowledge.noteOptional')}
          required={required}
          autosize
          minRows={3}
          maxRows={8}
          maxLength={LONGEST_NOTE}
          {...form.getInputProps('note')}
        />
        <FormButtons
          submit={t('acknowledge.button')}
          pending={mutation.isPending}
          onCancel={onDone}
        />
      </Stack>
    </form>
  );
}
