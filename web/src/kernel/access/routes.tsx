import { createRoute } from '@tanstack/react-router';
import { anySearch } from '@/kernel/routing/search';
import { settingsRoute } from '@/kernel/tenancy/settings/route';
import { KeysPage } from './pages/keys';
import { ReviewPage } from './pages/review';
import { RolesPage } from './pages/roles/roles';
import { SpacesPage } from './pages/spaces';
import { SupportPage } from './pages/support';

const rolesRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/roles',
  component: RolesPage,
});

const spacesRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/spaces',
  component: SpacesPage,
});

const keysRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/keys',
  validateSearch: anySearch,
  component: KeysPage,
});

const reviewRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/access-review',
  validateSearch: anySearch,
  component: ReviewPage,
});

const supportRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/support',
  validateSearch: anySearch,
  component: SupportPage,
});

/** Pages of an organisation's settings. */
export const accessRoutes = [
  rolesRoute,
  spacesRoute,
  keysRoute,
  reviewRoute,
  supportRoute,
] as const;
