/** Which ways in this installation offers. */
import { useQuery } from '@tanstack/react-query';

async function offersPhone(): Promise<boolean> {
  const response = await fetch('/auth/v1/settings');
  if (!response.ok) return false;
  const settings = (await response.json()) as { external?: { phone?: boolean } };
  return settings.external?.phone === true;
}

/** Whether people sign in by telephone here; not until it is known. */
export function usePhoneSignIn(): boolean {
  const settings = useQuery({
    queryKey: ['auth', 'offers-phone'],
    queryFn: offersPhone,
    staleTime: 5 * 60_000,
    retry: false,
  });
  return settings.data === true;
}
