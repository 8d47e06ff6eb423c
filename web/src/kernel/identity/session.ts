/**
 * Who is signed in. The access token lives in supabase-js, in memory; the refresh token in a cookie that no script can read.
 */
import {
  createClient,
  isAuthRetryableFetchError,
  isAuthWeakPasswordError,
  type AuthError,
  type Session,
} from '@supabase/supabase-js';
import i18next from 'i18next';
import { useSyncExternalStore } from 'react';
import { authenticateWith, PUBLISHABLE_KEY } from '@/api/client';
import { ApiError, asApiError } from '@/api/errors';

const landing = new URLSearchParams(window.location.hash.slice(1));

/** Why the link of a mail that led here was refused, if one was. */
let refusedLink = landing.get('error_code') ?? landing.get('error');

/** Whether a refused link led here. Told until somebody signs in or the page that says so was left. */
export function cameByRefusedLink(): boolean {
  return refusedLink !== null;
}

export function forgetRefusedLink(): void {
  refusedLink = null;
}

/** What the server understands as: the refresh token is in the cookie. */
const COOKIE = 'cookie';
const STORAGE_KEY = 'tenon.session';
/** Says in all windows that there may be a cookie, so that visitors ask for none. It is no secret. */
const HINT = 'tenon.signed-in';
/** Until when this browser waits to be led back with a session it asked for. */
const AWAITED = 'tenon.led-back-until';
/** As long as the link of a mail is good. */
const AWAITED_MS = 60 * 60 * 1000;

// The access token is kept in memory alone.
const memory = new Map<string, string>();

/** Seconds to wait before the refusal that came last will not come again; supabase-js keeps the header to itself. */
let wait: number | null = null;

/** Asks the server to keep the refresh token in a cookie that scripts cannot read, and notes how long it asks to wait. */
export const fetchWithCookie: typeof fetch = async (input, init) => {
  const request = new Request(input, init);
  if (new URL(request.url).pathname.startsWith('/auth/v1/')) {
    request.headers.set('x-tenon-session', COOKIE);
  }
  const response = await fetch(request);
  const seconds = Number(response.headers.get('retry-after'));
  if (response.status === 429) wait = Number.isFinite(seconds) && seconds > 0 ? seconds : null;
  return response;
};

export const supabase = createClient(window.location.origin, PUBLISHABLE_KEY, {
  global: { fetch: fetchWithCookie },
  auth: {
    storageKey: STORAGE_KEY,
    storage: {
      getItem: (key) => memory.get(key) ?? null,
      setItem: (key, value) => void memory.set(key, value),
      removeItem: (key) => void memory.delete(key),
    },
    detectSessionInUrl: false,
    experimental: { passkey: true },
  },
});

// Links in mails and other ways in lead back here with the cookie, or with a token if they led through another name of this
// server. What stands behind the `#` has been read.
const token = landing.get('refresh_token');
const ledBack = token !== null || landing.has('session');
// Asked in each case: whoever came back with the cookie waits no more.
const wanted = ledBack && awaited() && token !== null;
const brought = wanted ? token : COOKIE;
if (landing.get('session') === COOKIE || wanted) {
  localStorage.setItem(HINT, '1');
}

/** Whether this browser asked to be led back. Once for each time it asked: else any address could bring a session along. */
function awaited(): boolean {
  const until = Number(localStorage.getItem(AWAITED));
  localStorage.removeItem(AWAITED);
  return until > Date.now();
}

/** A session that nobody here asked for, such as an invitation's. Whoever sent it may want the reader to act in their account. */
let offered = wanted ? null : token;

/** Whether the address brought a session that is still to be taken up or left. */
export function hasOfferedSession(): boolean {
  return offered !== null;
}

/** Takes up the session that the address brought, as its reader wants. */
export async function takeOfferedSession(): Promise<void> {
  if (offered === null) return;
  const { error } = await supabase.auth.refreshSession({ refresh_token: offered });
  if (error) throw refused(error);
  offered = null;
  forgetRefusedLink();
}

if (landing.has('session') || landing.has('refresh_token') || landing.has('error')) {
  window.history.replaceState(
    window.history.state,
    '',
    window.location.pathname + window.location.search,
  );
}

/** Where links and other ways in lead back to, with the session in the cookie; from now on this browser waits for it. */
export function backTo(path: string): string {
  localStorage.setItem(AWAITED, String(Date.now() + AWAITED_MS));
  const url = new URL(path, window.location.origin);
  url.searchParams.set('session', COOKIE);
  return url.href;
}

let current: Session | null = null;
const listeners = new Set<() => void>();

function remember(session: Session | null): void {
  const changed = session?.access_token !== current?.access_token;
  current = session;
  if (changed) for (const listener of listeners) listener();
}

supabase.auth.onAuthStateChange((event, session) => {
  if (session !== null) {
    // It may have begun in another window.
    memory.set(STORAGE_KEY, JSON.stringify(session));
    localStorage.setItem(HINT, '1');
    // Whoever came in, by whichever way, waits for no other.
    if (event === 'SIGNED_IN') localStorage.removeItem(AWAITED);
  } else if (event === 'SIGNED_OUT') {
    memory.delete(STORAGE_KEY);
    localStorage.removeItem(HINT);
  }
  if (session !== null || event !== 'INITIAL_SESSION') remember(session);
});

let restored: Promise<void> | undefined;

/** Takes up the session whose cookie an earlier page left. */
async function takeUp(): Promise<void> {
  if (localStorage.getItem(HINT) === null) return;
  const { error } = await supabase.auth.refreshSession({ refresh_token: brought });
  if (isAuthRetryableFetchError(error)) {
    restored = undefined;
    throw asApiError(new TypeError(error.message));
  }
}

/** The session after any refresh that was due, or null for a signed-out visitor. */
export async function currentSession(): Promise<Session | null> {
  restored ??= takeUp();
  await restored;
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
    options: { data: { name, locale }, emailRedirectTo: backTo(next) },
  });
  if (error) throw refused(error);
  return data.session !== null;
}

/** Asks for a mail with a link and a code to set a new password. */
export async function forgotPassword(email: string): Promise<void> {
  const redirectTo = backTo('/new-password');
  const { error } = await supabase.auth.resetPasswordForEmail(email, { redirectTo });
  if (error) throw refused(error);
}

/** Asks for another mail to confirm an address. */
export async function confirmAgain(email: string): Promise<void> {
  const { error } = await supabase.auth.resend({
    type: 'signup',
    email,
    options: { emailRedirectTo: backTo('/') },
  });
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

/** Sets the password of whoever is signed in, with the code the server may ask for; their other sessions end. */
export async function setPassword(password: string, nonce?: string): Promise<void> {
  const { error } = await supabase.auth.updateUser({
    password,
    ...(nonce === undefined ? {} : { nonce }),
  });
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
