import { readFile } from 'node:fs/promises';
import { createClient } from '@supabase/supabase-js';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';

// The client library as its users use it, without the web app.
const url = process.env.TENON_URL ?? '';

function client(headers: Record<string, string> = {}) {
  return createClient(url, 'sb_publishable_tenon', {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { headers },
    // Node before 22 has no WebSocket of its own, and the client insists on one.
    realtime: { transport: WebSocket as never },
  });
}

const email = (name: string) => `${name}.${Date.now().toString(36)}@example.com`;
const password = 'correct horse battery';

it('signs up, in, on and out as auth-js does', async () => {
  const { auth } = client();
  const address = email('ada');
  const up = await auth.signUp({ email: address, password, options: { data: { name: 'Ada' } } });
  expect(up.error).toBeNull();
  expect(up.data.user?.user_metadata).toEqual({ name: 'Ada' });

  const again = await auth.signUp({ email: address, password });
  expect(again.error?.code).toBe('user_already_exists');
  const wrong = await auth.signInWithPassword({ email: address, password: 'not the password' });
  expect(wrong.error).toMatchObject({ status: 400, code: 'invalid_credentials' });

  const signedIn = await auth.signInWithPassword({ email: address, password });
  expect(signedIn.error).toBeNull();
  const claims = await auth.getClaims();
  expect(claims.data?.claims).toMatchObject({ role: 'authenticated', email: address, aal: 'aal1' });
  const refreshed = await auth.refreshSession();
  expect(refreshed.error).toBeNull();
  expect(refreshed.data.session?.refresh_token).not.toBe(signedIn.data.session?.refresh_token);
  const changed = await auth.updateUser({ data: { name: 'Ada L.' } });
  expect(changed.data.user?.user_metadata.name).toBe('Ada L.');

  const token = refreshed.data.session?.access_token;
  expect((await auth.signOut()).error).toBeNull();
  const gone = await client().auth.getUser(token);
  // What the client makes of `session_not_found`.
  expect(gone.error?.name).toBe('AuthSessionMissingError');
});

/** The code and the link's token of the newest mail to an address. */
async function mailTo(address: string): Promise<{ code: string; token: string }> {
  const answer = await fetch(`${url}/api/v1/notifications/mailbox`);
  const mails = (await answer.json()) as { recipient: string; text: string }[];
  const text = mails.find(({ recipient }) => recipient === address)?.text ?? '';
  return {
    code: /\b\d{6}\b/.exec(text)?.[0] ?? '',
    token: /token=([^&]+)/.exec(text)?.[1] ?? '',
  };
}

it('signs in by code and link of a mail, and recovers a password, as auth-js does', async () => {
  const { auth } = client();
  const address = email('otp');
  expect((await auth.signInWithOtp({ email: address })).error).toBeNull();
  const soon = await auth.signInWithOtp({ email: address });
  expect(soon.error).toMatchObject({ status: 429, code: 'over_email_send_rate_limit' });
  const { code } = await mailTo(address);
  const verified = await auth.verifyOtp({ email: address, token: code, type: 'email' });
  expect(verified.error).toBeNull();
  expect(verified.data.user?.email_confirmed_at).toBeTypeOf('string');
  expect((await auth.getClaims()).data?.claims.amr).toMatchObject([{ method: 'otp' }]);
  const spent = await auth.verifyOtp({ email: address, token: code, type: 'email' });
  expect(spent.error).toMatchObject({ status: 403, code: 'otp_expired' });

  const other = email('recover');
  await client().auth.signUp({ email: other, password });
  expect((await auth.resetPasswordForEmail(other)).error).toBeNull();
  const { token } = await mailTo(other);
  const recovered = await auth.verifyOtp({ token_hash: token, type: 'recovery' });
  expect(recovered.data.user?.email).toBe(other);
  expect((await auth.updateUser({ password })).error?.code).toBe('same_password');
  expect((await auth.updateUser({ password: `${password} 2` })).error).toBeNull();
});

it('exchanges the code of a link for a session, as auth-js does with PKCE', async () => {
  const memory = new Map<string, string>();
  const { auth } = createClient(url, 'sb_publishable_tenon', {
    auth: {
      flowType: 'pkce',
      autoRefreshToken: false,
      detectSessionInUrl: false,
      storage: {
        getItem: (key) => memory.get(key) ?? null,
        setItem: (key, value) => void memory.set(key, value),
        removeItem: (key) => void memory.delete(key),
      },
    },
    realtime: { transport: WebSocket as never },
  });
  const address = email('pkce');
  await client().auth.signUp({ email: address, password });
  expect((await auth.resetPasswordForEmail(address)).error).toBeNull();
  const { token } = await mailTo(address);
  const link = `${url}/auth/v1/verify?token=${token}&type=recovery`;
  const followed = await fetch(link, { redirect: 'manual' });
  const location = new URL(followed.headers.get('location') ?? '');
  expect(location.hash).toBe('');
  const code = location.searchParams.get('code') ?? '';
  const exchanged = await auth.exchangeCodeForSession(code);
  expect(exchanged.error).toBeNull();
  expect(exchanged.data.user?.email).toBe(address);
});

