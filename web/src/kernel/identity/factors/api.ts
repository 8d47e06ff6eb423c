/** Second factors and passkeys of whoever is signed in. */
import {
  isAuthError,
  type AuthError,
  type Factor,
  type MFAVerifyWebauthnParams,
} from '@supabase/supabase-js';
import { queryOptions } from '@tanstack/react-query';
import { requestHeaders } from '@/api/client';
import { ApiError, asApiError, toApiError } from '@/api/errors';
import { currentSession, fetchWithCookie, forgetRefusedLink, refused, supabase } from '../session';
import { isRaised } from './level';

const { auth } = supabase;

/** Whether security keys and passkeys can be used on this page: browsers know none for bare addresses. */
export function keysPossible(): boolean {
  const { hostname } = window.location;
  const bareAddress = /^[\d.]+$/.test(hostname) || hostname.includes(':');
  return typeof PublicKeyCredential !== 'undefined' && !bareAddress;
}

/** What a person is told whose browser or key did not go through with it. */
export function asKeyError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (isAuthError(error) && error.status !== undefined) return refused(error);
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.name : name;
  if (cause === 'NotAllowedError' || cause === 'AbortError') {
    return new ApiError(0, 'web.key_cancelled', message);
  }
  if (cause === 'InvalidStateError') return new ApiError(0, 'web.key_known', message);
  return asApiError(error);
}

function checked<Data>(answer: { data: Data | null; error: AuthError | null }): Data {
  if (answer.error) throw refused(answer.error);
  if (answer.data === null) throw new ApiError(0, 'web.unexpected', 'The server gave no answer.');
  return answer.data;
}

export type FactorType = 'totp' | 'webauthn' | 'phone';

/** A factor as the server tells it; the library's type leaves the number out. */
export type OwnFactor = Factor & { phone?: string };

export interface Factors {
  /** Confirmed ones, oldest first. */
  verified: OwnFactor[];
  /** Whether one was shown in this session. */
  raised: boolean;
}

export const factorsQuery = () =>
  queryOptions({
    queryKey: ['factors'],
    queryFn: async (): Promise<Factors> => {
      const { all } = checked(await auth.mfa.listFactors());
      const session = await currentSession();
      return {
        verified: all.filter(({ status }) => status === 'verified'),
        raised: session !== null && isRaised(session),
      };
    },
  });

/** Forgets what was begun under a name and not confirmed, so that it can be begun again. */
async function clear(name: string): Promise<void> {
  const { all } = checked(await auth.mfa.listFactors());
  for (const factor of all) {
    if (factor.status === 'unverified' && factor.friendly_name === name) {
      await auth.mfa.unenroll({ factorId: factor.id });
    }
  }
}

export interface NewApp {
  id: string;
  /** An address of a picture. */
  picture: string;
  secret: string;
}

/** Begins to add an authenticator app; `showAppCode` with its first code confirms it. */
export async function addApp(friendlyName: string): Promise<NewApp> {
  await clear(friendlyName);
  const { id, totp } = checked(await auth.mfa.enroll({ factorType: 'totp', friendlyName }));
  return { id, picture: totp.qr_code, secret: totp.secret };
}

/** Shows a code of an authenticator app. */
export async function showAppCode(factorId: string, code: string): Promise<void> {
  checked(await auth.mfa.challengeAndVerify({ factorId, code }));
}

/** Adds a security key. */
export async function addKey(friendlyName: string): Promise<void> {
  await clear(friendlyName);
  const { id } = checked(await auth.mfa.enroll({ factorType: 'webauthn', friendlyName }));
  try {
    await showKey(id);
  } catch (error) {
    await auth.mfa.unenroll({ factorId: id });
    throw error;
  }
}

/** Shows a security key, or makes one of a factor that is new. */
export async function showKey(factorId: string): Promise<void> {
  const rpId = window.location.hostname;
  const { id, webauthn } = checked(await auth.mfa.challenge({ factorId, webauthn: { rpId } }));
  // The library's types of the options are ahead of the browser's.
  const credential = await (
    webauthn.type === 'create'
      ? navigator.credentials.create(webauthn.credential_options as CredentialCreationOptions)
      : navigator.credentials.get(webauthn.credential_options as CredentialRequestOptions)
  ).catch((error: unknown) => {
    throw asKeyError(error);
  });
  const answer = {
    factorId,
    challengeId: id,
    webauthn: { type: webauthn.type, rpId, credential_response: credential },
  } as MFAVerifyWebauthnParams;
  checked(await auth.mfa.verify(answer));
}

/** A text message on its way. */
export interface SentCode {
  factorId: string;
  challengeId: string;
}

