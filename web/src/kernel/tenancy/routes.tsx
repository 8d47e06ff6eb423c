import { createRoute } from '@tanstack/react-router';
import { currentSession } from '@/kernel/identity/session';
import { organizationRoute, requireSession, rootRoute } from '@/kernel/routing/routes';
import { anySearch } from '@/kernel/routing/search';
import { AcceptInvitationPage } from './pages/accept-invitation';
import { CreateOrganizationPage } from './pages/create-organization';
import { MembersPage } from './pages/members';
import { SettingsIndex, SettingsLayout } from './settings/layout';

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

/** The frame of all settings of an organisation; pages of other modules hang here, too. */
export const settingsRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: '/settings',
  component: SettingsLayout,
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

/** Outside any organisation. */
export const tenancyRoutes = [createOrganizationRoute, invitationRoute] as const;
/** Inside one. */
export const settingsRoutes = [
  settingsRoute.addChildren([settingsIndexRoute, membersRoute]),
] as const;
