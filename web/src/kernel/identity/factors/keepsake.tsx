import { ActionIcon, Group, Menu, Stack, Text, ThemeIcon } from '@mantine/core';
import { IconDots, type Icon } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/ui/dialog';
import { Confirm } from '@/ui/dialog-form';
import { notifyDone } from '@/ui/notify';
import { NameForm } from './enrol';

/** One factor or passkey of the person: what it is called, and what can be done with it. */
export function Keepsake({
  icon: Symbol,
  name,
  details,
  removeText,
  rename,
  remove,
  onChanged,
}: {
  icon: Icon;
  name: string;
  details: string;
  /** What the person loses with it. */
  removeText: string;
  rename: (name: string) => Promise<void>;
  remove: () => Promise<void>;
  onChanged: () => Promise<void>;
}) {
  const { t } = useTranslation('factors');
  const [doing, setDoing] = useState<'rename' | 'remove' | null>(null);
  const close = () => {
    setDoing(null);
  };
  return (
    <Group component="li" wrap="nowrap" gap="sm" py="xs" data-testid="keepsake">
      <ThemeIcon size={36} radius="md" variant="light" color="gray" aria-hidden>
        <Symbol size={19} stroke={1.6} />
      </ThemeIcon>
      <Stack gap={0} miw={0} flex={1}>
        <Text size="sm" fw={550} style={{ overflowWrap: 'anywhere' }}>
          {name}
        </Text>
        <Text size="xs" c="dimmed">
          {details}
        </Text>
      </Stack>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={t('section.actions', { name })}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            onClick={() => {
              setDoing('rename');
            }}
          >
            {t('section.rename')}
          </Menu.Item>
          <Menu.Item
            color="red"
            onClick={() => {
              setDoing('remove');
            }}
          >
            {t('section.remove')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Dialog opened={doing === 'rename'} onClose={close} title={t('section.rename')}>
        <Rename
          name={name}
          rename={rename}
          onDone={async () => {
            close();
            notifyDone(t('section.renamed'));
            await onChanged();
          }}
        />
      </Dialog>
      <Dialog
        opened={doing === 'remove'}
        onClose={close}
        title={t('section.removeTitle', { name })}
      >
        <Remove
          text={removeText}
          remove={remove}
          onCancel={close}
          onDone={async () => {
            close();
            notifyDone(t('section.removed'));
            await onChanged();
          }}
        />
      </Dialog>
    </Group>
  );
}

function Rename({
  name,
  rename,
  onDone,
}: {
  name: string;
  rename: (name: string) => Promise<void>;
  onDone: () => Promise<void>;
}) {
  const { t } = useTranslation('factors');
  const mutation = useMutation({ mutationFn: rename, onSuccess: onDone });
  return <NameForm suggestion={name} submit={t('section.save')} mutation={mutation} />;
}

function Remove({
  text,
  remove,
  onCancel,
  onDone,
}: {
  text: string;
  remove: () => Promise<void>;
  onCancel: () => void;
  onDone: () => Promise<void>;
}) {
  const { t } = useTranslation('factors');
  const mutation = useMutation({ mutationFn: remove, onSuccess: onDone });
  return (
    <Confirm
      text={text}
      error={mutation.error}
      pending={mutation.isPending}
      submit={t('section.remove')}
      color="red.9"
      onSubmit={() => {
        mutation.mutate();
      }}
      onCancel={onCancel}
    />
  );
}

/** The name somebody gave it, or what it is. */
export const named = (name: string | undefined, otherwise: string) =>
  name === undefined || name === '' ? otherwise : name;

export const KEEPSAKES = { listStyle: 'none', margin: 0, padding: 0 } as const;
