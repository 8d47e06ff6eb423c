/** One file on its way to the server: at once if it is small, in parts that can be taken up again if it is not. */
import { requestHeaders } from '@/api/client';
import { asApiError, type ApiError } from '@/api/errors';
import { BUCKET, join, RESUMABLE_FROM } from './model';
import { goesOn, refusedWith } from './refusals';
import { markOf } from './unfinished';

export interface Transfer {
  file: File;
  /** Below the organisation. */
  path: string;
  /** Whether a file of that name gives way. */
  replace: boolean;
  signal: AbortSignal;
  onProgress: (sent: number) => void;
  /** The connection broke off; it goes on by itself. */
  onInterrupted: () => void;
}

export type Send = (transfer: Transfer) => Promise<void>;

const PART = 6 * 1024 * 1024;
/** Between tries, in milliseconds: as long as a server needs that starts anew. */
const PAUSES = [0, 1000, 3000, 8000, 15_000, 30_000];
const CACHE_SECONDS = '3600';
const typeOf = (file: File) => (file.type === '' ? 'application/octet-stream' : file.type);
const unreachable = () => asApiError(new TypeError('The connection broke off.'));

/** How an organisation's files are sent. */
export function sendFor(organizationId: string): Send {
  return (transfer) =>
    transfer.file.size < RESUMABLE_FROM
      ? patiently(transfer, () => sendAtOnce(organizationId, transfer))
      : sendInParts(organizationId, transfer);
}

/** Tries again what did not reach the server. */
async function patiently(
  { signal, onInterrupted }: Transfer,
  send: () => Promise<void>,
): Promise<void> {
  for (const pause of PAUSES) {
    try {
      await send();
      return;
    } catch (error) {
      if (signal.aborted || !asApiError(error).isTransient) throw error;
      onInterrupted();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause);
        signal.addEventListener(
          'abort',
          () => {
            clearTimeout(timer);
            resolve();
          },
          { once: true },
        );
      });
    }
  }
  await send();
}

// `fetch`, which the client uses, does not tell how much has been sent.
async function sendAtOnce(
  organizationId: string,
  { file, path, replace, signal, onProgress }: Transfer,
): Promise<void> {
  const headers = await requestHeaders(organizationId);
  const name = join(organizationId, path).split('/').map(encodeURIComponent).join('/');
  await new Promise<void>((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    request.open('POST', `/storage/v1/object/${BUCKET}/${name}`);
    for (const [header, value] of Object.entries(headers)) request.setRequestHeader(header, value);
    request.setRequestHeader('content-type', typeOf(file));
    request.setRequestHeader('cache-control', `max-age=${CACHE_SECONDS}`);
    request.setRequestHeader('x-upsert', String(replace));
    request.upload.addEventListener('progress', ({ loaded }) => onProgress(loaded));
    request.addEventListener('load', () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(refusedWith(request.status, request.responseText));
    });
    request.addEventListener('error', () => reject(unreachable()));
    request.addEventListener('abort', () => reject(asApiError(signal.reason)));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}

async function sendInParts(
  organizationId: string,
  { file, path, replace, signal, onProgress, onInterrupted }: Transfer,
): Promise<void> {
  const { DetailedError, Upload } = await import('tus-js-client');
  const refusal = (error: Error): ApiError => {
    const answer = error instanceof DetailedError ? error.originalResponse : null;
    if (answer === null) return unreachable();
    return refusedWith(answer.getStatus(), answer.getBody(), answer.getHeader('x-error-code'));
  };
  signal.throwIfAborted();
  const objectName = join(organizationId, path);
  await new Promise<void>((resolve, reject) => {
    const upload = new Upload(file, {
      endpoint: `${window.location.origin}/storage/v1/upload/resumable`,
      chunkSize: PART,
      retryDelays: PAUSES,
      removeFingerprintOnSuccess: true,
      // The same file for another place is another upload.
      fingerprint: () =>
        Promise.resolve(`${markOf(objectName)}-${file.size}-${file.lastModified}-${replace}`),
      metadata: {
        bucketName: BUCKET,
        objectName,
        contentType: typeOf(file),
        cacheControl: CACHE_SECONDS,
      },
      headers: { 'x-upsert': String(replace) },
      // A token may be renewed while parts are on their way.
      onBeforeRequest: async (request) => {
        const headers = await requestHeaders(organizationId);
        for (const [header, value] of Object.entries(headers)) request.setHeader(header, value);
      },
      onShouldRetry: (error) => {
        const again = goesOn(refusal(error));
        if (again) onInterrupted();
        return again;
      },
      onProgress: (sent) => onProgress(sent),
      onSuccess: () => resolve(),
      onError: (error) => reject(refusal(error)),
    });
    signal.addEventListener(
      'abort',
      () => {
        reject(asApiError(signal.reason));
        // What came of it is given up on the server, too; if that is not told it is swept there.
        upload.abort(true).catch(() => undefined);
      },
      { once: true },
    );
    const begin = async () => {
      const earlier = await upload.findPreviousUploads();
      if (signal.aborted) return;
      const last = earlier.at(-1);
      if (last !== undefined) upload.resumeFromPreviousUpload(last);
      upload.start();
    };
    begin().catch((error: unknown) => reject(asApiError(error)));
  });
}
