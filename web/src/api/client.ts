import createClient, { type Client, type Middleware } from 'openapi-fetch';
import { ApiError, asApiError, toApiError } from './errors';
import type { paths } from './generated/schema';

/** Names the web app to the server; it grants nothing. */
export const PUBLISHABLE_KEY = 'sb_publishable_tenon';

export type Api = Client<paths>;

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Success<Responses> = {
  [Status in keyof Responses]: Status extends 200 | 201 | 202 ? Responses[Status] : never;
}[keyof Responses];

/** What an operation answers: `Reply<'/api/v1/imports/{id}'>`, named by path since schema names may change. */
export type Reply<Path extends keyof paths, Verb extends Method = 'get'> =
  paths[Path] extends Record<Verb, { responses: infer Responses }>
    ? Success<Responses> extends { content: { 'application/json': infer Body } }
      ? Body
      : never
    : never;

let accessToken: () => Promise<string | null> = () => Promise.resolve(null);

/** Tells the client where the caller's token is; identity does so once at start. */
export function authenticateWith(source: () => Promise<string | null>): void {
  accessToken = source;
}

/** The headers every call to the server carries. */
export async function requestHeaders(organizationId?: string): Promise<Record<string, string>> {
  const token = await accessToken();
  return {
    apikey: PUBLISHABLE_KEY,
    Authorization: `Bearer ${token ?? PUBLISHABLE_KEY}`,
    ...(organizationId === undefined ? {} : { 'x-org-id': organizationId }),
  };
}

/** A client for the server's commands, speaking for one organisation or for none. */
export function createApi(organizationId?: string): Api {
  const identify: Middleware = {
    async onRequest({ request }) {
      const headers = await requestHeaders(organizationId);
      for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
      return request;
    },
  };
  const client = createClient<paths>({ baseUrl: window.location.origin });
  client.use(identify);
  return client;
}

interface Outcome<Body> {
  data?: Body;
  error?: unknown;
  response: Response;
}

/** The body of a successful call; throws an ApiError for any other. */
export async function reply<Body>(call: Promise<Outcome<Body>>): Promise<Body> {
  let outcome: Outcome<Body>;
  try {
    outcome = await call;
  } catch (error) {
    throw asApiError(error);
  }
  if (!outcome.response.ok) throw toApiError(outcome.response.status, outcome.error);
  return outcome.data as Body;
}

/** Fetches a file with the caller's identity and hands it to the browser to save. */
export async function download(
  path: string,
  organizationId: string,
  fallbackName: string,
): Promise<void> {
  let response: Response;
  try {
    response = await fetch(path, { headers: await requestHeaders(organizationId) });
  } catch (error) {
    throw asApiError(error);
  }
  if (!response.ok) {
    throw toApiError(response.status, await response.json().catch(() => null));
  }
  const name = /filename="?([^";]+)"?/.exec(response.headers.get('content-disposition') ?? '')?.[1];
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = name ?? fallbackName;
  link.click();
  URL.revokeObjectURL(address);
}

export { ApiError };
