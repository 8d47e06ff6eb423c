/** Passkeys among what the browser offers to fill in (conditional mediation): nobody has to know that they have one. */
import { useEffect, useRef } from 'react';
import { keysPossible, passkeyFromAutofill } from './api';

/** A ceremony is good for five minutes; who comes back to the page later is offered a new one. */
const RENEW = 4 * 60_000;

async function possible(): Promise<boolean> {
  return keysPossible() && (await PublicKeyCredential.isConditionalMediationAvailable());
}

/** The same, where a browser lacks a part of it. */
async function isPossible(): Promise<boolean> {
  try {
    return await possible();
  } catch {
    return false;
  }
}

/**
 * Offers passkeys in the field whose `autocomplete` ends with `webauthn`, for as long as `wanted`. It is silent: until somebody
 * picks one nothing shows, and what goes wrong before leaves the other ways.
 */
export function usePasskeyAutofill({
  wanted,
  onDone,
  onError,
}: {
  wanted: boolean;
  onDone: () => void;
  /** With what went wrong after somebody had picked one. */
  onError: (error: unknown) => void;
}): void {
  const heard = useRef({ onDone, onError });
  useEffect(() => {
    heard.current = { onDone, onError };
  });
  useEffect(() => {
    if (!wanted) return;
    let ceremony = new AbortController();
    const offer = async () => {
      ceremony.abort();
      ceremony = new AbortController();
      const { signal } = ceremony;
      if (!(await isPossible())) return;
      try {
        if (await passkeyFromAutofill(signal)) heard.current.onDone();
      } catch (error) {
        // Somebody else's abort is no news to them.
        if (!signal.aborted) heard.current.onError(error);
      }
    };
    void offer();
    const clock = setInterval(() => void offer(), RENEW);
    return () => {
      clearInterval(clock);
      ceremony.abort();
    };
  }, [wanted]);
}
