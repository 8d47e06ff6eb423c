/** Ways in by an outside provider: which there are, signing in with one, and those of whoever is signed in. */
import type { Provider, UserIdentity } from '@supabase/supabase-js';
import { queryOptions } from '@tanstack/react-query';
import { PUBLISHABLE_KEY } from '@/api/client';
import { ApiError, toApiError } from '@/api/errors';
import { backTo, refused, supabase } from '../session';

export interface ProviderOfSignIn {
  name: string;
  label: string;
}

interface Settings {
  disable_signup: boolean;
  external_labels?: Record<string, string>;
}

/** The providers that this installation offers, in the order of their names. */
export function providersQuery() {
  return queryOptions({
    queryKey: ['identity', 'providers'],
    staleTime: 5 * 60_000,
    queryFn: async ({ signal }): Promise<ProviderOfSignIn[]> => {
      const answer = await fetch('/auth/v1/settings', {
        headers: { apikey: PUBLISHABLE_KEY },
        signal,
      });
      const body: unknown = await answer.json();
      if (!answer.ok) throw toApiError(answer.status, body);
      const labels = (body as Settings).external_labels ?? {};
      return Object.entries(labels).map(([name, label]) => ({ name, label }));
    },
  });
}

/** Leaves for the provider's page; comes back to `next`, or to sign-in with what went wrong. */
export async function signInWith(provider: string, next: string): Promise<void> {
  const back = next === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`;
  const { error } = await supabase.auth.signInWithOAuth({
    provider: provider as Provider,
    options: { redirectTo: backTo(back) },
  });
  if (error) throw refused(error);
}

/** The ways in of whoever is signed in, the oldest first. */
export function waysInQuery() {
  return queryOptions({
    queryKey: ['identity', 'ways-in'],
    queryFn: async (): Promise<UserIdentity[]> => {
      const { data, error } = await supabase.auth.getUserIdentities();
      if (error) throw refused(error);
      return data.identities;
    },
  });
}

/** Leaves for the provider's page to add it to the account. */
export async function linkWith(provider: string, page: string): Promise<void> {
  const { error } = await supabase.auth.linkIdentity({
    provider: provider as Provider,
    options: { redirectTo: backTo(page) },
  });
  if (error) throw refused(error);
}

export async function unlink(identity: UserIdentity): Promise<void> {
  const { error } = await supabase.auth.unlinkIdentity(identity);
  if (error) throw refused(error);
}

const landing = new URLSearchParams(window.location.search);
const code = landing.get('error_code');
let refusal =
  code === null
    ? null
    : new ApiError(400, code, landing.get('error_description') ?? landing.get('error') ?? code);

if (refusal !== null) {
  // Said once: not again when the page is loaded anew.
  for (const name of ['error', 'error_code', 'error_description']) landing.delete(name);
  const { pathname, hash } = window.location;
  const query = landing.size === 0 ? '' : `?${landing.toString()}`;
  window.history.replaceState(window.history.state, '', pathname + query + hash);
}

/** Why a provider led back here without a session, until a page was left that said so. */
export function refusalOfProvider(): ApiError | null {
  return refusal;
}

export function forgetRefusal(): void {
  refusal = null;
}
