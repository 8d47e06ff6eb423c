import { Select } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { DialogForm } from '@/ui/dialog-form';
import { notifyDone } from '@/ui/notify';
import type { Endpoint } from './queries';

const DAYS = ['1', '3', '7', '30'] as const;
const DAY = 86_400_000;

/** Asks since when what failed is sent again. */
export function RecoverForm({ endpoint, onDone }: { endpoint: Endpoint; onDone: () => void }) {
  const { t } = useTranslation('webhooks');
  const { id, api } = useOrganization();
  const client = useQueryClient();
  const [days, setDays] = useState<(typeof DAYS)[number]>('3');
  const recover = useMutation({
    mutationFn: () =>
      reply(
        api.POST('/api/v1/webhooks/endpoints/{id}/recover', {
          params: { path: { id: endpoint.id } },
          body: { since: new Date(Date.now() - Number(days) * DAY).toISOString() },
        }),
      ),
    onSuccess: async ({ deliveries }) => {
      notifyDone(t('log.recovered', { count: deliveries }));
      await client.invalidateQueries({ queryKey: [id, 'webhooks'] });
      onDone();
    },
  });
  return (
    <DialogForm
      text={t('log.recoverText')}
      error={recover.error}
      pending={recover.isPending}
      submit={t('log.again')}
      onSubmit={() => {
        recover.mutate();
      }}
      onCancel={onDone}
    >
      {() => (
        <Select
          label={t('log.since')}
          data={DAYS.map((value) => ({ value, label: t(`log.sinces.${value}`) }))}
          value={days}
          allowDeselect={false}
          onChange={(next) => {
            if (next !== null) setDays(next);
          }}
        />
      )}
    </DialogForm>
  );
}
