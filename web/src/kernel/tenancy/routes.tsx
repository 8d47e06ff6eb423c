import { createRoute } from '@tanstack/react-router';
import { accessRoutes } from '@/kernel/access/routes';
import { currentSession } from '@/kernel/identity/session';
import { requireSession, rootRoute } from '@/kernel/routing/routes';
import { anySearch } from '@/kernel/routing/search';
import { webhookRoutes } from '@/kernel/webhooks/routes';
import { AcceptInvitationPage } from './pages/accept-invitation';
import { CreateOrganizationPage } from './pages/create-organization';
import { MembersPage } from './pages/members';
import { AppsPage } from './settings/pages/apps';
import { DangerPage } from './settings/pages/danger';
import { DepartmentsPage } from './settings/pages/departments';
import { GeneralPage } from './settings/pages/general';
import { LookPage } from './settings/pages/look';
import { PlanPage } from './settings/pages/plan';
import { SecurityPage } from './settings/pages/security';
import { SettingsIndex } from './settings/layout';
import { settingsRoute } from './settings/route';

const createOrganizationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/new-organization',
  beforeLoad: ({ location }) => requireSession(location.href),
  component: CreateOrganizationPage,
});

const invitationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/invite/$token',
  // The page offers different ways to visitors and to those signed in.
  beforeLoad: async () => {
    await currentSession();
  },
  component: AcceptInvitationPage,
});

const settingsIndexRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/',
  component: SettingsIndex,
});

const membersRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/members',
  validateSearch: anySearch,
  component: MembersPage,
});

const generalRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/general',
  component: GeneralPage,
});

const lookRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/look',
  component: LookPage,
});

const departmentsRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/departments',
  validateSearch: anySearch,
  component: DepartmentsPage,
});

const appsRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/apps',
  component: AppsPage,
});

const securityRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/security',
  component: SecurityPage,
});

const planRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/plan',
  component: PlanPage,
});

const dangerRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/danger',
  component: DangerPage,
});

/** Outside any organisation. */
export const tenancyRoutes = [createOrganizationRoute, invitationRoute] as const;
/** Inside one. */
export const settingsRoutes = [
  settingsRoute.addChildren([
    settingsIndexRoute,
    generalRoute,
    lookRoute,
    membersRoute,
    departmentsRoute,
    appsRoute,
    securityRoute,
    planRoute,
    dangerRoute,
    ...accessRoutes,
    ...webhookRoutes,
  ]),
] as const;
