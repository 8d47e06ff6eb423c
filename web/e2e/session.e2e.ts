import { expect, it } from 'vitest';
import { expectAccessible } from './support/accessibility';
import { newPerson, picture, withBrowser } from './support/browser';
import {
  createOrganization,
  linkOfAStranger,
  newEmail,
  PASSWORD,
  signIn,
  signUp,
  navigateTo,
} from './support/steps';

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
  // What a session looks like that was ended elsewhere: a cookie the server does not accept.
  const cookies = await context.cookies(`${new URL(page.url()).origin}/auth/v1`);
  expect(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite])).toEqual([
    ['tenon_session', true, 'Strict'],
  ]);
  await context.addCookies(cookies.map((cookie) => ({ ...cookie, value: 'gone' })));
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

it('keeps tokens out of reach of scripts, and shows where one is signed in', async () => {
  const email = newEmail('lea');
  const { page } = await newPerson();
  await signUp(page, 'Lea Sanders', email);
  await createOrganization(page, 'Two Places');
  const stored = await page.evaluate(() => JSON.stringify(localStorage) + document.cookie);
  expect(stored).not.toMatch(/eyJ|refresh|tenon_session/);
  await page.reload();
  await page.getByTestId('organization-name').waitFor();

  const other = await newPerson();
  await signIn(other.page, email);
  await page.goto('/account');
  await page.getByRole('heading', { name: 'Your account', level: 1 }).waitFor();
  await expectAccessible(page);
  await page.getByLabel('Your name').fill('Lea Sanders-Wolf');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Your profile is saved.').waitFor();
  await page.getByRole('button', { name: 'Sign out Chrome · Linux' }).click();
  await page.getByText('Signed out there.').waitFor();
  await other.page.goto('/account');
  await other.page.getByRole('heading', { name: 'Sign in' }).waitFor();

  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download my data' }).click();
  const file = await (await download).createReadStream();
  const chunks: Buffer[] = [];
  for await (const chunk of file) chunks.push(chunk as Buffer);
  const data = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { user: { email: string } };
  expect(data.user.email).toBe(email);

  // The only owner of an organisation cannot leave it behind.
  await page.getByRole('button', { name: 'Delete my account' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await dialog.getByText('This person is the only owner of an organisation.').waitFor();
});

it('takes up no session that an address brings along unless its reader wants it', async () => {
  const trap = await linkOfAStranger();

  // Whoever is signed in stays who they are.
  const victim = await newPerson();
  const vera = newEmail('vera');
  await signUp(victim.page, 'Vera Holt', vera);
  await createOrganization(victim.page, 'Own Account');
  const page = await victim.context.newPage();
  await page.goto(trap);
  await page.getByRole('heading', { name: 'Board', level: 1 }).waitFor();
  expect(page.url()).not.toContain('token');
  await page.goto('/account');
  await page.getByText(vera).first().waitFor();

  // Whoever is not is asked.
  const visitor = await newPerson();
  await visitor.page.goto(trap);
  await visitor.page.getByText('This link signs you in').waitFor();
  await expectAccessible(visitor.page);
  await picture(visitor.page, 'offered-session');
  await visitor.page.reload();
  await visitor.page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(await visitor.page.getByText('This link signs you in').count()).toBe(0);
  await visitor.page.goto('about:blank');
  await visitor.page.goto(trap);
  await visitor.page.getByRole('button', { name: 'Go on with this link' }).click();
  await visitor.page.getByRole('heading', { name: 'Name your organisation' }).waitFor();
});
