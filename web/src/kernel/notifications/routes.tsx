import { createRoute } from '@tanstack/react-router';
import { rootRoute } from '@/kernel/routing/routes';
import { MailboxPage } from './pages/mailbox';

const mailboxRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/mailbox',
  component: MailboxPage,
});

export const notificationsRoutes = [mailboxRoute] as const;
