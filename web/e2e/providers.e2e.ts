import { createClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { expectAccessible } from './support/accessibility';
import { newPerson, picture, SERVICE_KEY, URL_OF_SERVER, withBrowser } from './support/browser';
import { allow, CLIENT, ISSUER, startProvider } from './support/provider';
import { createOrganization, newEmail, signUp } from './support/steps';

withBrowser();

let stop: () => Promise<void> = async () => {};
beforeAll(async () => {
  stop = await startProvider();
});
afterAll(() => stop());

/** A name that nobody has had with the provider. */
const login = (name: string) => newEmail(name).replace('@example.com', '');

const waysIn = (page: Page) => page.getByRole('region', { name: 'Ways in' });

it('makes an account by a provider, and opens it the next time', async () => {
  const name = login('nora');
  const first = await newPerson();
  await first.page.goto('/');
  await first.page.getByRole('link', { name: 'Create an account' }).click();
  await first.page.getByRole('button', { name: 'Continue with Acme' }).waitFor();
  await expectAccessible(first.page);
  await first.page.getByRole('button', { name: 'Continue with Acme' }).click();
  await allow(first.page, name);
  const slug = await createOrganization(first.page, 'By Provider');
  // Nothing of the session or of the way stays in the address.
  expect(first.page.url()).not.toMatch(/token|state|code|session/);

  const { page } = await newPerson();
  await page.goto(`/o/${slug}/purchasing/orders?level=critical`);
  await page.waitForURL(/\/sign-in\?next=/);
  await page.getByRole('button', { name: 'Continue with Acme' }).click();
  await allow(page, name);
  await page.getByRole('heading', { name: 'Orders', level: 1 }).waitFor();
  expect(new URL(page.url()).search).toBe('?level=critical');
});

it('adds a provider to an account, signs in with it, and takes it away again', async () => {
  const name = login('omar');
  const { page } = await newPerson();
  await signUp(page, 'Omar Haddad', newEmail('omar'));
  await createOrganization(page, 'Two Keys');
  await page.goto('/account');
  await waysIn(page).getByText('Your only way in stays until you add another.').waitFor();
  await expectAccessible(page);
  await waysIn(page).getByRole('button', { name: 'Add Acme' }).click();
  await allow(page, name);
  await waysIn(page).getByText(`${name}@example.com`).waitFor();
  expect(new URL(page.url()).pathname).toBe('/account');
  await expectAccessible(page);
  await picture(page, 'ways-in');

  // It opens the same account, whatever its address is.
  const other = await newPerson();
  await other.page.goto('/sign-in');
  await other.page.getByRole('button', { name: 'Continue with Acme' }).click();
  await allow(other.page, name);
  await other.page.getByRole('heading', { name: 'Board', level: 1 }).waitFor();

  // Somebody else cannot have it as well.
  const grace = await newPerson();
  await signUp(grace.page, 'Grace Lee', newEmail('grace'));
  await createOrganization(grace.page, 'One Key');
  await grace.page.goto('/account');
  await waysIn(grace.page).getByRole('button', { name: 'Add Acme' }).click();
  await allow(grace.page, name);
  await waysIn(grace.page).getByText('opens an account here already').waitFor();

  await waysIn(page).getByRole('button', { name: 'Remove Acme' }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove this way in?' });
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await waysIn(page).getByText('Your only way in stays until you add another.').waitFor();
  const after = await newPerson();
  await after.page.goto('/sign-in');
  await after.page.getByRole('button', { name: 'Continue with Acme' }).click();
  await allow(after.page, name);
  await after.page.getByLabel('Name of the organisation').waitFor();
});

it('says why, where a provider or the installation refuses', async () => {
  const { page } = await newPerson();
  await page.goto('/sign-in?next=/account');
  await page.getByRole('button', { name: 'Continue with Acme' }).click();
  await page.getByRole('link', { name: 'Cancel' }).click();
  await page.getByText('The provider did not let you through, or you turned back.').waitFor();
  expect(new URL(page.url()).pathname).toBe('/sign-in');
  await expectAccessible(page);
  await picture(page, 'provider-refused');

  await page.getByRole('button', { name: 'Continue with Acme' }).click();
  await allow(page, login('unverified'));
  await page.getByText('The provider does not know yet that the address is yours.').waitFor();

  // An account that was made with an address nobody has proven is not opened by the address alone.
  const email = newEmail('pia');
  const first = await newPerson();
  await signUp(first.page, 'Pia Stranger', email);
  await createOrganization(first.page, 'Typed Only');
  const owner = await newPerson();
  await owner.page.goto('/sign-in');
  await owner.page.getByRole('button', { name: 'Continue with Acme' }).click();
  await allow(owner.page, email.replace('@example.com', ''));
  await owner.page.getByText('There is an account with this address already.').waitFor();
});

it('speaks the wire form of supabase-js, with a code for the client that began', async () => {
  const kept = new Map<string, string>();
  const { auth } = createClient(URL_OF_SERVER, 'sb_publishable_tenon', {
    auth: {
      flowType: 'pkce',
      autoRefreshToken: false,
      storage: {
        getItem: (key) => kept.get(key) ?? null,
        setItem: (key, value) => void kept.set(key, value),
        removeItem: (key) => void kept.delete(key),
      },
    },
    // Node before 22 has no WebSocket of its own, and the client insists on one.
    realtime: { transport: WebSocket as never },
  });
  const redirectTo = `${URL_OF_SERVER}/healthz`;
  const begun = await auth.signInWithOAuth({
    provider: 'acme' as 'google',
    options: { skipBrowserRedirect: true, redirectTo, scopes: 'offline_access' },
  });
  const name = login('quinn');
  const { page } = await newPerson();
  await page.goto(begun.data.url ?? '');
  await allow(page, name);
  await page.waitForURL(/\/healthz\?code=/);
  const code = new URL(page.url()).searchParams.get('code') ?? '';
  const { data, error } = await auth.exchangeCodeForSession(code);
  expect(error).toBeNull();
  expect(data.user?.email).toBe(`${name}@example.com`);
  expect(data.user?.app_metadata).toMatchObject({ provider: 'acme', providers: ['acme'] });
  expect(data.session?.provider_token).toMatch(/.{20}/);
  expect((await auth.exchangeCodeForSession(code)).error).not.toBeNull();

  const identities = (await auth.getUserIdentities()).data?.identities ?? [];
  expect(identities.map(({ provider }) => provider)).toEqual(['acme']);
  expect((await auth.unlinkIdentity(identities[0]!)).error?.code).toBe(
    'single_identity_not_deletable',
  );
  const linking = await auth.linkIdentity({
    provider: 'acme' as 'google',
    options: { skipBrowserRedirect: true, redirectTo },
  });
  expect(linking.data.url).toContain('code_challenge=');
  const closed = await fetch(`${URL_OF_SERVER}/auth/v1/authorize?provider=github`);
  expect(closed.status).toBe(400);
});

it('takes providers that a program of the operator adds, changes and removes while it runs', async () => {
  const options = {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: WebSocket as never },
  };
  const providers = createClient(URL_OF_SERVER, SERVICE_KEY, options).auth.admin.customProviders;
  const label = `Works ${Date.now().toString(36)}`;
  const identifier = `custom:${label.toLowerCase().replace(' ', '-')}`;
  const asked = {
    provider_type: 'oidc' as const,
    identifier,
    name: label,
    ...CLIENT,
    issuer: ISSUER,
    scopes: ['email', 'profile'],
    custom_claims_allowlist: ['name'],
  };
  const stranger = createClient(URL_OF_SERVER, 'sb_publishable_tenon', options).auth.admin;
  expect((await stranger.customProviders.createProvider(asked)).error?.code).toBe('not_admin');
  const { data: made, error } = await providers.createProvider(asked);
  expect(error).toBeNull();
  expect(made).toMatchObject({
    identifier,
    enabled: true,
    pkce_enabled: true,
    scopes: ['openid', 'email', 'profile'],
    discovery_document: { issuer: ISSUER },
  });
  expect(JSON.stringify(made)).not.toContain(CLIENT.client_secret);
  expect((await providers.createProvider(asked)).error).toMatchObject({
    status: 400,
    code: 'conflict',
  });
  const { data: listed } = await providers.listProviders({ type: 'oidc' });
  expect(listed.providers.map((one) => one.identifier)).toContain(identifier);
  for (const issuer of ['javascript:alert(1)', 'https://169.254.169.254', `${ISSUER}/other`]) {
    const refused = await providers.updateProvider(identifier, { issuer });
    expect(refused.error?.code).toBe('validation_failed');
  }

  const name = login('wren');
  const { page } = await newPerson();
  await page.goto('/sign-in');
  await page.getByRole('button', { name: `Continue with ${label}` }).click();
  await allow(page, name);
  await createOrganization(page, 'By Works');
  await page.goto('/account');
  await waysIn(page).getByText(label).waitFor();
  await expectAccessible(page);
  await picture(page, 'custom-provider');

  const renamed = await providers.updateProvider(identifier, { name: `${label} Ltd` });
  expect(renamed.data?.name).toBe(`${label} Ltd`);
  const second = await newPerson();
  await second.page.goto('/sign-in');
  await second.page.getByRole('button', { name: `Continue with ${label} Ltd` }).click();
  await allow(second.page, name);
  await second.page.getByRole('heading', { name: 'Board', level: 1 }).waitFor();

  await providers.updateProvider(identifier, { enabled: false });
  const third = await newPerson();
  await third.page.goto('/sign-in');
  await third.page.getByRole('button', { name: 'Continue with Acme' }).waitFor();
  expect(await third.page.getByRole('button', { name: label }).count()).toBe(0);
  expect(await providers.deleteProvider(identifier)).toEqual({ data: null, error: null });
  expect((await providers.getProvider(identifier)).error).toMatchObject({
    status: 404,
    code: 'custom_provider_not_found',
  });
});
