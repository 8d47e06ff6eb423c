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

/** Of an answer whose body is text. The service says the true status in it. */
export function refusedWith(status: number, body: string): ApiError {
  let told: unknown = body;
  try {
    told = JSON.parse(body);
  } catch {
    // Something between here and the server answered.
  }
  const meant =
    typeof told === 'object' && told !== null && 'statusCode' in told ? Number(told.statusCode) : 0;
  const error = toApiError(meant > 0 ? meant : status, told);
  // Uploads in parts are refused in words alone.
  const code = error.code.startsWith('http.') ? CODES[error.status] : undefined;
  return code === undefined ? error : new ApiError(error.status, code, error.message);
}

/** The data of a call by the client; throws an ApiError for what was refused. */
export async function taken<Outcome extends { data: unknown; error: StorageError | null }>(
  call: Promise<Outcome>,
): Promise<NonNullable<Outcome['data']>> {
  const { data, error } = await call;
  if (error !== null) throw refusedBy(error);
  return data as NonNullable<Outcome['data']>;
}
