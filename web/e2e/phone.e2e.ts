/** Telephones and passwords, by `@supabase/supabase-js` as it is and by the pages. */
import { createClient, isAuthWeakPasswordError } from '@supabase/supabase-js';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { expectAccessible } from './support/accessibility';
import { newPerson, withBrowser } from './support/browser';
import { codeFor, newPhone } from './support/phone';
import { newEmail, PASSWORD } from './support/steps';

withBrowser();

const url = process.env.TENON_URL ?? 'http://127.0.0.1:8000';

function client() {
  return createClient(url, 'sb_publishable_tenon', {
    auth: { persistSession: false, autoRefreshToken: false },
    // Node before 22 has no WebSocket of its own, and the client insists on one.
    realtime: { transport: WebSocket as never },
  });
}

it('signs in by code, changes the number, and has a fixed code for a test number', async () => {
  const phone = newPhone();
  const { auth } = client();
  expect((await auth.signInWithOtp({ phone: `+${phone}` })).error).toBeNull();
  const wrong = await auth.verifyOtp({ phone, token: '12', type: 'sms' });
  expect(wrong.error?.code).toBe('otp_expired');
  const token = await codeFor(phone);
  const { data, error } = await auth.verifyOtp({ phone, token, type: 'sms' });
  expect(error).toBeNull();
  expect(data.user?.phone).toBe(phone);
  expect(data.user?.app_metadata.providers).toEqual(['phone']);

  const next = newPhone();
  const changed = await auth.updateUser({ phone: `+${next}` });
  expect(changed.error).toBeNull();
  expect(changed.data.user?.new_phone).toBe(next);
  const proof = { phone: next, token: await codeFor(next), type: 'phone_change' as const };
  expect((await auth.verifyOtp(proof)).data.user?.phone).toBe(next);

  const tester = client().auth;
  expect((await tester.signInWithOtp({ phone: '4152127777' })).error).toBeNull();
  const known = await tester.verifyOtp({ phone: '4152127777', token: '123456', type: 'sms' });
  expect(known.data.user?.phone).toBe('4152127777');
});

it('signs up with number and password', async () => {
  const phone = newPhone();
  const { auth } = client();
  const made = await auth.signUp({ phone, password: PASSWORD });
  expect(made.error).toBeNull();
  expect(made.data.session).toBeNull();
  const early = await auth.signInWithPassword({ phone, password: PASSWORD });
  expect(early.error?.code).toBe('phone_not_confirmed');
  await auth.verifyOtp({ phone, token: await codeFor(phone), type: 'sms' });
  const later = await client().auth.signInWithPassword({ phone, password: PASSWORD });
  expect(later.data.user?.phone).toBe(phone);
});

it('says why a password is weak', async () => {
  const { auth } = client();
  for (const [password, reasons] of [
    ['short', ['length']],
    ['Password123', ['pwned']],
  ] as const) {
    const { error } = await auth.signUp({ email: newEmail('weak'), password });
    expect(isAuthWeakPasswordError(error) && error.reasons).toEqual(reasons);
  }
});

it('signs in by text message on the page', async () => {
  const phone = newPhone();
  const { page, context } = await newPerson();
  await page.goto('/sign-in');
  await page.getByRole('link', { name: 'Sign in with a text message' }).click();
  await page.getByRole('heading', { name: 'Sign in with a text message' }).waitFor();
  await expectAccessible(page);
  await page.getByLabel('Telephone number').fill('030');
  await page.keyboard.press('Enter');
  await page.getByText('Enter a number with its country first').waitFor();
  await page.getByLabel('Telephone number').fill(`+${phone}`);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Look at your telephone' }).waitFor();
  await expectAccessible(page);
  const reader = await context.newPage();
  await reader.goto('/mailbox');
  const message = reader.getByRole('article', { name: 'Text message' }).filter({ hasText: phone });
  const code = /\b\d{6}\b/.exec((await message.first().textContent()) ?? '')?.[0] ?? '';
  await page.getByRole('textbox', { name: 'Code' }).fill(code);
  await page.keyboard.press('Enter');
  await page.waitForURL((address) => !address.pathname.startsWith('/sign-in'));
});

it('says on the page why a password is weak', async () => {
  const { page } = await newPerson();
  await page.goto('/sign-up');
  await page.getByLabel('Your name').fill('Ada Weak');
  await page.getByLabel('E-mail address').fill(newEmail('ada'));
  await page.getByLabel('Password', { exact: true }).fill('password123');
  await page.keyboard.press('Enter');
  await page.getByText('It is one that attackers try first').waitFor();
  await expectAccessible(page);
});
