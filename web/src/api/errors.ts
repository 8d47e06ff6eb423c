/** A refused or failed call, in the one form every page can show: what happened, why, and what to do. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: string | null = null,
    readonly hint: string | null = null,
  ) {
    super(message);
  }

  get isNotFound(): boolean {
    return this.status === 404 || this.code === 'PGRST116';
  }

  get isUnauthenticated(): boolean {
    // What sign-in says of a token that is not good any more.
    return this.status === 401 || this.code === 'bad_jwt';
  }

  get isForbidden(): boolean {
    return this.status === 403;
  }

  /** Worth asking again without any change: the network, or the server for the moment. */
  get isTransient(): boolean {
    return this.status === 0 || this.status >= 500;
  }
}

const text = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;

/** Reads the body of a refused call, whichever of the server's forms it has. */
export function toApiError(status: number, body: unknown): ApiError {
  const fields = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const message = text(fields.message) ?? text(fields.msg) ?? text(body);
  return new ApiError(
    status,
    text(fields.code) ?? text(fields.error_code) ?? `http.${status}`,
    message ?? 'The server refused the request without saying why.',
    text(fields.details),
    text(fields.hint),
  );
}

/** Makes an ApiError of whatever was thrown. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof TypeError) {
    return new ApiError(
      0,
      'network.unreachable',
      'The server cannot be reached.',
      error.message,
      'Check your connection, then try again.',
    );
  }
  if (error instanceof Error) return new ApiError(0, 'web.unexpected', error.message);
  return new ApiError(0, 'web.unexpected', String(error));
}
