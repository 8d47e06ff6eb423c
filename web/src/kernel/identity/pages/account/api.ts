/** The account of whoever is signed in: what they say of themselves, where they are signed in, what is kept of them. */
import type { User } from '@supabase/supabase-js';
import { queryOptions } from '@tanstack/react-query';
import { requestHeaders } from '@/api/client';
import { asApiError, toApiError } from '@/api/errors';
import { backTo, forgetSession, refused, supabase } from '../../session';

async function call(path: string, init: RequestInit = {}): Promise<unknown> {
  let response: Response;
  try {
    const headers = {
      ...(await requestHeaders()),
      'content-type': 'application/json',
      'x-supabase-api-version': '2024-01-01',
    };
    response = await fetch(`/auth/v1${path}`, { ...init, headers });
  } catch (error) {
    throw asApiError(error);
  }
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw toApiError(response.status, body);
  return body;
}

export const userQuery = () =>
  queryOptions({
    queryKey: ['account', 'user'],
    queryFn: async (): Promise<User> => {
      const { data, error } = await supabase.auth.getUser();
      if (error) throw refused(error);
      return data.user;
    },
  });

export interface Profile {
  name: string;
  email: string;
}

export function nameOf(user: User): string {
  const { name } = user.user_metadata as { name?: unknown };
  return typeof name === 'string' ? name : '';
}

/** Asks for a code that confirms a change of what guards the account. */
export async function askForConfirmation(): Promise<void> {
  const { error } = await supabase.auth.reauthenticate();
  if (error) throw refused(error);
}

/** Gives the address that has to be confirmed by mail first, if one has. `nonce` is the code the server may ask for. */
export async function saveProfile(
  user: User,
  { name, email }: Profile,
  nonce?: string,
): Promise<string | null> {
  const moves = email.trim().toLowerCase() !== (user.email ?? '');
  const { data, error } = await supabase.auth.updateUser(
    { data: { name }, ...(moves ? { email } : {}), ...(nonce === undefined ? {} : { nonce }) },
    { emailRedirectTo: backTo('/account') },
  );
  if (error) throw refused(error);
  return data.user.new_email ?? null;
}

export interface OwnSession {
  id: string;
  created_at: string;
  refreshed_at: string;
  user_agent: string | null;
  ip: string | null;
  aal: string;
  current: boolean;
}

export const sessionsQuery = () =>
  queryOptions({
    queryKey: ['account', 'sessions'],
    queryFn: async (): Promise<OwnSession[]> =>
      ((await call('/sessions')) as { sessions: OwnSession[] }).sessions,
  });

export async function endSession(id: string): Promise<void> {
  await call(`/sessions/${id}`, { method: 'DELETE' });
}

export async function endOtherSessions(): Promise<void> {
  const { error } = await supabase.auth.signOut({ scope: 'others' });
  if (error) throw refused(error);
}

/** All that is kept of the person, as a file for them. */
export async function saveData(): Promise<void> {
  const data = JSON.stringify(await call('/user/data'), null, 2);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([data], { type: 'application/json' }));
  link.download = 'my-data.json';
  link.click();
  URL.revokeObjectURL(link.href);
}

export async function eraseAccount(password: string, nonce?: string): Promise<void> {
  await call('/user/data', { method: 'DELETE', body: JSON.stringify({ password, nonce }) });
  await forgetSession();
}
