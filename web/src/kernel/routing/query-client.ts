import { QueryCache, QueryClient, MutationCache } from '@tanstack/react-query';
import { asApiError } from '@/api/errors';
import { forgetSession } from '@/kernel/identity/session';

// An answer of 401 means that the server no longer knows the session: sign-in takes over.
function onError(error: unknown): void {
  if (asApiError(error).isUnauthenticated) void forgetSession();
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (count, error) => count < 2 && asApiError(error).isTransient,
    },
  },
});
