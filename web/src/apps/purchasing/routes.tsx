import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { organizationRoute } from '@/kernel/routing/routes';
import { anySearch } from '@/kernel/routing/search';

const boardRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: '/purchasing',
  component: lazyRouteComponent(() => import('./pages/board'), 'BoardPage'),
});

const ordersRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: '/purchasing/orders',
  validateSearch: anySearch,
  component: lazyRouteComponent(() => import('./pages/orders'), 'OrdersPage'),
});

const orderRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: '/purchasing/orders/$id',
  validateSearch: anySearch,
  component: lazyRouteComponent(() => import('./pages/order'), 'OrderPage'),
});

const alertsRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: '/purchasing/alerts',
  validateSearch: anySearch,
  component: lazyRouteComponent(() => import('./pages/alerts'), 'AlertsPage'),
});

export const purchasingRoutes = [boardRoute, ordersRoute, orderRoute, alertsRoute] as const;
