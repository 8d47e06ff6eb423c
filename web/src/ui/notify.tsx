import { notifications } from '@mantine/notifications';
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import i18next from 'i18next';
import { asApiError } from '@/api/errors';

/** What the library leaves without a name. */
const closeButtonProps = () => ({ 'aria-label': i18next.t('ui:close') });

export function notifyDone(message: string): void {
  notifications.show({
    message,
    color: 'teal',
    icon: <IconCheck size={18} />,
    closeButtonProps: closeButtonProps(),
  });
}

/** For calls without a place of their own on the page; it stays until it is dismissed. */
export function notifyFailed(error: unknown): void {
  const { message, details, hint } = asApiError(error);
  notifications.show({
    title: message,
    message: [details, hint].filter((part) => part !== null).join(' '),
    color: 'red',
    icon: <IconAlertTriangle size={18} />,
    autoClose: false,
    closeButtonProps: closeButtonProps(),
  });
}
