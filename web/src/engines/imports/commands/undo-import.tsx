import { Button, Group, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { notifyDone } from '@/ui/notify';
import { Dialog } from '@/ui/dialog';
import { ErrorState } from '@/ui/states/error-state';

/** Takes out again what a committed import brought. */
export function UndoImport({ id }: { id: string }) {
  const { t } = useTranslation('imports');
  const organization = useOrganization();
  const queryClient = useQueryClient();
  const [opened, { open, close }] = useDisclosure(false);
  const mutation = useMutation({
    mutationFn: () =>
      reply(organization.api.POST('/api/v1/imports/{id}/undo', { params: { path: { id } } })),
    onSuccess: async () => {
      close();
      notifyDone(t('undo.done'));
      await queryClient.invalidateQueries({ queryKey: [organization.id] });
    },
  });
  return (
    <>
      <Button variant="default" leftSection={<IconArrowBackUp size={16} />} onClick={open}>
        {t('undo.button')}
      </Button>
      <Dialog opened={opened} onClose={close} title={t('undo.title')}>
        <Stack>
          <Text size="sm">{t('undo.text')}</Text>
          {mutation.isError && <ErrorState error={mutation.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('undo.keep')}
            </Button>
            <Button
              color="red"
              loading={mutation.isPending}
              onClick={() => {
                mutation.mutate();
              }}
            >
              {t('undo.confirm')}
            </Button>
          </Group>
        </Stack>
      </Dialog>
    </>
  );
}