/** Begins to add a telephone, to which a code goes; `showTextCode` with it confirms it. */
export async function addPhone(friendlyName: string, phone: string): Promise<SentCode> {
  await clear(friendlyName);
  const { id } = checked(await auth.mfa.enroll({ factorType: 'phone', friendlyName, phone }));
  try {
    return await sendTextCode(id);
  } catch (error) {
    await auth.mfa.unenroll({ factorId: id });
    throw error;
  }
}

/** Sends a code to a telephone. */
export async function sendTextCode(factorId: string): Promise<SentCode> {
  const { id } = checked(await auth.mfa.challenge({ factorId, channel: 'sms' }));
  return { factorId, challengeId: id };
}

/** Shows the code of a text message. */
export async function showTextCode(
  { factorId, challengeId }: SentCode,
  code: string,
): Promise<void> {
  checked(await auth.mfa.verify({ factorId, challengeId, code }));
}

export async function removeFactor(factorId: string): Promise<void> {
  checked(await auth.mfa.unenroll({ factorId }));
  // The tokens still say what the factor gave them.
  const { error } = await auth.refreshSession();
  if (error) throw refused(error);
}

/** For what the library has no call of its own. */
async function call(method: string, path: string, body?: object): Promise<unknown> {
  let response: Response;
  try {
    response = await fetchWithCookie(`/auth/v1/${path}`, {
      method,
      headers: {
        ...(await requestHeaders()),
        'X-Supabase-Api-Version': '2024-01-01',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw asApiError(error);
  }
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw toApiError(response.status, answer);
  return answer;
}

export async function renameFactor(factorId: string, friendlyName: string): Promise<void> {
  await call('PATCH', `factors/${factorId}`, { friendly_name: friendlyName });
}

export interface RecoveryCodes {
  total: number;
  remaining: number;
}

/** How many recovery codes are left; null where none were made. */
export const recoveryCodesQuery = () =>
  queryOptions({
    queryKey: ['recovery-codes'],
    queryFn: async (): Promise<RecoveryCodes | null> => {
      try {
        return (await call('GET', 'factors/recovery-codes')) as RecoveryCodes;
      } catch (error) {
        if (asApiError(error).code === 'mfa_factor_not_found') return null;
        throw error;
      }
    },
  });

/** Makes new recovery codes; those there were are void. */
export async function makeRecoveryCodes(again: boolean): Promise<string[]> {
  const path = again ? 'factors/recovery-codes/regenerate' : 'factors/recovery-codes';
  return ((await call('POST', path)) as { codes: string[] }).codes;
}

/** Shows a recovery code in place of a factor. */
export async function showRecoveryCode(code: string): Promise<void> {
  const session = (await call('POST', 'factors/recovery-codes/verify', { code })) as {
    access_token: string;
    refresh_token: string;
  };
  const { error } = await auth.setSession(session);
  if (error) throw refused(error);
}

export interface Passkey {
  id: string;
  friendly_name?: string;
  created_at: string;
  last_used_at?: string;
}

export const passkeysQuery = () =>
  queryOptions({
    queryKey: ['passkeys'],
    queryFn: async (): Promise<Passkey[]> => checked(await auth.passkey.list()),
  });

export async function addPasskey(name: string): Promise<void> {
  const { data, error } = await auth.registerPasskey();
  if (error) throw asKeyError(error);
  checked(await auth.passkey.update({ passkeyId: data.id, friendlyName: name }));
}

export async function renamePasskey(passkeyId: string, friendlyName: string): Promise<void> {
  checked(await auth.passkey.update({ passkeyId, friendlyName }));
}

export async function removePasskey(passkeyId: string): Promise<void> {
  const { error } = await auth.passkey.delete({ passkeyId });
  if (error) throw refused(error);
}

export async function signInWithPasskey(): Promise<void> {
  const { error } = await auth.signInWithPasskey();
  if (error) throw asKeyError(error);
  forgetRefusedLink();
}

type ShownPasskey = Parameters<typeof auth.passkey.verifyAuthentication>[0]['credential'];

/**
 * Waits until somebody picks a passkey among what the browser offers to fill in, and signs in with it. Gives false where none was
 * picked or the browser cannot do it; once one was picked, what goes wrong is thrown.
 */
export async function passkeyFromAutofill(signal: AbortSignal): Promise<boolean> {
  const { data } = await auth.passkey.startAuthentication();
  if (data === null || signal.aborted) return false;
  let picked: Credential | null;
  try {
    picked = await navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(
        data.options as PublicKeyCredentialRequestOptionsJSON,
      ),
      mediation: 'conditional',
      signal,
    });
  } catch {
    return false;
  }
  if (!(picked instanceof PublicKeyCredential)) return false;
  const { error } = await auth.passkey.verifyAuthentication({
    challengeId: data.challenge_id,
    credential: picked.toJSON() as ShownPasskey,
  });
  if (error) throw asKeyError(error);
  forgetRefusedLink();
  return true;
}
