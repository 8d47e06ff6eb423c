/** Puts the modules' routes together. */
import { createRoute, createRouter, Outlet, redirect } from '@tanstack/react-router';
import { identityRoutes } from '@/kernel/identity/routes';
import { issuerRoutes } from '@/kernel/identity/issuer/routes';
import { notificationsRoutes } from '@/kernel/notifications/routes';
import { operatorRoutes } from '@/kernel/operator/routes';
import { queryClient } from '@/kernel/routing/query-client';
import { organizationRoute, requireSession, rootRoute } from '@/kernel/routing/routes';
import { parseSearch, stringifySearch } from '@/kernel/routing/search';
import { organizationsQuery } from '@/kernel/tenancy/queries';
import { tenancyRoutes } from '@/kernel/tenancy/routes';
import { AppLayout } from './layout/app-layout';
import { lastOrganization } from './last-organization';
import { moduleRoutes } from './modules';
import { CrashPage } from './pages/crash';
import { NotFound } from '@/ui/states/not-found';
import { OrganizationHome } from './pages/organization-home';
import { PendingPage } from './pages/pending';

rootRoute.update({ component: Outlet, notFoundComponent: () => <NotFound alone /> });
// An organisation that is not there has no frame either.
organizationRoute.update({
  component: AppLayout,
  notFoundComponent: () => <NotFound alone />,
});

const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: async ({ location, context }) => {
    await requireSession(location.href);
    const all = await context.queryClient.query(organizationsQuery());
    const target = all.find(({ slug }) => slug === lastOrganization.get()) ?? all[0];
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the router's own way
    if (target === undefined) throw redirect({ to: '/new-organization' });
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the router's own way
    throw redirect({ to: '/o/$org', params: { org: target.slug } });
  },
});

const organizationIndexRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: '/',
  component: OrganizationHome,
});

const routeTree = rootRoute.addChildren([
  indexRoute,
  ...identityRoutes,
  ...issuerRoutes,
  ...notificationsRoutes,
  ...tenancyRoutes,
  ...operatorRoutes,
  organizationRoute.addChildren([organizationIndexRoute, ...moduleRoutes]),
]);

export const router = createRouter({
  routeTree,
  context: { queryClient },
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0,
  defaultErrorComponent: CrashPage,
  defaultNotFoundComponent: () => <NotFound />,
  defaultPendingComponent: PendingPage,
  defaultPendingMs: 300,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
