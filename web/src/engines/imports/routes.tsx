import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { organizationRoute } from '@/kernel/routing/routes';
import { anySearch } from '@/kernel/routing/search';

const listRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: '/imports',
  validateSearch: anySearch,
  component: lazyRouteComponent(() => import('./pages/import-list'), 'ImportListPage'),
});

const newRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: '/imports/new',
  validateSearch: anySearch,
  component: lazyRouteComponent(() => import('./pages/new-import'), 'NewImportPage'),
});

const detailRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: '/imports/$id',
  validateSearch: anySearch,
  component: lazyRouteComponent(() => import('./pages/import-detail'), 'ImportDetailPage'),
});

export const importsRoutes = [listRoute, newRoute, detailRoute] as const;
