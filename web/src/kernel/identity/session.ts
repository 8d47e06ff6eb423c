/** Who is signed in. The tokens live in supabase-js; nothing else in the web app keeps them. */
import {
  createClient,
  isAuthWeakPasswordError,
  type AuthError,
  type Session,
} from '@supabase/supabase-js';
import i18next from 'i18next';
import { useSyncExternalStore } from 'react';
import { authenticateWith, PUBLISHABLE_KEY } from '@/api/client';
import { ApiError } from '@/api/errors';

/** Why the link of a mail that led here was refused, if one was; read before supabase-js looks at the address. */
let refusedLink = new URLSearchParams(window.location.hash.slice(1)).get('error_code');

/** Whether a refused link led here. Told until somebody signs in or the page that says so was left. */
export function cameByRefusedLink(): boolean {
  return refusedLink !== null;
}

export function forgetRefusedLink(): void {
  refusedLink = null;
}

/** Seconds to wait before the refusal that came last will not come again; supabase-js keeps the header to itself. */
let wait: number | null = null;

const noteWait: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  const seconds = Number(response.headers.get('retry-after'));
  if (response.status === 429) wait = Number.isFinite(seconds) && seconds > 0 ? seconds : null;
  return response;
};

export const supabase = createClient(window.location.origin, PUBLISHABLE_KEY, {
  // Links in mails lead back here with the session behind the `#`.
  auth: { storageKey: 'tenon.session', detectSessionInUrl: true, experimental: { passkey: true } },
  global: { fetch: noteWait },
});

/** Where links and other ways in lead back to. */
export function backTo(path: string): string {
  return new URL(path, window.location.origin).href;
}

let current: Session | null = null;
const listeners = new Set<() => void>();

function remember(session: Session | null): void {
  const changed = session?.access_token !== current?.access_token;
  current = session;
  if (changed) for (const listener of listeners) listener();
}

supabase.auth.onAuthStateChange((_event, session) => {
  remember(session);
});

/** The session after any refresh that was due, or null for a signed-out visitor. */
export async function currentSession(): Promise<Session | null> {
  const { data } = await supabase.auth.getSession();
  remember(data.session);
  return data.session;
}

export async function accessToken(): Promise<string | null> {
  return (await currentSession())?.access_token ?? null;
}

authenticateWith(accessToken);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSession(): Session | null {
  return useSyncExternalStore(subscribe, () => current);
}

let leaving = false;

/** Calls back when a session ends: by the user's own wish, or else by expiry or in another tab. */
export function onSignedOut(callback: (wanted: boolean) => void): () => void {
  const { data } = supabase.auth.onAuthStateChange((event) => {
    if (event === 'SIGNED_OUT') callback(leaving);
  });
  return () => {
    data.subscription.unsubscribe();
  };
}

/** Forgets the session here. Used when the server no longer knows it. */
export async function forgetSession(): Promise<void> {
  await supabase.auth.signOut({ scope: 'local' });
}

/** A refusal of `/auth/v1` in the form every page can show. */
export function refused(error: AuthError): ApiError {
  const status = error.status ?? 0;
  if (isAuthWeakPasswordError(error)) {
    const words = error.reasons.map((reason) => i18next.t(`errors:weak_password_${reason}`));
    return new ApiError(status, 'weak_password', error.message, words.join(' ') || null);
  }
  const hint = status === 429 && wait !== null ? waitHint(wait) : null;
  return new ApiError(status, error.code ?? 'auth.failed', error.message, null, hint);
}

function waitHint(seconds: number): string {
  return seconds < 120
    ? i18next.t('identity:wait.seconds', { count: seconds })
    : i18next.t('identity:wait.minutes', { count: Math.ceil(seconds / 60) });
}

export async function signIn(email: string, password: string): Promise<void> {
  const { error } = await supabase.auth.signInWithPassword({ email, password });
  if (error) throw refused(error);
  forgetRefusedLink();
}

/** Gives whether the person is signed in now; if not, they have to show first that they read their address. */
export async function signUp(
  email: string,
  password: string,
  name: string,
  locale: string,
  next: string,
): Promise<boolean> {
  const { data, error } = await supabase.auth.signUp({
    email,
    password,
    options: { data: { name, locale }, emailRedirectTo: window.location.origin + next },
  });
  if (error) throw refused(error);
  return data.session !== null;
}

/** Asks for a mail with a link and a code to set a new password. */
export async function forgotPassword(email: string): Promise<void> {
  const redirectTo = `${window.location.origin}/new-password`;
  const { error } = await supabase.auth.resetPasswordForEmail(email, { redirectTo });
  if (error) throw refused(error);
}

/** Asks for another mail to confirm an address. */
export async function confirmAgain(email: string): Promise<void> {
  const { error } = await supabase.auth.resend({ type: 'signup', email });
  if (error) throw refused(error);
}

/** Signs in with the code of a mail. */
export async function showCode(
  email: string,
  token: string,
  type: 'recovery' | 'email',
): Promise<void> {
  const { error } = await supabase.auth.verifyOtp({ email, token, type });
  if (error) throw refused(error);
  forgetRefusedLink();
}

/** Asks for a text message with a code. */
export async function askForText(phone: string): Promise<void> {
  const { error } = await supabase.auth.signInWithOtp({ phone });
  if (error) throw refused(error);
}

/** Signs in with the code of a text message. */
export async function showTextCode(phone: string, token: string): Promise<void> {
  const { error } = await supabase.auth.verifyOtp({ phone, token, type: 'sms' });
  if (error) throw refused(error);
  forgetRefusedLink();
}

/** Sets the password of whoever is signed in; their other sessions end. */
export async function setPassword(password: string): Promise<void> {
  const { error } = await supabase.auth.updateUser({ password });
  if (error) throw refused(error);
}

export async function signOut(): Promise<void> {
  leaving = true;
  const { error } = await supabase.auth.signOut({ scope: 'local' }).finally(() => {
    leaving = false;
  });
  // A session the server has already forgotten is signed out all the same.
  if (error && error.status !== 401 && error.status !== 403 && error.status !== 404) {
    throw refused(error);
  }
}
