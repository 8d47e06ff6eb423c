import { notifications } from '@mantine/notifications';
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import { asApiError } from '@/api/errors';

export function notifyDone(message: string): void {
  notifications.show({ message, color: 'teal', icon: <IconCheck size={18} /> });
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
  });
}
