import { useUploads } from '../use-uploads';
import { UnfinishedUploads } from './unfinished-uploads';
import { UploadsPanel } from './uploads-panel';

/** What goes below a folder, and what did not get there. On its own, so that the list is not drawn again with each step. */
export function Uploads({ prefix, mayWrite }: { prefix: string; mayWrite: boolean }) {
  const { uploads, queue } = useUploads(prefix);
  return (
    <>
      {mayWrite && <UnfinishedUploads prefix={prefix} uploads={uploads} queue={queue} />}
      <UploadsPanel uploads={uploads} queue={queue} />
    </>
  );
}
