import { useMemo, useSyncExternalStore } from 'react';
import { onSignedOut } from '@/kernel/identity/session';
import { queryClient } from '@/kernel/routing/query-client';
import { useOrganization } from '@/kernel/tenancy/organization';
import { sendFor } from './transfer';
import { UploadQueue, type Upload } from './upload-queue';

const queues = new Map<string, UploadQueue>();

// Who signs in next sees nothing of it.
onSignedOut(() => {
  for (const queue of queues.values()) queue.end();
  queues.clear();
});

// Whoever closes the window in the middle is asked first, whichever page they look at.
window.addEventListener('beforeunload', (event) => {
  if ([...queues.values()].some(({ isBusy }) => isBusy)) event.preventDefault();
});

window.addEventListener('online', () => {
  for (const queue of queues.values()) queue.retryAll(({ isTransient }) => isTransient);
});

/** Many small files arrive in a second, and a list that is asked for again each time never comes. */
const TOGETHER_MS = 400;

function refresher(organizationId: string): () => void {
  let waits = false;
  return () => {
    if (waits) return;
    waits = true;
    setTimeout(() => {
      waits = false;
      void queryClient.invalidateQueries({ queryKey: [organizationId, 'files'] });
    }, TOGETHER_MS);
  };
}

function queueOf(organizationId: string): UploadQueue {
  let queue = queues.get(organizationId);
  if (queue === undefined) {
    queue = new UploadQueue(sendFor(organizationId), refresher(organizationId));
    queues.set(organizationId, queue);
  }
  return queue;
}

/** What takes the uploads of an organisation; they go on while other pages are looked at. */
export function useUploadQueue(): UploadQueue {
  return queueOf(useOrganization().id);
}

/** The uploads of an organisation that go below a folder, with each change of them. */
export function useUploads(prefix: string): { uploads: readonly Upload[]; queue: UploadQueue } {
  const queue = useUploadQueue();
  const all = useSyncExternalStore(queue.subscribe, queue.snapshot);
  const uploads = useMemo(
    () => all.filter(({ path }) => prefix === '' || path.startsWith(`${prefix}/`)),
    [all, prefix],
  );
  return { uploads, queue };
}
