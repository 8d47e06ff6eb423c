import { createRoute, redirect } from '@tanstack/react-router';
import { requireSession, rootRoute } from '@/kernel/routing/routes';
import { anySearch } from '@/kernel/routing/search';
import { OperatorLayout } from './layout';
import { MessagesPage } from './pages/messages';
import { OrganizationPage } from './pages/organization';
import { OrganizationsPage } from './pages/organizations';
import { PlansPage } from './pages/plans';
import { ProgramsPage } from './pages/programs';
import { UsersPage } from './pages/users';

const operatorRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/operator',
  beforeLoad: ({ location }) => requireSession(location.href),
  component: OperatorLayout,
});

const indexRoute = createRoute({
  getParentRoute: () => operatorRoute,
  path: '/',
  beforeLoad: () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the router's own way
    throw redirect({ to: '/operator/organizations' });
  },
});

const organizationsRoute = createRoute({
  getParentRoute: () => operatorRoute,
  path: '/organizations',
  validateSearch: anySearch,
  component: OrganizationsPage,
});

const oneOrganizationRoute = createRoute({
  getParentRoute: () => operatorRoute,
  path: '/organizations/$id',
  component: OrganizationPage,
});

const plansRoute = createRoute({
  getParentRoute: () => operatorRoute,
  path: '/plans',
  component: PlansPage,
});

const programsRoute = createRoute({
  getParentRoute: () => operatorRoute,
  path: '/programs',
  validateSearch: anySearch,
  component: ProgramsPage,
});

const messagesRoute = createRoute({
  getParentRoute: () => operatorRoute,
  path: '/messages',
  component: MessagesPage,
});

const usersRoute = createRoute({
  getParentRoute: () => operatorRoute,
  path: '/users',
  validateSearch: anySearch,
  component: UsersPage,
});

/** The console of those who run the installation; outside any organisation. */
export const operatorRoutes = [
  operatorRoute.addChildren([
    indexRoute,
    organizationsRoute,
    oneOrganizationRoute,
    plansRoute,
    programsRoute,
    usersRoute,
    messagesRoute,
  ]),
] as const;
