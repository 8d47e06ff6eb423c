import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconArrowBackUp, IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { Dialog } from '@/ui/dialog';
import { Confirm } from '@/ui/dialog-form';
import { notifyDone } from '@/ui/notify';

const ICONS = { cancel: IconTrash, undo: IconArrowBackUp };

/** Puts an import aside before anything of it was saved, or takes out again what a committed one brought. */
export function EndImport({ id, how }: { id: string; how: 'cancel' | 'undo' }) {
  const { t } = useTranslation('imports');
  const organization = useOrganization();
  const queryClient = useQueryClient();
  const [opened, { open, close }] = useDisclosure(false);
  const mutation = useMutation({
    mutationFn: () =>
      reply(organization.api.POST(`/api/v1/imports/{id}/${how}`, { params: { path: { id } } })),
    onSuccess: async () => {
      close();
      notifyDone(t(`${how}.done`));
      await queryClient.invalidateQueries({ queryKey: [organization.id] });
    },
  });
  const Symbol = ICONS[how];
  return (
    <>
      <Button variant="default" leftSection={<Symbol size={16} />} onClick={open}>
        {t(`${how}.button`)}
      </Button>
      <Dialog opened={opened} onClose={close} title={t(`${how}.title`)}>
        <Confirm
          text={t(`${how}.text`)}
          error={mutation.error}
          pending={mutation.isPending}
          submit={t(`${how}.confirm`)}
          cancel={t(`${how}.keep`)}
          onSubmit={() => {
            mutation.mutate();
          }}
          onCancel={close}
        />
      </Dialog>
    </>
  );
}
