import {
  ActionIcon,
  Button,
  Group,
  Paper,
  Stack,
  Text,
  Textarea,
  TextInput,
  type MantineColor,
} from '@mantine/core';
import type { Icon } from '@tabler/icons-react';
import { useState, type ComponentProps, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useOrganization } from '@/kernel/tenancy/organization';
import { RequirePermission } from '@/kernel/tenancy/require-permission';
import { Dialog } from '@/ui/dialog';
import { DialogForm } from '@/ui/dialog-form';
import { PageHeader } from '@/ui/page-header';

/** What is to be done with which thing of a list. */
interface Asked<What extends string, Thing> {
  what: What;
  thing: Thing;
}

/** A page with a list of things, a button that adds one, and a dialog for whatever is done with them. */
export function ListPage<What extends string, Thing>({
  title,
  text,
  add,
  read,
  manage,
  list,
  dialogTitle,
  dialog,
}: {
  title: string;
  text: string;
  add: string;
  /** The permission that the list takes, and the one that changes take. */
  read: string;
  manage: string;
  list: (ask: (what: What, thing: Thing) => void) => ReactNode;
  dialogTitle: (asked: Asked<What, Thing>) => string;
  /** `null`: a new thing is to be made. */
  dialog: (asked: Asked<What, Thing> | null, close: () => void) => ReactNode;
}) {
  const { can } = useOrganization();
  const [asked, setAsked] = useState<Asked<What, Thing> | 'new' | null>(null);
  const close = () => {
    setAsked(null);
  };
  const ask = (what: What, thing: Thing) => {
    setAsked({ what, thing });
  };
  return (
    <>
      <PageHeader
        title={title}
        description={text}
        actions={
          can(manage) && (
            <Button
              onClick={() => {
                setAsked('new');
              }}
            >
              {add}
            </Button>
          )
        }
      />
      <RequirePermission permission={read}>{list(ask)}</RequirePermission>
      <Dialog
        opened={asked !== null}
        onClose={close}
        title={asked === null || asked === 'new' ? add : dialogTitle(asked)}
      >
        {asked !== null && dialog(asked === 'new' ? null : asked, close)}
      </Dialog>
    </>
  );
}

/** One thing of a list: what it is called, what else is known of it, and what can be done. */
export function ThingCard({
  name,
  badges,
  description,
  testId,
  actions,
  children,
}: {
  name: string;
  badges: ReactNode;
  description: string;
  testId: string;
  actions: ReactNode;
  children: ReactNode;
}) {
  return (
    <Paper withBorder p="md" data-testid={testId}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Stack gap={4} miw={0}>
          <Group gap="xs">
            <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
              {name}
            </Text>
            {badges}
          </Group>
          {description !== '' && (
            <Text size="sm" c="dimmed">
              {description}
            </Text>
          )}
          {children}
        </Stack>
        {actions !== false && (
          <Group gap={4} wrap="nowrap">
            {actions}
          </Group>
        )}
      </Group>
    </Paper>
  );
}

/** Something that can be done with a thing. */
export function ThingAction({
  label,
  icon: Symbol,
  color = 'gray',
  disabled,
  loading,
  onClick,
}: {
  label: string;
  icon: Icon;
  color?: MantineColor;
  disabled?: boolean;
  loading?: boolean;
  onClick: () => void;
}) {
  return (
    <ActionIcon
      variant="subtle"
      color={color}
      aria-label={label}
      disabled={disabled}
      loading={loading}
      onClick={onClick}
    >
      <Symbol size={16} />
    </ActionIcon>
  );
}

/** Whether a text is a name: 1 to 80 characters. */
export const isName = (text: string): boolean => text.trim() !== '' && text.trim().length <= 80;

/** A form in a dialog about something that has a name. */
export function ThingForm({
  name,
  onName,
  ok = true,
  children,
  ...form
}: Omit<ComponentProps<typeof DialogForm>, 'text'> & {
  name: string;
  onName: (name: string) => void;
}) {
  const { t } = useTranslation('access');
  return (
    <DialogForm {...form} ok={ok && isName(name)}>
      {(tried) => (
        <>
          <TextInput
            label={t('name')}
            value={name}
            data-autofocus
            error={tried && !isName(name) ? t('invalidName') : null}
            onChange={(event) => {
              onName(event.currentTarget.value);
            }}
          />
          {children(tried)}
        </>
      )}
    </DialogForm>
  );
}

export function DescriptionField({
  value,
  onChange,
}: {
  value: string;
  onChange: (value: string) => void;
}) {
  const { t } = useTranslation('access');
  return (
    <Textarea
      label={t('description')}
      value={value}
      maxLength={500}
      autosize
      onChange={(event) => {
        onChange(event.currentTarget.value);
      }}
    />
  );
}
