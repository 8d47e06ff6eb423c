import { Button, Tooltip } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { asApiError } from '@/api/errors';
import { useOrganization } from '@/kernel/tenancy/organization';
import { notifyFailed } from '@/ui/notify';
import { notifications } from '@mantine/notifications';
import type { Import } from '../model';
import { importQuery } from '../queries';

/** Saves the accepted rows, as long as what was checked is still so. */
export function ConfirmImport({ run }: { run: Import }) {
  const { t } = useTranslation('imports');
  const organization = useOrganization();
  const queryClient = useQueryClient();
  const key = importQuery(organization, run.id).queryKey;
  const mutation = useMutation({
    mutationFn: () =>
      reply(
        organization.api.POST('/api/v1/imports/{id}/confirm', {
          params: { path: { id: run.id } },
          body: { validation_version: run.validation_version },
        }),
      ),
    onSuccess: (confirmed) => {
      queryClient.setQueryData(key, confirmed);
    },
    onError: async (error) => {
      if (asApiError(error).code === 'imports.validation_stale') {
        notifications.show({ message: t('confirm.stale'), color: 'yellow' });
      } else {
        notifyFailed(error);
      }
      await queryClient.invalidateQueries({ queryKey: key });
    },
  });
  const nothing = run.counts.accepted === 0;
  return (
    <Tooltip label={t('confirm.nothing')} disabled={!nothing}>
      <Button
        leftSection={<IconCheck size={16} />}
        loading={mutation.isPending}
        data-disabled={nothing || undefined}
        aria-disabled={nothing}
        onClick={() => {
          if (!nothing) mutation.mutate();
        }}
      >
        {t('confirm.button')}
      </Button>
    </Tooltip>
  );
}
