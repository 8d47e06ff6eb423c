import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { authenticateWith, createApi, reply } from './client';
import { ApiError } from './errors';

const answers = vi.fn<(request: Request) => Promise<Response>>();

beforeEach(() => {
  vi.stubGlobal('fetch', answers);
});

afterEach(() => {
  answers.mockReset();
  authenticateWith(() => Promise.resolve(null));
  vi.unstubAllGlobals();
});

const json = (status: number, body: unknown) =>
  Promise.resolve(
    new Response(JSON.stringify(body), {
      status,
      headers: { 'content-type': 'application/json' },
    }),
  );

describe('a call', () => {
  it('carries key, token and organisation', async () => {
    authenticateWith(() => Promise.resolve('token-of-amelia'));
    answers.mockImplementation(() => json(200, []));
    await reply(createApi('organisation-7').GET('/api/v1/tenancy/members'));
    const headers = answers.mock.calls[0]![0].headers;
    expect(headers.get('apikey')).toBe('sb_publishable_tenon');
    expect(headers.get('authorization')).toBe('Bearer token-of-amelia');
    expect(headers.get('x-org-id')).toBe('organisation-7');
  });

  it('speaks for a visitor and no organisation where there is none', async () => {
    answers.mockImplementation(() => json(200, []));
    await reply(createApi().GET('/api/v1/tenancy/organizations'));
    const headers = answers.mock.calls[0]![0].headers;
    expect(headers.get('authorization')).toBe('Bearer sb_publishable_tenon');
    expect(headers.has('x-org-id')).toBe(false);
  });

  it('throws what the server said when it refuses', async () => {
    answers.mockImplementation(() =>
      json(403, { code: 'tenancy.permission_denied', message: 'No.', details: 'x', hint: null }),
    );
    const call = reply(createApi('o').GET('/api/v1/tenancy/members'));
    await expect(call).rejects.toBeInstanceOf(ApiError);
    await expect(call).rejects.toMatchObject({ code: 'tenancy.permission_denied', status: 403 });
  });

  it('throws in the same form when nobody answers', async () => {
    answers.mockImplementation(() => Promise.reject(new TypeError('Failed to fetch')));
    await expect(reply(createApi().GET('/api/v1/tenancy/organizations'))).rejects.toMatchObject({
      code: 'network.unreachable',
    });
  });
});