it('gives a visitor an account that becomes a person’s, as auth-js does', async () => {
  const { auth } = client();
  const visitor = await auth.signInAnonymously({ options: { data: { colour: 'blue' } } });
  expect(visitor.error).toBeNull();
  expect(visitor.data.user?.is_anonymous).toBe(true);
  const address = email('visitor');
  const person = await auth.updateUser({ email: address, password });
  expect(person.data.user).toMatchObject({
    id: visitor.data.user?.id,
    email: address,
    is_anonymous: false,
  });
  const identities = await auth.getUserIdentities();
  expect(identities.data?.identities.map(({ provider }) => provider)).toEqual(['email']);
});

it('reads through postgrest-js what the organisation imported, and nothing without it', async () => {
  const visitor = client();
  const { data } = await visitor.auth.signUp({ email: email('ben'), password });
  const token = data.session?.access_token ?? '';
  const call = async (
    path: string,
    init: {
      method?: string;
      headers?: Record<string, string>;
      body?: string | Uint8Array<ArrayBuffer>;
    } = {},
  ) => {
    const answer = await fetch(`${url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    });
    expect(answer.ok, `${path}: ${String(answer.status)}`).toBe(true);
    return (await answer.json()) as Record<string, never>;
  };
  const json = { 'content-type': 'application/json' };
  const organization = await call('/api/v1/tenancy/organizations', {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ name: 'Client Works' }),
  });
  const org = { 'x-org-id': String(organization.id) };
  const register = await readFile(new URL('./data/orders-and-surveys.xlsx', import.meta.url));
  const made = await call('/api/v1/imports?template=purchasing.register&filename=register.xlsx', {
    method: 'POST',
    headers: org,
    body: register,
  });
  const path = `/api/v1/imports/${String(made.id)}`;
  const state = async () => call(path, { headers: org });
  await expect.poll(async () => (await state()).state, { timeout: 60_000 }).toBe('validated');
  const { validation_version } = await state();
  await call(`${path}/confirm`, {
    method: 'POST',
    headers: { ...org, ...json },
    body: JSON.stringify({ validation_version }),
  });
  await expect.poll(async () => (await state()).state, { timeout: 60_000 }).toBe('committed');

  const member = client({ ...org, authorization: `Bearer ${token}` }).schema('purchasing');
  const page = await member
    .from('orders')
    .select('number,level,supplier:suppliers(name)', { count: 'exact' })
    .in('level', ['critical', 'over_budget'])
    .order('number')
    .range(0, 4);
  expect(page.error).toBeNull();
  expect(page.count).toBe(34);
  expect(page.data?.[0]).toEqual({
    number: 'PO-1700003',
    level: 'over_budget',
    supplier: { name: 'Nordvik Steel AS' },
  });
  const one = await member.from('orders').select('number').eq('number', 'nowhere').maybeSingle();
  expect(one).toMatchObject({ data: null, error: null });
  const none = await member.from('orders').select('number').eq('number', 'nowhere').single();
  expect(none.error?.code).toBe('PGRST116');
  const typo = await member.from('orders').select('numbr');
  expect(typo.error?.code).toBe('42703');
  const write = await member
    .from('orders')
    .update({ level: 'on_track' })
    .eq('number', 'PO-1700003');
  expect(write).toMatchObject({ status: 403, error: { code: '42501' } });
  const missing = await member.rpc('nothing_here');
  expect(missing.error?.code).toBe('PGRST202');

  // Without the header the organisation is the caller's own, whoever calls.
  const own = await visitor.schema('purchasing').from('orders').select('number').limit(1);
  expect(own.data).toHaveLength(1);
  const stranger = client();
  await stranger.auth.signUp({ email: email('eve'), password });
  const others = await stranger.schema('purchasing').from('orders').select('number');
  expect(others).toMatchObject({ data: [], error: null });
  const nobody = await client().schema('purchasing').from('orders').select('number');
  expect(nobody).toMatchObject({ status: 401, error: { code: '42501' } });
});
