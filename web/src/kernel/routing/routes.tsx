/** The two routes that everything else hangs on: the root, and one organisation. */
import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  notFound,
  redirect,
} from '@tanstack/react-router';
import { needsSecondStep } from '@/kernel/identity/factors/level';
import { cameByRefusedLink, currentSession, forgetRefusedLink } from '@/kernel/identity/session';
import type { SignInSearch } from './search';
import { organizationsQuery, organizationSessionQuery } from '@/kernel/tenancy/queries';

export interface RouterContext {
  queryClient: QueryClient;
}

export const rootRoute = createRootRouteWithContext<RouterContext>()();

function whyHere(href: string): SignInSearch {
  if (cameByRefusedLink()) {
    forgetRefusedLink();
    return { reason: 'link' };
  }
  return href === '/' ? {} : { next: href };
}

/** Sends a signed-out visitor to sign-in, whoever has a second factor to its step, and back here afterwards. */
export async function requireSession(href: string): Promise<void> {
  const session = await currentSession();
  if (session === null) {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the router's own way
    throw redirect({ to: '/sign-in', search: whyHere(href) });
  }
  if (needsSecondStep(session)) {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the router's own way
    throw redirect({ to: '/second-factor', search: href === '/' ? {} : { next: href } });
  }
}

export const organizationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/o/$org',
  beforeLoad: async ({ params, location, context: { queryClient } }) => {
    await requireSession(location.href);
    const find = async (fresh: boolean) => {
      const all = await queryClient.query({
        ...organizationsQuery(),
        ...(fresh ? { staleTime: 0 } : {}),
      });
      return (
        all.find(({ slug }) => slug === params.org) ??
        all.find(({ former_slugs }) => former_slugs.includes(params.org))
      );
    };
    // The list may be older than an invitation accepted elsewhere.
    const membership = (await find(false)) ?? (await find(true));
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the router's own way
    if (membership === undefined) throw notFound();
    if (membership.slug !== params.org) {
      // An old link: the organisation has another address now.
      const rest = location.href.slice(`/o/${params.org}`.length);
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- the router's own way
      throw redirect({ href: `/o/${membership.slug}${rest}`, replace: true });
    }
    const session = await queryClient.query({
      ...organizationSessionQuery(membership.id),
      staleTime: 'static',
    });
    return { organization: membership, session };
  },
});
