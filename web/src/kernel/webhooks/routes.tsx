import { createRoute } from '@tanstack/react-router';
import { anySearch } from '@/kernel/routing/search';
import { settingsRoute } from '@/kernel/tenancy/settings/route';
import { EndpointsPage } from './pages/endpoints';
import { LogPage } from './pages/log';

const endpointsRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/webhooks',
  validateSearch: anySearch,
  component: EndpointsPage,
});

const logRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/webhooks/log',
  validateSearch: anySearch,
  component: LogPage,
});

/** Pages of an organisation's settings. */
export const webhookRoutes = [endpointsRoute, logRoute] as const;
