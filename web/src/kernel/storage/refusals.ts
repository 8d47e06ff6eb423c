/** What the storage service refuses, in the form every page can show. */
import { ApiError, asApiError, toApiError } from '@/api/errors';

/** The client keeps the status and drops the code. */
const CODES: Readonly<Record<number, string>> = {
  403: 'AccessDenied',
  404: 'NoSuchKey',
  409: 'KeyAlreadyExists',
  413: 'EntityTooLarge',
};

/** What the client says of a call that failed. */
interface StorageError {
  message: string;
  status?: number | undefined;
  statusCode?: string | undefined;
  /** If there was no answer. */
  originalError?: unknown;
}

/** Of a call by the client. */
export function refusedBy(error: StorageError): ApiError {
  if (error.originalError !== undefined) return asApiError(error.originalError);
  const told = Number(error.statusCode);
  const status = Number.isFinite(told) && told > 0 ? told : (error.status ?? 0);
  return new ApiError(status, CODES[status] ?? `http.${status}`, error.message);
}

/** Of an answer whose body is text. The service says the true status in it; of uploads in parts it says the code in a header. */
export function refusedWith(status: number, body: string, named?: string | null): ApiError {
  let told: unknown = body.trim();
  try {
    told = JSON.parse(body);
  } catch {
    // Something between here and the server answered.
  }
  const meant =
    typeof told === 'object' && told !== null && 'statusCode' in told ? Number(told.statusCode) : 0;
  const error = toApiError(meant > 0 ? meant : status, told);
  const code = named ?? (error.code.startsWith('http.') ? CODES[error.status] : undefined);
  return code === undefined ? error : new ApiError(error.status, code, error.message);
}

/** Whether an upload in parts goes on by itself after this. A name that is taken, and other refusals, stay what they are. */
export function goesOn(error: ApiError): boolean {
  // Another request adds to it at the moment, or it is not as far as was thought.
  return error.isTransient || error.status === 423 || error.code === 'storage.upload_offset';
}

/** The data of a call by the client; throws an ApiError for what was refused. */
export async function taken<Outcome extends { data: unknown; error: StorageError | null }>(
  call: Promise<Outcome>,
): Promise<NonNullable<Outcome['data']>> {
  const { data, error } = await call;
  if (error !== null) throw refusedBy(error);
  return data as NonNullable<Outcome['data']>;
}
