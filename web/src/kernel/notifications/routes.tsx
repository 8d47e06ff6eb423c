import { createRoute } from '@tanstack/react-router';
import { requireSession, rootRoute } from '@/kernel/routing/routes';
import { MailboxPage } from './pages/mailbox';
import { PreferencesPage } from './pages/preferences';

const mailboxRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/mailbox',
  component: MailboxPage,
});

const preferencesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/account/notifications',
  beforeLoad: ({ location }) => requireSession(location.href),
  component: PreferencesPage,
});

export const notificationsRoutes = [mailboxRoute, preferencesRoute] as const;
