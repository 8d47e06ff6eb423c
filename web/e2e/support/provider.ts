/** A certified OpenID provider on this machine, where everybody who names themselves is let in. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Provider, type Configuration } from 'oidc-provider';
import type { Page } from 'playwright-core';
import { URL_OF_SERVER } from './browser';

/** The server under test knows a provider "acme" at this port; see `xtask/src/e2e.rs`. */
const PORT = Number(process.env.TENON_PROVIDER_PORT ?? '');
/** Where it is. */
export const ISSUER = `http://127.0.0.1:${PORT}`;
/** What it knows the server by. */
export const CLIENT = {
  client_id: 'tenon',
  client_secret: 'a secret of these tests, with: signs & all',
};

function configuration(): Configuration {
  const callback = '/auth/v1/callback';
  return {
    clients: [
      {
        ...CLIENT,
        redirect_uris: [
          URL_OF_SERVER + callback,
          URL_OF_SERVER.replace('127.0.0.1', 'localhost') + callback,
        ],
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: `${id}@example.com`,
        email_verified: !id.startsWith('unverified'),
        name: id.split('.')[0],
      }),
    }),
    cookies: { keys: ['a key of these tests'] },
    // Unset ones are remarked upon.
    ttl: {
      AccessToken: 300,
      Grant: 300,
      IdToken: 300,
      Interaction: 300,
      RefreshToken: 300,
      Session: 300,
    },
    pkce: { required: () => true },
  };
}

/** Starts it; gives what ends it. */
export async function startProvider(): Promise<() => Promise<void>> {
  const provider = new Provider(ISSUER, configuration());
  const server = createServer((request, response) => void provider.callback()(request, response));
  server.listen(PORT, '127.0.0.1');
  await once(server, 'listening');
  return async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
}

/** On the provider's page: says who one is, and that Tenon may know. */
export async function allow(page: Page, login: string): Promise<void> {
  await page.getByPlaceholder('Enter any login').fill(login);
  await page.getByPlaceholder('and password').fill('whatever');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}
