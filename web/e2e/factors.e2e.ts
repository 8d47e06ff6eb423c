import { createClient } from '@supabase/supabase-js';
import { expect, it, vi } from 'vitest';
import type { Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { expectAccessible } from './support/accessibility';
import { newPerson, picture, URL_OF_SERVER, withBrowser } from './support/browser';
import { plugIn, totp } from './support/factors';
import { codeFor, newPhone } from './support/phone';
import { BY_NAME, openSecurity, signIn, somebody } from './support/security';
import { invitation, newEmail, PASSWORD } from './support/steps';

withBrowser();

/** Adds an authenticator app in the account; gives its key and the recovery codes. */
async function addApp(page: Page): Promise<{ secret: string; codes: string[] }> {
  await openSecurity(page);
  await page.getByRole('button', { name: 'Add app' }).click();
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByAltText('QR code with the key for the app').waitFor();
  const secret = await page.getByLabel('Key', { exact: true }).inputValue();
  await expectAccessible(page);
  await picture(page, 'factors-app');
  await page.getByLabel('Code', { exact: true }).fill('12');
  await page.getByRole('button', { name: 'Confirm' }).click();
  await page.getByText('The code has six digits').waitFor();
  await page.getByLabel('Code', { exact: true }).fill(totp(secret));
  await page.getByRole('button', { name: 'Confirm' }).click();
  await page
    .getByRole('dialog', { name: 'Recovery codes' })
    .getByRole('button', { name: 'Make recovery codes' })
    .click();
  const list = page.getByRole('list', { name: 'Your recovery codes' });
  await list.waitFor();
  await expectAccessible(page);
  await picture(page, 'factors-recovery-codes');
  const codes = await list.getByRole('listitem').allInnerTexts();
  expect(codes).toHaveLength(10);
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await page.getByText('10 of 10 recovery codes are left.').waitFor();
  return { secret, codes };
}

it('asks for a code of an app, or a recovery code, as the second step', async () => {
  const first = await somebody('Ines');
  const { secret, codes } = await addApp(first.page);
  await picture(first.page, 'factors-security');
  await expectAccessible(first.page);

  const { page } = await newPerson({ width: 390, height: 844 });
  await signIn(page, first.email);
  await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor();
  await expectAccessible(page);
  await picture(page, 'factors-step-narrow');
  // Nothing opens before the second step, whatever address is typed.
  await page.goto(`${BY_NAME}/`);
  await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor();
  await page.getByRole('textbox', { name: 'Code' }).fill('000000');
  await page.keyboard.press('Enter');
  await page.getByText('This was not right, or was used before.').waitFor();
  await page.getByRole('textbox', { name: 'Code' }).fill(totp(secret, 1));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Board', level: 1 }).waitFor();

  const lost = await newPerson({ scheme: 'dark' });
  await signIn(lost.page, first.email);
  await lost.page.getByRole('button', { name: 'Use a recovery code instead' }).click();
  expect(new URL(lost.page.url()).searchParams.get('way')).toBe('recovery');
  await expectAccessible(lost.page);
  await picture(lost.page, 'factors-step-dark');
  await lost.page.getByLabel('Recovery code').fill(` ${(codes[2] ?? '').toUpperCase()} `);
  await lost.page.keyboard.press('Enter');
  await lost.page.getByRole('heading', { name: 'Board', level: 1 }).waitFor();
  await openSecurity(lost.page);
  await lost.page.getByText('9 of 10 recovery codes are left.').waitFor();
  await picture(lost.page, 'factors-security-dark');

  // Without the last factor the password alone is enough again.
  await lost.page.getByRole('button', { name: 'Actions for Authenticator app' }).click();
  await lost.page.getByRole('menuitem', { name: 'Remove' }).click();
  await lost.page.getByText('It is your only second factor').waitFor();
  await lost.page.getByRole('menu').waitFor({ state: 'detached' });
  await expectAccessible(lost.page);
  await lost.page.getByRole('button', { name: 'Remove', exact: true }).click();
  await lost.page.getByText('Your password alone opens your account.').waitFor();
  const again = await newPerson();
  await signIn(again.page, first.email);
  await again.page.getByRole('heading', { name: 'Board', level: 1 }).waitFor();
});

it('takes a security key as the second step, which can be renamed', async () => {
  const { page, email } = await somebody('Kofi');
  await plugIn(page, 'security key');
  await openSecurity(page);
  await page.getByRole('button', { name: 'Add security key' }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Blue key');
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('heading', { name: 'Recovery codes' }).waitFor();
  await page
    .getByRole('dialog', { name: 'Recovery codes' })
    .getByRole('button', { name: 'Close' })
    .click();
  await page.getByText('You have no recovery codes.').waitFor();
  await page.getByRole('button', { name: 'Actions for Blue key' }).click();
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Green key');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByText('Green key').waitFor();

  // The key stays with this browser, so the person signs out and in again here.
  await page.evaluate(() => {
    localStorage.clear();
  });
  await signIn(page, email);
  await page.getByText('Your browser asks for the security key of this account.').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Use security key' }).click();
  await page.getByRole('heading', { name: 'Board', level: 1 }).waitFor();
});

/** Adds a telephone in the account; gives its number, which nobody has had before. */
async function addPhone(page: Page): Promise<string> {
  const phone = newPhone();
  await openSecurity(page);
  await page.getByRole('button', { name: 'Add telephone' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a telephone' });
  await dialog.getByLabel('Telephone number').fill('030 12');
  await dialog.getByRole('button', { name: 'Send code' }).click();
  await dialog.getByText('Enter a number with its country first').waitFor();
  await expectAccessible(page);
  await dialog.getByLabel('Telephone number').fill(`+${phone}`);
  await picture(page, 'factors-phone-add');
  await dialog.getByRole('button', { name: 'Send code' }).click();
  await dialog.getByText(`A code is on its way to +${phone}.`).waitFor();
  await expectAccessible(page);
  await picture(page, 'factors-phone-code');
  await dialog.getByRole('textbox', { name: 'Code' }).fill(await codeFor(phone));
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await page
    .getByRole('dialog', { name: 'Recovery codes' })
    .getByRole('button', { name: 'Close' })
    .click();
  await page.getByText(`+${phone}`).waitFor();
  return phone;
}

it('takes a code by text message as the second step, and sends another after a pause', async () => {
  const first = await somebody('Ravi');
  const phone = await addPhone(first.page);
  await picture(first.page, 'factors-phone-security');
  await expectAccessible(first.page);

  const { page } = await newPerson({ width: 390, height: 844, scheme: 'dark' });
  await signIn(page, first.email);
  await page.getByText(`to your number ••• ${phone.slice(-3)}.`).waitFor();
  await expectAccessible(page);
  await picture(page, 'factors-phone-step');
  const send = page.getByRole('button', { name: 'Send code' });
  const pause = page.getByText(/You can ask for another code in \d+ s/);
  // The message of the enrolment may be so recent that the pause after it is not over.
  const asked = async () => {
    if (await send.isVisible()) await send.click();
    return pause.isVisible();
  };
  await expect.poll(asked, { timeout: 20_000, interval: 500 }).toBe(true);
  const before = await codeFor(phone);
  await expectAccessible(page);
  await picture(page, 'factors-phone-step-code');
  await page.getByRole('button', { name: 'Send another code' }).click();
  await page.getByText('Another code is on its way').waitFor();
  const code = await codeFor(phone);
  await page.getByRole('textbox', { name: 'Code' }).fill(code === before ? '000000' : before);
  await page.keyboard.press('Enter');
  await page.getByText('This was not right, or was used before.').waitFor();
  await page.getByRole('textbox', { name: 'Code' }).fill(` ${code.slice(0, 3)} ${code.slice(3)}`);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Board', level: 1 }).waitFor();
});

it('takes the fixed code of a number for tests, as supabase-js asks for it and on the page', async () => {
  const client = createClient(URL_OF_SERVER, 'sb_publishable_tenon', {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: WebSocket as never },
  });
  const email = newEmail('text');
  await client.auth.signUp({ email, password: PASSWORD });
  const { mfa } = client.auth;
  const made = await mfa.enroll({
    factorType: 'phone',
    friendlyName: 'Mobile',
    phone: '+4152127777',
  });
  if (made.error) throw made.error;
  expect(made.data).toMatchObject({ type: 'phone', phone: '4152127777', friendly_name: 'Mobile' });
  const factorId = made.data.id;
  const whatsapp = await mfa.challenge({ factorId, channel: 'whatsapp' });
  expect(whatsapp.error).toMatchObject({ status: 400, code: 'validation_failed' });
  const asked = await mfa.challenge({ factorId, channel: 'sms' });
  if (asked.error) throw asked.error;
  const early = await mfa.challenge({ factorId, channel: 'sms' });
  expect(early.error).toMatchObject({ status: 429, code: 'over_sms_send_rate_limit' });
  const shown = await mfa.verify({ factorId, challengeId: asked.data.id, code: '123456' });
  expect(shown.error).toBeNull();
  const { data: level } = await mfa.getAuthenticatorAssuranceLevel();
  expect(level).toMatchObject({
    currentLevel: 'aal2',
    currentAuthenticationMethods: [{ method: 'mfa/phone' }, { method: 'password' }],
  });
  expect((await mfa.listFactors()).data?.phone).toMatchObject([{ id: factorId }]);
  await client.auth.signOut();

  const { page } = await newPerson();
  await signIn(page, email);
  // The library asked a moment ago; the server wants a pause.
  await vi.waitFor(
    async () => {
      await page.getByRole('button', { name: 'Send code' }).click();
      await page.getByRole('textbox', { name: 'Code' }).waitFor({ timeout: 1000 });
    },
    { timeout: 15_000, interval: 500 },
  );
  await page.getByRole('textbox', { name: 'Code' }).fill('123456');
  await page.keyboard.press('Enter');
  await page.waitForURL((address) => address.pathname !== '/second-factor');
});

it('leads whoever has none to a second factor, and on, where an organisation asks for one', async () => {
  const owner = await somebody('Omar');
  const slug = /\/o\/([^/]+)/.exec(owner.page.url())?.[1] ?? '';
  const link = BY_NAME + (await invitation(owner.email, 'viewer'));
  const guest = await newPerson();
  await guest.page.goto(link);
  await guest.page.getByRole('link', { name: 'Create an account' }).click();
  await guest.page.getByLabel('Your name').fill('Pia');
  await guest.page.getByLabel('E-mail address').fill(newEmail('pia'));
  await guest.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await guest.page.getByRole('button', { name: 'Create account' }).click();
  await guest.page.getByRole('button', { name: 'Join organisation' }).click();
  await guest.page.getByTestId('organization-name').waitFor();

  // Nobody asks others for what they lack.
  await owner.page.goto(`${BY_NAME}/o/${slug}/settings/security`);
  const rule = owner.page.getByRole('switch', { name: 'Members need a second factor' });
  await rule.click();
  await owner.page.getByText('You have no second factor yourself.').waitFor();
  await expectAccessible(owner.page);
  await addApp(owner.page);
  await owner.page.goto(`${BY_NAME}/o/${slug}/settings/security`);
  await owner.page.getByText('1 of 2 members have no second factor yet.').waitFor();
  await rule.click();
  await owner.page.getByText('From now on').waitFor();
  await expectAccessible(owner.page);
  await picture(owner.page, 'factors-organisation');

  // The guest, who is signed in all the time, is asked with the next page.
  const wanted = `/o/${slug}/purchasing/orders`;
  await guest.page.goto(BY_NAME + wanted);
  await guest.page.getByRole('heading', { name: 'Add a second factor' }).waitFor();
  await guest.page.getByText('This organisation lets in only members').waitFor();
  await expectAccessible(guest.page);
  await picture(guest.page, 'factors-enrol');
  await guest.page.getByRole('button', { name: 'An authenticator app' }).click();
  await guest.page.getByRole('button', { name: 'Choose another way' }).click();
  await guest.page.getByRole('button', { name: 'Text messages' }).click();
  const phone = newPhone();
  await guest.page.getByLabel('Telephone number').fill(`+${phone}`);
  await guest.page.getByRole('button', { name: 'Send code' }).click();
  await guest.page.getByRole('textbox', { name: 'Code' }).waitFor();
  await expectAccessible(guest.page);
  await picture(guest.page, 'factors-enrol-phone');
  await guest.page.getByRole('textbox', { name: 'Code' }).fill(await codeFor(phone));
  await guest.page.getByRole('button', { name: 'Confirm' }).click();
  await guest.page.getByRole('button', { name: 'I have kept them' }).click();
  await guest.page.getByRole('heading', { name: 'Orders', level: 1 }).waitFor();
  expect(new URL(guest.page.url()).pathname).toBe(wanted);
});

it('does what supabase-js asks of it', async () => {
  const client = () =>
    createClient(URL_OF_SERVER, 'sb_publishable_tenon', {
      auth: { persistSession: false, autoRefreshToken: false, experimental: { passkey: true } },
      // Node before 22 has no WebSocket of its own, and the client insists on one.
      realtime: { transport: WebSocket as never },
    }).auth;
  const auth = client();
  const email = newEmail('mfa');
  await auth.signUp({ email, password: PASSWORD });
  expect((await auth.mfa.getAuthenticatorAssuranceLevel()).data).toMatchObject({
    currentLevel: 'aal1',
    nextLevel: 'aal1',
  });
  const enrolled = await auth.mfa.enroll({
    factorType: 'totp',
    friendlyName: 'Phone',
    issuer: 'Example',
  });
  if (enrolled.error) throw enrolled.error;
  const { id, totp: shown } = enrolled.data;
  expect(shown.qr_code).toMatch(/^data:image\/svg\+xml;utf-8,.*<svg/s);
  expect(shown.uri).toContain('otpauth://totp/Example:');
  const twice = await auth.mfa.enroll({ factorType: 'totp', friendlyName: 'Phone' });
  expect(twice.error).toMatchObject({ status: 422, code: 'mfa_factor_name_conflict' });
  const wrong = await auth.mfa.challengeAndVerify({ factorId: id, code: '000000' });
  expect(wrong.error).toMatchObject({ status: 422, code: 'mfa_verification_failed' });
  const good = await auth.mfa.challengeAndVerify({ factorId: id, code: totp(shown.secret) });
  expect(good.error).toBeNull();
  expect((await auth.mfa.getAuthenticatorAssuranceLevel()).data).toMatchObject({
    currentLevel: 'aal2',
    nextLevel: 'aal2',
    currentAuthenticationMethods: [{ method: 'totp' }, { method: 'password' }],
  });
  const { data: factors } = await auth.mfa.listFactors();
  expect(factors?.totp).toMatchObject([{ id, friendly_name: 'Phone', status: 'verified' }]);

  const other = client();
  await other.signInWithPassword({ email, password: PASSWORD });
  expect((await other.mfa.getAuthenticatorAssuranceLevel()).data?.nextLevel).toBe('aal2');
  const refused = await other.mfa.unenroll({ factorId: id });
  expect(refused.error).toMatchObject({ status: 422, code: 'insufficient_aal' });
  expect((await other.passkey.startRegistration()).error).toMatchObject({
    code: 'insufficient_aal',
  });
  const asked = await client().passkey.startAuthentication();
  expect(asked.data?.options).toMatchObject({ rpId: 'localhost', allowCredentials: [] });
  const forged = await client().passkey.verifyAuthentication({
    challengeId: asked.data?.challenge_id ?? '',
    credential: {} as never,
  });
  expect(forged.error).toMatchObject({ status: 400, code: 'webauthn_verification_failed' });

  expect((await auth.passkey.list()).data).toEqual([]);
  expect((await auth.mfa.unenroll({ factorId: id })).data).toEqual({ id });
  await auth.refreshSession();
  expect((await auth.mfa.getAuthenticatorAssuranceLevel()).data?.currentLevel).toBe('aal1');
});
