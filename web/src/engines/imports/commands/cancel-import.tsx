import { Button, Group, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { notifyDone } from '@/ui/notify';
import { Dialog } from '@/ui/dialog';
import { ErrorState } from '@/ui/states/error-state';

/** Puts an import aside before anything of it was saved. */
export function CancelImport({ id }: { id: string }) {
  const { t } = useTranslation('imports');
  const organization = useOrganization();
  const queryClient = useQueryClient();
  const [opened, { open, close }] = useDisclosure(false);
  const mutation = useMutation({
    mutationFn: () =>
      reply(organization.api.POST('/api/v1/imports/{id}/cancel', { params: { path: { id } } })),
    onSuccess: async () => {
      close();
      notifyDone(t('cancel.done'));
      await queryClient.invalidateQueries({ queryKey: [organization.id] });
    },
  });
  return (
    <>
      <Button variant="default" leftSection={<IconTrash size={16} />} onClick={open}>
        {t('cancel.button')}
      </Button>
      <Dialog opened={opened} onClose={close} title={t('cancel.title')}>
        <Stack>
          <Text size="sm">{t('cancel.text')}</Text>
          {mutation.isError && <ErrorState error={mutation.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('cancel.keep')}
            </Button>
            <Button
              color="red"
              loading={mutation.isPending}
              onClick={() => {
                mutation.mutate();
              }}
            >
              {t('cancel.confirm')}
            </Button>
          </Group>
        </Stack>
      </Dialog>
    </>
  );
}
