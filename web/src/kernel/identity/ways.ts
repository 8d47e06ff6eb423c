/** Which ways in and which factors this installation offers. */
import { queryOptions, useQuery } from '@tanstack/react-query';

/** Codes by text message as a second factor. */
export interface PhoneFactor {
  /** Whether one may add a number. */
  add: boolean;
  /** Whether one may show a number one has. */
  show: boolean;
  /** Seconds between messages. */
  pause: number;
}

interface Ways {
  phoneSignIn: boolean;
  phoneFactor: PhoneFactor;
}

interface Settings {
  external?: { phone?: boolean };
  mfa?: {
    phone?: { enroll_enabled?: boolean; verify_enabled?: boolean; pause_seconds?: number };
  };
}

const NO_PHONE_FACTOR: PhoneFactor = { add: false, show: false, pause: 0 };

const waysQuery = () =>
  queryOptions({
    queryKey: ['auth', 'ways'],
    queryFn: async (): Promise<Ways> => {
      const response = await fetch('/auth/v1/settings');
      if (!response.ok) return { phoneSignIn: false, phoneFactor: NO_PHONE_FACTOR };
      const { external, mfa } = (await response.json()) as Settings;
      const show = mfa?.phone?.verify_enabled === true;
      return {
        phoneSignIn: external?.phone === true,
        phoneFactor: {
          // A number that cannot be shown afterwards guards nothing.
          add: show && mfa.phone?.enroll_enabled === true,
          show,
          pause: mfa?.phone?.pause_seconds ?? 0,
        },
      };
    },
    staleTime: 5 * 60_000,
    retry: false,
  });

/** Whether people sign in by telephone here; not until it is known. */
export function usePhoneSignIn(): boolean {
  return useQuery(waysQuery()).data?.phoneSignIn === true;
}

/** What can be done with codes by text message as a second factor; nothing until it is known. */
export function usePhoneFactor(): PhoneFactor {
  return useQuery(waysQuery()).data?.phoneFactor ?? NO_PHONE_FACTOR;
}
