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

function queueOf(organizationId: string): UploadQueue {
  let queue = queues.get(organizationId);
  if (queue === undefined) {
    queue = new UploadQueue(
      sendFor(organizationId),
      () => void queryClient.invalidateQueries({ queryKey: [organizationId, 'files'] }),
    );
    queues.set(organizationId, queue);
  }
  return queue;
}

/** The uploads of an organisation that go below a folder; they go on while other pages are looked at. */
export function useUploads(prefix: string): { uploads: readonly Upload[]; queue: UploadQueue } {
  const { id } = useOrganization();
  const queue = queueOf(id);
  const all = useSyncExternalStore(queue.subscribe, queue.snapshot);
  const uploads = useMemo(
    () => all.filter(({ path }) => prefix === '' || path.startsWith(`${prefix}/`)),
    [all, prefix],
  );
  return { uploads, queue };
}
