import { createRoute } from '@tanstack/react-router';
import { currentSession } from '@/kernel/identity/session';
import { organizationRoute, requireSession, rootRoute } from '@/kernel/routing/routes';
import { anySearch } from '@/kernel/routing/search';
import { AcceptInvitationPage } from './pages/accept-invitation';
import { CreateOrganizationPage } from './pages/create-organization';
import { MembersPage } from './pages/members';

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

const membersRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: '/settings/members',
  validateSearch: anySearch,
  component: MembersPage,
});

/** Outside any organisation. */
export const tenancyRoutes = [createOrganizationRoute, invitationRoute] as const;
/** Inside one. */
export const settingsRoutes = [membersRoute] as const;
