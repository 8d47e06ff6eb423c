import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { expectAccessible } from './support/accessibility';
import { newPerson, withBrowser } from './support/browser';
import { createOrganization, linkOfAStranger, newEmail, PASSWORD, signUp } from './support/steps';

withBrowser();

const NEW_PASSWORD = 'a better password';

/** Asks for a mail as somebody who is signed out and forgot. */
async function forget(page: Page, email: string): Promise<void> {
  await page.goto('/sign-in');
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await page.getByRole('heading', { name: 'Set a new password' }).waitFor();
  await expectAccessible(page);
  await page.getByLabel('E-mail address').fill(email);
  await page.getByRole('button', { name: 'Send the mail' }).click();
  await page.getByRole('heading', { name: 'Look into your mail' }).waitFor();
}

/** The newest mail to an address, on the mailbox's page. */
async function openMail(page: Page, email: string) {
  await page.goto('/mailbox');
  const mail = page.getByRole('article').filter({ hasText: email }).first();
  await mail.waitFor();
  return mail;
}

async function choosePassword(page: Page): Promise<void> {
  await page.getByRole('heading', { name: 'Choose a new password' }).waitFor();
  await page.getByLabel('New password').fill(NEW_PASSWORD);
  await page.getByRole('button', { name: 'Save password' }).click();
  await page.getByRole('heading', { name: 'Board', level: 1 }).waitFor();
}

it('sets a new password by the code of a mail', async () => {
  const email = newEmail('hana');
  const first = await newPerson();
  await signUp(first.page, 'Hana Sato', email);
  await createOrganization(first.page, 'Forgetful');

  const { page, context } = await newPerson();
  await forget(page, newEmail('nobody'));
  await forget(page, email);
  await expectAccessible(page);
  const reader = await context.newPage();
  const text = await (await openMail(reader, email)).textContent();
  await expectAccessible(reader);
  const code = /\b\d{6}\b/.exec(text ?? '')?.[0] ?? '';

  // A wrong code is refused and can be corrected.
  const wrong = code === '000000' ? '000001' : '000000';
  await page.getByRole('textbox', { name: 'Code' }).fill('12');
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByText('The code has six digits').waitFor();
  await page.getByRole('textbox', { name: 'Code' }).fill(wrong);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByText('This code is wrong, was used before or is too old.').waitFor();
  await page.getByRole('textbox', { name: 'Code' }).fill(` ${code} `);
  await page.keyboard.press('Enter');
  await choosePassword(page);

  // Elsewhere the person is signed out, and only the new password is good.
  const again = await newPerson();
  await again.page.goto('/sign-in');
  await again.page.getByLabel('E-mail address').fill(email);
  await again.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await again.page.keyboard.press('Enter');
  await again.page.getByText('E-mail address or password is wrong.').waitFor();
  await again.page.getByLabel('Password', { exact: true }).fill(NEW_PASSWORD);
  await again.page.keyboard.press('Enter');
  await again.page.getByRole('heading', { name: 'Board', level: 1 }).waitFor();
});

it('sets a new password by the link of a mail, which is good once', async () => {
  const email = newEmail('ivo');
  const first = await newPerson();
  await signUp(first.page, 'Ivo Brandt', email);
  await createOrganization(first.page, 'Linked');

  const { page, context } = await newPerson();
  await forget(page, email);
  const link = (await openMail(page, email)).getByRole('link');
  const address = (await link.getAttribute('href')) ?? '';
  await link.click();
  await choosePassword(page);
  // Nothing of the session stays in the address.
  expect(page.url()).not.toContain('access_token');
  // Whoever came back waits for no other session.
  const trapped = await context.newPage();
  await trapped.goto(await linkOfAStranger());
  await trapped.getByRole('heading', { name: 'Board', level: 1 }).waitFor();
  await trapped.goto('/account');
  await trapped.getByText(email).first().waitFor();

  const late = await newPerson();
  await late.page.goto(address);
  await late.page.getByRole('heading', { name: 'This link is not good any more' }).waitFor();
  await expectAccessible(late.page);
  await late.page.getByRole('link', { name: 'Ask for another mail' }).click();
  await late.page.getByRole('heading', { name: 'Set a new password' }).waitFor();
});
