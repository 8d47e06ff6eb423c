import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from '@supabase/supabase-js';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { expectAccessible } from './support/accessibility';
import { newPerson, picture, URL_OF_SERVER, withBrowser } from './support/browser';
import { newEmail, PASSWORD, signUp } from './support/steps';

withBrowser();

// What the installation calls itself is its name as a provider, and where its pages are.
const SITE = URL_OF_SERVER.replace('//127.0.0.1', '//localhost');
const ISSUER = new URL(`${SITE}/auth/v1`);

// The program's own machine: whatever comes back from the consent page.
let callback = '';
const program = createServer((_request, response) => {
  response.setHeader('content-type', 'text/html').end('<title>Program</title><p>Signed in');
});
beforeAll(async () => {
  program.listen(0, '127.0.0.1');
  await once(program, 'listening');
  callback = `http://127.0.0.1:${String((program.address() as AddressInfo).port)}/callback`;
});
afterAll(() => program.close());

/** A program as its makers write it, with a library that is certified as relying party. */
async function register(name: string, metadata: Partial<oidc.ClientMetadata> = {}) {
  return oidc.dynamicClientRegistration(
    ISSUER,
    {
      client_name: name,
      redirect_uris: [callback],
      // As the library shows its secret.
      token_endpoint_auth_method: 'client_secret_post',
      ...metadata,
    },
    undefined,
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the test's server speaks http
    { execute: [oidc.allowInsecureRequests] },
  );
}

async function newRequest(config: oidc.Configuration, scope: string, more = {}) {
  const verifier = oidc.randomPKCECodeVerifier();
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  const address = oidc.buildAuthorizationUrl(config, {
    redirect_uri: callback,
    scope,
    state,
    nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  });
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce };
  return { address, checks };
}

const back = (page: Page) => page.waitForURL((url) => url.href.startsWith(callback));

/** Somebody who is signed in, without an organisation. */
async function somebody(name: string, look = {}) {
  const email = newEmail(name.toLowerCase());
  const person = await newPerson({ base: SITE, ...look });
  await signUp(person.page, name, email);
  await person.page.getByLabel('Name of the organisation').waitFor();
  return { ...person, email };
}

it('signs somebody in to a program, through sign-in and consent', async () => {
  const config = await register('Harbour Desk');
  expect(config.serverMetadata().issuer).toBe(ISSUER.href);
  const { email, context } = await somebody('Ada');
  await context.close();

  // A browser in which nobody is signed in.
  const { page } = await newPerson({ base: SITE });
  const { address, checks } = await newRequest(config, 'openid email profile');
  await page.goto(address.href);
  await page.waitForURL(/\/sign-in\?next=/);
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Sign in to Harbour Desk' }).waitFor();
  await page.getByText('Nobody has checked its name').waitFor();
  expect(await page.getByTestId('consent-user').innerText()).toBe(email);
  expect(await page.getByTestId('consent-destination').innerText()).toBe(
    'a program on this device',
  );
  const may = page.getByRole('list', { name: 'If you agree, it may' });
  expect(await may.getByRole('listitem').allInnerTexts()).toEqual([
    'recognise you when you come back',
    'see your e-mail address',
    'see your name, picture and language',
    'stay connected while you are away',
  ]);
  await expectAccessible(page);
  await picture(page, 'consent');

  await page.getByRole('button', { name: 'Agree and go on' }).click();
  await back(page);
  // The library checks state, issuer, PKCE, signature, audience, nonce and times.
  const tokens = await oidc.authorizationCodeGrant(config, new URL(page.url()), checks);
  const claims = tokens.claims();
  expect(claims).toMatchObject({ email, name: 'Ada', aud: config.clientMetadata().client_id });
  const told = await oidc.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '');
  expect(told.email).toBe(email);
  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '');
  expect(refreshed.claims()?.sub).toBe(claims?.sub);
  const state = await oidc.tokenIntrospection(config, refreshed.access_token);
  expect(state).toMatchObject({ active: true, sub: claims?.sub });

  // The spent code ends what it was exchanged for.
  await expect(
    oidc.authorizationCodeGrant(config, new URL(page.url()), checks),
  ).rejects.toMatchObject({ error: 'invalid_grant' });
  await expect(oidc.refreshTokenGrant(config, refreshed.refresh_token ?? '')).rejects.toMatchObject(
    { error: 'invalid_grant' },
  );
});

