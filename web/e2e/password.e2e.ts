import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { expectAccessible } from './support/accessibility';
import { newPerson, picture, withBrowser } from './support/browser';
import { createOrganization, newEmail, PASSWORD, signIn, signUp } from './support/steps';

withBrowser();

const NEW_PASSWORD = 'a better password';

/** The codes of the mails to an address, the newest first. */
async function codes(page: Page, email: string): Promise<string[]> {
  await page.goto('/mailbox');
  const mails = page.getByRole('article').filter({ hasText: email });
  await mails.first().waitFor();
  const texts = await mails.allTextContents();
  return texts.flatMap((text) => /\b\d{6}\b/.exec(text)?.[0] ?? []);
}

async function openDialog(page: Page) {
  await page.goto('/account');
  await page.getByRole('button', { name: 'Change password' }).click();
  return page.getByRole('dialog');
}

it('changes the password, which signs out everywhere else', async () => {
  const email = newEmail('nora');
  const { page } = await newPerson();
  await signUp(page, 'Nora Lind', email);
  await createOrganization(page, 'New Words');
  const other = await newPerson();
  await signIn(other.page, email);

  const dialog = await openDialog(page);
  await dialog.getByLabel('New password').fill('short');
  await dialog.getByRole('button', { name: 'Save password' }).click();
  await dialog.getByText('Use at least 8 characters').waitFor();
  await dialog.getByLabel('New password').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Save password' }).click();
  await dialog.getByText('This is your old password. Choose another.').waitFor();
  await dialog.getByLabel('New password').fill(NEW_PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText('Your password is changed.').waitFor();
  await dialog.waitFor({ state: 'hidden' });
  await other.page.goto('/account');
  await other.page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

it('asks for a code where the server wants one, sends another and says when one is wrong', async () => {
  const email = newEmail('otto');
  const { page, context } = await newPerson();
  await signUp(page, 'Otto Berg', email);
  await createOrganization(page, 'Asked Again');
  // As the server answers in a session that is a day old; mails and codes are its own.
  const good: string[] = [];
  await page.route('**/auth/v1/user', async (route) => {
    const request = route.request();
    if (request.method() !== 'PUT') {
      await route.continue();
      return;
    }
    const { nonce } = request.postDataJSON() as { nonce?: string };
    if (nonce !== undefined && good[0] === nonce) {
      await route.continue();
      return;
    }
    const code = nonce === undefined ? 'reauthentication_needed' : 'reauthentication_not_valid';
    await route.fulfill({
      status: nonce === undefined ? 400 : 422,
      headers: { 'x-supabase-api-version': '2024-01-01' },
      json: { code, message: code },
    });
  });
  const dialog = await openDialog(page);
  await dialog.getByLabel('New password').fill(NEW_PASSWORD);
  await dialog.getByRole('button', { name: 'Save password' }).click();
  await dialog.getByText(`a code is on its way to ${email}`).waitFor();
  await expectAccessible(page);
  await picture(page, 'password-code');
  const reader = await context.newPage();
  const sent = await codes(reader, email);
  expect(sent).toHaveLength(1);
  good.push(...sent);

  const code = dialog.getByRole('textbox', { name: 'Code' });
  await code.fill('12');
  await page.keyboard.press('Enter');
  await dialog.getByText('The code has six digits').waitFor();
  await code.fill(good[0] === '000000' ? '000001' : '000000');
  await page.keyboard.press('Enter');
  await dialog.getByText('This code is wrong, was used before or is too old.').waitFor();
  await picture(page, 'password-code-wrong');
  // Mails to one address have a pause between them, and the dialog says so.
  await dialog.getByRole('button', { name: 'Send another code' }).click();
  await dialog.getByText('A mail was sent to this address a moment ago.').waitFor();
  expect(await dialog.getByLabel('New password').inputValue()).toBe(NEW_PASSWORD);
  await code.fill(` ${good[0] ?? ''} `);
  await dialog.getByRole('button', { name: 'Save password' }).click();
  await page.getByText('Your password is changed.').waitFor();
});
