import { createRoute } from '@tanstack/react-router';
import { requireSession, rootRoute } from '@/kernel/routing/routes';
import { ConnectedProgramsPage } from './connected-programs-page';
import { ConsentPage } from './consent';

interface ConsentSearch {
  authorization_id?: string;
  fault?: string;
}

const consentRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/oauth/consent',
  validateSearch: ({ authorization_id: id, fault }: Record<string, unknown>): ConsentSearch => ({
    ...(typeof id === 'string' ? { authorization_id: id } : {}),
    ...(typeof fault === 'string' ? { fault } : {}),
  }),
  // What is wrong with a request can be told to everybody.
  beforeLoad: async ({ search, location }) => {
    if (search.authorization_id !== undefined) await requireSession(location.href);
  },
  component: ConsentPage,
});

const programsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/account/programs',
  beforeLoad: ({ location }) => requireSession(location.href),
  component: ConnectedProgramsPage,
});

export const issuerRoutes = [consentRoute, programsRoute] as const;
