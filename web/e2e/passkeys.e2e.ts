/** Passkeys, by Chromium's virtual authenticator. */
import { expect, it, vi } from 'vitest';
import { expectAccessible } from './support/accessibility';
import { newPerson, picture, withBrowser } from './support/browser';
import { plugIn } from './support/factors';
import { BY_NAME, openSecurity, somebody } from './support/security';

withBrowser();

it('signs in by a passkey, and not once it was removed', async () => {
  const { page } = await somebody('Lena');
  await plugIn(page, 'device');
  await openSecurity(page);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('This laptop');
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByText('This laptop').waitFor();
  await expectAccessible(page);

  const leave = async () => {
    await page.evaluate(() => {
      localStorage.clear();
    });
    await page.goto(`${BY_NAME}/sign-in`);
  };
  // Among what the browser fills in: the virtual device picks it at once.
  await leave();
  await page.getByRole('heading', { name: 'Board', level: 1 }).waitFor();
  // By the button, in a browser that knows no such offer.
  await page.addInitScript(() => {
    PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false);
  });
  await leave();
  await expectAccessible(page);
  await picture(page, 'factors-sign-in');
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByRole('heading', { name: 'Board', level: 1 }).waitFor();
  await openSecurity(page);
  await page.getByLabel('Passkeys').getByText('Last used').waitFor();
  await page.getByRole('button', { name: 'Actions for This laptop' }).click();
  await page.getByRole('menuitem', { name: 'Remove' }).click();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByText('You have no passkeys.').waitFor();
  await leave();
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByText('This passkey is not known here.').waitFor();
});

it('offers passkeys among what the browser fills in, until another way is chosen', async () => {
  const { page } = await somebody('Mina');
  // What the page asks of the browser, and whether it was called off.
  await page.addInitScript(() => {
    const asked: { mediation: string; aborted: boolean }[] = [];
    Object.assign(window, { asked });
    const get = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = (options) => {
      const one = { mediation: options?.mediation ?? 'modal', aborted: false };
      asked.push(one);
      options?.signal?.addEventListener('abort', () => (one.aborted = true));
      return get(options);
    };
  });
  const asked = () =>
    page.evaluate(() => (window as unknown as { asked: { aborted: boolean }[] }).asked);
  const leave = async () => {
    await page.evaluate(() => {
      localStorage.clear();
    });
    await page.goto(`${BY_NAME}/sign-in`);
  };
  // Nobody has one here: nothing shows, and a password called for ends the offer.
  await plugIn(page, 'device');
  await leave();
  await vi.waitFor(async () => {
    expect(await asked()).toEqual([{ mediation: 'conditional', aborted: false }]);
  });
  expect(
    await page.getByRole('textbox', { name: 'E-mail address' }).getAttribute('autocomplete'),
  ).toBe('username webauthn');
  await page.getByLabel('E-mail address').fill('nobody@example.com');
  await page.getByLabel('Password', { exact: true }).fill('a wrong password');
  await page.keyboard.press('Enter');
  await page.getByText('E-mail address or password is wrong.').waitFor();
  await vi.waitFor(async () => {
    const all = await asked();
    expect(all[0]?.aborted).toBe(true);
    // After the refusal both ways are open again.
    expect(all.at(-1)).toEqual({ mediation: 'conditional', aborted: false });
  });
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await vi.waitFor(async () => {
    expect((await asked()).every(({ aborted }) => aborted)).toBe(true);
  });
});

it('offers no keys where the site is opened by its bare address', async () => {
  const { page } = await newPerson();
  await page.goto(`${BY_NAME.replace('localhost', '127.0.0.1')}/sign-in`);
  await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  expect(await page.getByRole('button', { name: 'Sign in with a passkey' }).count()).toBe(0);
});
