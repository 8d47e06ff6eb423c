import { expect, it } from 'vitest';
import { newPerson, withBrowser } from './support/browser';
import { createOrganization, newEmail, PASSWORD, signUp, navigateTo } from './support/steps';

withBrowser();

it('signs in with the keyboard alone and returns to the page that was asked for', async () => {
  const email = newEmail('fran');
  const first = await newPerson();
  await signUp(first.page, 'Fran Doyle', email);
  const slug = await createOrganization(first.page, 'Keys Only');

  const { page } = await newPerson();
  await page.goto(`/o/${slug}/purchasing/orders?level=critical`);
  await page.waitForURL(/\/sign-in\?next=/);
  // The first field has the focus from the start.
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.getAttribute('name')))
    .toBe('email');
  await page.keyboard.type(email);
  await page.keyboard.press('Tab');
  await page.keyboard.type('not the password');
  await page.keyboard.press('Enter');
  await page.getByText('E-mail address or password is wrong.').waitFor();

  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Orders', level: 1 }).waitFor();
  expect(new URL(page.url()).search).toBe('?level=critical');

  // The skip link comes first and leads past the navigation.
  await page.reload();
  await page.getByRole('heading', { name: 'Orders', level: 1 }).waitFor();
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to content');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('main');
});

it('shows sign-in again, not a broken page, when the session has ended elsewhere', async () => {
  const { page, context } = await newPerson();
  await signUp(page, 'Gus Meyer', newEmail('gus'));
  await createOrganization(page, 'Gone Tomorrow');
  // What a revoked or expired session looks like: tokens the server does not accept.
  await page.evaluate(() => {
    const key = 'tenon.session';
    const session = JSON.parse(localStorage.getItem(key) ?? '{}') as Record<string, unknown>;
    session.access_token = String(session.access_token).replace(/.{8}$/, 'AAAAAAAA');
    session.refresh_token = 'gone';
    localStorage.setItem(key, JSON.stringify(session));
  });
  const again = await context.newPage();
  await again.goto('/');
  await again.getByRole('heading', { name: 'Sign in' }).waitFor();
  // The window that was open all the time does not go on showing what it has.
  await page.getByText('Your session has ended.').waitFor();
  expect(new URL(page.url()).searchParams.get('next')).toMatch(
    /^\/o\/gone-tomorrow.*\/purchasing$/,
  );
});

it('lets somebody in by an invitation link, with the role it gives', async () => {
  const owner = await newPerson();
  await signUp(owner.page, 'Hana Ito', newEmail('hana'));
  await createOrganization(owner.page, 'Open Door');
  await navigateTo(owner.page, 'Members');
  await owner.page.getByRole('button', { name: 'Invite someone' }).click();
  await owner.page.getByRole('dialog').getByRole('combobox', { name: 'Role' }).click();
  await owner.page.getByRole('option', { name: 'Viewer' }).click();
  await owner.page.getByRole('button', { name: 'Create link' }).click();
  const link = await owner.page.getByLabel('Invitation link').inputValue();

  const guest = await newPerson();
  await guest.page.goto(new URL(link).pathname);
  await guest.page.getByRole('heading', { name: 'Join Open Door' }).waitFor();
  await guest.page.getByRole('link', { name: 'Create an account' }).click();
  await guest.page.getByLabel('Your name').fill('Ivo Petrov');
  await guest.page.getByLabel('E-mail address').fill(newEmail('ivo'));
  await guest.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await guest.page.getByRole('button', { name: 'Create account' }).click();
  await guest.page.getByRole('button', { name: 'Join organisation' }).click();
  await guest.page.getByTestId('organization-name').waitFor();
  expect(await guest.page.getByTestId('organization-name').innerText()).toBe('Open Door');
  // A viewer sees and changes nothing.
  await guest.page.getByTestId('board-empty').waitFor();
  expect(await guest.page.getByRole('link', { name: 'Import register' }).count()).toBe(0);
});
