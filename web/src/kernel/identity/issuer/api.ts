/** What programs ask of people, and what people let them do. */
import { queryOptions } from '@tanstack/react-query';
import type { AuthError, OAuthGrant } from '@supabase/supabase-js';
import { toApiError } from '@/api/errors';
import { accessToken, supabase } from '../session';

export interface Request {
  authorization_id: string;
  redirect_uri: string;
  client: { id: string; name: string; uri: string; logo_uri: string };
  user: { id: string; email: string };
  scope: string;
  /** Whether it goes on while the person is away. */
  refreshes: boolean;
  /** Whether the operator registered the program. */
  checked: boolean;
}

/** A question, or where to go on since it was answered before. */
export type Answer = Request | { redirect_url: string };

const refused = (error: AuthError) =>
  toApiError(error.status ?? 0, { code: error.code ?? 'auth.failed', message: error.message });

async function call<T>(path: string, body?: object): Promise<T> {
  const answer = await fetch(`/auth/v1/oauth/authorizations/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${(await accessToken()) ?? ''}`,
      'content-type': 'application/json',
      'x-supabase-api-version': '2024-01-01',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const content = (await answer.json().catch(() => null)) as T;
  if (!answer.ok) throw toApiError(answer.status, content);
  return content;
}

export const requestQuery = (id: string) =>
  queryOptions({
    queryKey: ['oauth', 'request', id],
    queryFn: () => call<Answer>(encodeURIComponent(id)),
    // Looking may already be the answer, and that is given once.
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    retry: false,
  });

/** Says yes or no; gives the address to go on to. */
export async function decide(id: string, action: 'approve' | 'deny'): Promise<string> {
  const { redirect_url } = await call<{ redirect_url: string }>(
    `${encodeURIComponent(id)}/consent`,
    { action },
  );
  return redirect_url;
}

/** Leaves the question to another account. */
export async function release(id: string): Promise<void> {
  await call(`${encodeURIComponent(id)}/consent`, { action: 'release' });
}

export const grantsQuery = () =>
  queryOptions({
    queryKey: ['oauth', 'grants'],
    queryFn: async (): Promise<OAuthGrant[]> => {
      const { data, error } = await supabase.auth.oauth.listGrants();
      if (error) throw refused(error);
      return data;
    },
  });

export async function disconnect(clientId: string): Promise<void> {
  const { error } = await supabase.auth.oauth.revokeGrant({ clientId });
  if (error) throw refused(error);
}
