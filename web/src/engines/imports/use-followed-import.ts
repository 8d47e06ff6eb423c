import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useLiveEvents, type LiveEvent } from '@/kernel/live/use-live-events';
import { useOrganization } from '@/kernel/tenancy/organization';
import { isRunning, type Import } from './model';
import { importQuery } from './queries';

const POLL_ALONE_MS = 1_000;
/** An event may be lost, so that even with live events the server is asked now and then. */
const POLL_BESIDE_EVENTS_MS = 4_000;

export function withProgress(run: Import, event: LiveEvent): Import {
  const { done, total, phase } = event;
  if (event.type !== 'progress' || typeof done !== 'number' || typeof total !== 'number')
    return run;
  return {
    ...run,
    progress: {
      done,
      total,
      phase: typeof phase === 'string' ? phase : (run.progress?.phase ?? ''),
    },
  };
}

/** One import, kept up to date while the server works on it: by live events, else by asking. */
export function useFollowedImport(importId: string) {
  const organization = useOrganization();
  const queryClient = useQueryClient();
  const options = importQuery(organization, importId);
  const running = isRunning(queryClient.getQueryData(options.queryKey)?.state ?? 'uploaded');

  const live = useLiveEvents(organization.id, `imports:${importId}`, running, (event) => {
    if (event.type === 'progress') {
      queryClient.setQueryData(options.queryKey, (run) => run && withProgress(run, event));
    } else {
      // A new state, or the stream begins or lost something: only the server knows the whole.
      void queryClient.invalidateQueries({ queryKey: options.queryKey });
    }
  });

  const query = useQuery({
    ...options,
    refetchInterval: ({ state: { data } }) =>
      data !== undefined && isRunning(data.state)
        ? live
          ? POLL_BESIDE_EVENTS_MS
          : POLL_ALONE_MS
        : false,
  });

  const state = query.data?.state;
  useEffect(() => {
    // What an import brings or takes shows on pages of other modules.
    if (state === 'committed' || state === 'undone') {
      void queryClient.invalidateQueries({
        predicate: ({ queryKey: [owner, module] }) =>
          owner === organization.id && module !== 'imports' && module !== 'session',
      });
    }
  }, [state, organization.id, queryClient]);

  return query;
}
