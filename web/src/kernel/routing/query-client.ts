import { QueryCache, QueryClient, MutationCache } from '@tanstack/react-query';
import { asApiError } from '@/api/errors';
import { askForSecondFactor, isSecondFactorRequired } from '@/kernel/identity/factors/required';
import { forgetSession } from '@/kernel/identity/session';

// An answer of 401 means that the server no longer knows the session: sign-in takes over. One that an organisation asks for a
// second factor leads to its page.
function onError(error: unknown): void {
  const { isUnauthenticated, code } = asApiError(error);
  // A session that was ended elsewhere, whose token is not too old yet.
  if (isUnauthenticated || code === 'session_not_found') void forgetSession();
  if (isSecondFactorRequired(code)) askForSecondFactor();
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    // The server may be this very machine: what the browser thinks of the internet says nothing about it.
    mutations: { networkMode: 'always' },
    queries: {
      networkMode: 'always',
      staleTime: 15_000,
      retry: (count, error) => count < 2 && asApiError(error).isTransient,
    },
  },
});