it('lets somebody say no, and says what is wrong with a request', async () => {
  const config = await register('Unwanted', { token_endpoint_auth_method: 'none' });
  const { page, email } = await somebody('Ben');
  const { address, checks } = await newRequest(config, 'openid');
  await page.goto(address.href);
  await page.getByRole('button', { name: 'Do not agree' }).click();
  await back(page);
  await expect(
    oidc.authorizationCodeGrant(config, new URL(page.url()), checks),
  ).rejects.toMatchObject({ error: 'access_denied' });
  // It is answered.
  await page.goto(`/oauth/consent?authorization_id=nothing`);
  await page.getByText('There is nothing to answer here').waitFor();
  await expectAccessible(page);

  const wrong = async (changes: Record<string, string>, words: string) => {
    const { address } = await newRequest(config, 'openid', changes);
    await page.goto(address.href);
    await page.getByText(words).waitFor();
    expect(new URL(page.url()).origin).toBe(SITE);
  };
  await wrong({ client_id: 'nobody' }, 'not known to this installation');
  await wrong({ redirect_uri: 'https://evil.example/' }, 'an address that it has not registered');
  await expectAccessible(page);

  // Somebody else answers by choosing another account.
  const other = await somebody('Cleo');
  await other.context.close();
  const request = await newRequest(config, 'openid email');
  await page.goto(request.address.href);
  expect(await page.getByTestId('consent-user').innerText()).toBe(email);
  await page.getByRole('button', { name: 'Use another account' }).click();
  await page.getByLabel('E-mail address').fill(other.email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText(other.email).waitFor();
  await page.getByRole('button', { name: 'Agree and go on' }).click();
  await back(page);
  const tokens = await oidc.authorizationCodeGrant(config, new URL(page.url()), request.checks);
  expect(tokens.claims()?.email).toBe(other.email);
});

it('asks somebody to sign in again where the program wants it', async () => {
  const config = await register('Careful');
  const { page, email } = await somebody('Dora');
  // The moment of sign-in is kept in seconds.
  await page.waitForTimeout(1500);
  const { address, checks } = await newRequest(config, 'openid', { prompt: 'login' });
  await page.goto(address.href);
  await page.getByRole('button', { name: 'Sign in again' }).click();
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Agree and go on' }).click();
  await back(page);
  const tokens = await oidc.authorizationCodeGrant(config, new URL(page.url()), {
    ...checks,
    maxAge: 60,
  });
  expect(tokens.claims()?.auth_time).toBeTypeOf('number');
});

it('shows the programs somebody let in, and disconnects them', async () => {
  const config = await register('Chart Room');
  const { page } = await somebody('Eli');
  await page.goto('/account/programs');
  await page.getByRole('heading', { name: 'No program is connected' }).waitFor();
  await expectAccessible(page);
  await picture(page, 'programs-empty');

  const { address, checks } = await newRequest(config, 'openid api');
  await page.goto(address.href);
  await page.getByText('wants to work in Tenon in your name').waitFor();
  await picture(page, 'consent-api');
  await page.getByRole('button', { name: 'Agree and go on' }).click();
  await back(page);
  const tokens = await oidc.authorizationCodeGrant(config, new URL(page.url()), checks);
  const user = await oidc.fetchProtectedResource(
    config,
    tokens.access_token,
    new URL(`${SITE}/auth/v1/user`),
    'GET',
  );
  expect(user.status).toBe(200);

  await page.goto('/account/programs');
  const card = page.getByRole('article', { name: 'Chart Room' });
  await card.getByText('see and change whatever you can see').waitFor();
  await expectAccessible(page);
  await picture(page, 'programs');
  await card.getByRole('button', { name: 'Disconnect Chart Room' }).click();
  const dialog = page.getByRole('dialog', { name: 'Disconnect Chart Room?' });
  await dialog.getByText('signed out at once').waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Disconnect' }).click();
  await page.getByRole('heading', { name: 'No program is connected' }).waitFor();
  await expect(oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')).rejects.toMatchObject({
    error: 'invalid_grant',
  });
});

it('shows the pages on a telephone and in the dark', async () => {
  const config = await register('A Program With Quite a Long Name, as Some Have');
  const { page } = await somebody('Fay', { width: 390, height: 844, scheme: 'dark' });
  const { address } = await newRequest(config, 'openid email profile phone api');
  await page.goto(address.href);
  await page.getByRole('button', { name: 'Agree and go on' }).waitFor();
  await expectAccessible(page);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide).toBeLessThanOrEqual(390);
  await picture(page, 'consent-dark-390');
  await page.getByRole('button', { name: 'Agree and go on' }).click();
  await back(page);
  await page.goto('/account/programs');
  await page.getByRole('article').waitFor();
  await expectAccessible(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await picture(page, 'programs-dark-390');
});

it('answers auth.oauth of supabase-js, on which other consent pages are built', async () => {
  const config = await register('Elsewhere');
  const { auth } = createClient(SITE, 'sb_publishable_tenon', {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: WebSocket as never },
  });
  const email = newEmail('gil');
  expect((await auth.signUp({ email, password: PASSWORD })).error).toBeNull();
  const ask = async (scope: string) => {
    const request = await newRequest(config, scope);
    const led = await fetch(request.address, { redirect: 'manual' });
    const id = new URL(led.headers.get('location') ?? '').searchParams.get('authorization_id');
    return { ...request, id: id ?? '' };
  };
  const first = await ask('openid email');
  const details = await auth.oauth.getAuthorizationDetails(first.id);
  expect(details.error).toBeNull();
  expect(details.data).toMatchObject({
    authorization_id: first.id,
    redirect_uri: callback,
    client: { id: config.clientMetadata().client_id, name: 'Elsewhere' },
    user: { email },
    scope: 'openid email',
  });
  const approved = await auth.oauth.approveAuthorization(first.id);
  const there = new URL(approved.data?.redirect_url ?? '');
  const tokens = await oidc.authorizationCodeGrant(config, there, first.checks);
  expect(tokens.claims()?.email).toBe(email);
  const again = await auth.oauth.approveAuthorization(first.id);
  expect(again.error).toMatchObject({ status: 404, code: 'oauth_authorization_not_found' });

  const second = await ask('openid profile');
  const denied = await auth.oauth.denyAuthorization(second.id);
  expect(new URL(denied.data?.redirect_url ?? '').searchParams.get('error')).toBe('access_denied');

  const grants = await auth.oauth.listGrants();
  expect(grants.data).toMatchObject([
    { client: { name: 'Elsewhere' }, scopes: ['openid', 'email'] },
  ]);
  const clientId = config.clientMetadata().client_id;
  expect((await auth.oauth.revokeGrant({ clientId })).error).toBeNull();
  expect((await auth.oauth.listGrants()).data).toEqual([]);
  const none = await auth.oauth.revokeGrant({ clientId });
  expect(none.error).toMatchObject({ status: 404, code: 'oauth_consent_not_found' });
});
