/** The programs that sign people in through this installation, in the console of those who run it. */
import { expect, it } from 'vitest';
import { expectAccessible } from './support/accessibility';
import { newPerson, picture, URL_OF_SERVER, withBrowser } from './support/browser';
import { makeOperator, newEmail, signUp } from './support/steps';

withBrowser();

it('lets an operator register programs, change and remove them, with a secret shown once', async () => {
  const { page } = await newPerson();
  const email = newEmail('opal');
  await signUp(page, 'Opal Reyes', email);
  await page.getByRole('heading', { name: 'Name your organisation' }).waitFor();
  await makeOperator(email);
  await page.goto('/operator');
  await page.getByRole('tab', { name: 'Programs' }).click();
  await page.getByRole('heading', { name: 'Programs', level: 1 }).waitFor();
  const name = `Harbour ${Date.now().toString(36)}`;
  await page.getByRole('searchbox', { name: 'Search' }).fill(name);
  await page.getByText('No such program').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'New program' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Register' }).click();
  await dialog.getByText('A name has 1 to 100 characters').waitFor();
  await dialog.getByText('One to ten addresses').waitFor();
  await expectAccessible(page);
  await dialog.getByLabel('Name').fill(name);
  const redirects = dialog.getByLabel('Redirect addresses');
  await redirects.fill('http://evil.example/back');
  await dialog.getByRole('button', { name: 'Register' }).click();
  await dialog.getByText('A redirect URI is an https address').waitFor();
  await picture(page, 'operator-program');
  await redirects.fill('https://harbour.example.com/back\nhttps://harbour.example.com/other');
  await dialog.getByRole('button', { name: 'Register' }).click();
  await dialog.getByText('It is shown only this once.').waitFor();
  const id = await dialog.getByLabel('Client ID').inputValue();
  const secret = await dialog.getByLabel('Client secret').inputValue();
  expect(secret).toMatch(/^.{43}$/);
  await expectAccessible(page);
  await picture(page, 'operator-program-secret');
  await dialog.getByRole('button', { name: 'Done' }).click();
  const knows = async (shown: string) => {
    const answer = await fetch(`${URL_OF_SERVER}/auth/v1/oauth/introspect`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`${id}:${shown}`)}` },
      body: new URLSearchParams({ token: 'none' }),
    });
    return answer.status;
  };
  expect(await knows(secret)).toBe(200);

  const row = page.getByTestId('program').filter({ hasText: name });
  await row.getByText('https://harbour.example.com/other').waitFor();
  await expectAccessible(page);
  await picture(page, 'operator-programs');
  const choose = async (what: string) => {
    await row.getByRole('button', { name: `Actions for ${name}` }).click();
    await page.getByRole('menuitem', { name: what }).click();
  };
  await choose('Change');
  await redirects.fill('https://harbour.example.com/moved');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await row.getByText('https://harbour.example.com/moved').waitFor();
  expect(await row.getByText('https://harbour.example.com/other').count()).toBe(0);

  await choose('New secret');
  await page.getByRole('dialog', { name: `New secret for ${name}?` }).waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect(await knows(secret)).toBe(200);
  await choose('New secret');
  await dialog.getByRole('button', { name: 'New secret' }).click();
  const other = await dialog.getByLabel('Client secret').inputValue();
  expect([await knows(secret), await knows(other)]).toEqual([401, 200]);
  await dialog.getByRole('button', { name: 'Done' }).click();

  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 360, height: 740 });
    await expectAccessible(page);
    await picture(page, `operator-programs-360-${colorScheme}`);
    await page.getByRole('button', { name: 'New program' }).click();
    await dialog.getByLabel('In a browser or on a device').check();
    await expectAccessible(page);
    await picture(page, `operator-program-360-${colorScheme}`);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.setViewportSize({ width: 1440, height: 900 });
    await picture(page, `operator-programs-${colorScheme}`);
  }

  await choose('Remove');
  await dialog.getByText('0 people are disconnected from it.').waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await page.getByText(`${name} was removed`).waitFor();
  await page.getByText('No such program').waitFor();
  expect(await knows(other)).toBe(401);
});
