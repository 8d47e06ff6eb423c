import { Button, Group, Stack, Text, type MantineColor } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorState } from './states/error-state';

interface Buttons {
  /** What the button says that does it. */
  submit: string;
  pending: boolean;
  color?: MantineColor | undefined;
  disabled?: boolean;
  /** What the other button says. */
  cancel?: string;
  /** Where the keyboard is at first; without, where the form says. */
  focus?: 'submit' | 'cancel';
  onCancel: () => void;
}

/** The two buttons at the end of a dialog. Without `onSubmit` the second submits the form around it. */
export function FormButtons({
  submit,
  pending,
  color,
  disabled,
  cancel,
  focus,
  onSubmit,
  onCancel,
}: Buttons & { onSubmit?: () => void }) {
  const { t } = useTranslation('ui');
  return (
    <Group justify="flex-end">
      <Button
        variant="default"
        data-autofocus={focus === 'cancel' ? true : undefined}
        onClick={onCancel}
      >
        {cancel ?? t('cancel')}
      </Button>
      <Button
        type={onSubmit === undefined ? 'submit' : 'button'}
        color={color}
        disabled={disabled}
        loading={pending}
        data-autofocus={focus === 'submit' ? true : undefined}
        onClick={onSubmit}
      >
        {submit}
      </Button>
    </Group>
  );
}

/** A form in a dialog. It looks at `ok` before `onSubmit`; fields show what is wrong with them from the first try on. */
export function DialogForm({
  text,
  ok = true,
  error,
  onSubmit,
  children,
  ...buttons
}: Buttons & {
  text?: string;
  ok?: boolean;
  error: Error | null;
  onSubmit: () => void;
  children: (tried: boolean) => ReactNode;
}) {
  const [tried, setTried] = useState(false);
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (ok) onSubmit();
      }}
    >
      <Stack>
        {text !== undefined && <Text size="sm">{text}</Text>}
        {error !== null && <ErrorState error={error} />}
        {children(tried)}
        <FormButtons {...buttons} />
      </Stack>
    </form>
  );
}

/** Asks in a dialog before something is done that is not undone so easily. */
export function Confirm({
  text,
  error,
  color = 'red',
  children,
  ...buttons
}: Buttons & {
  text: string;
  error: Error | null;
  onSubmit: () => void;
  children?: ReactNode;
}) {
  return (
    <Stack>
      <Text size="sm">{text}</Text>
      {children}
      {error !== null && <ErrorState error={error} />}
      <FormButtons color={color} {...buttons} />
    </Stack>
  );
}
