import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { expectAccessible } from './support/accessibility';
import { newPerson, picture, withBrowser, type Person } from './support/browser';
import { createOrganization, navigateTo, newEmail, PASSWORD, signUp } from './support/steps';

withBrowser();

/** Eight by eight pixels of one colour. */
const LOGO = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR4nGPQ78/DihiGlgQAPrtLAVPWv8IAAAAASUVORK5CYII=',
  'base64',
);

async function founder(name: string, organization: string): Promise<Person & { slug: string }> {
  const person = await newPerson();
  await signUp(person.page, name, newEmail(name.toLowerCase()));
  const slug = await createOrganization(person.page, organization);
  return { ...person, slug };
}

/** By the list beside the settings. */
async function section(page: Page, name: string): Promise<void> {
  const list = page.getByRole('navigation', { name: 'Settings' });
  await list.getByRole('link', { name, exact: true }).click();
  await page.getByRole('heading', { name, level: 1 }).waitFor();
}

/** The link in the newest mail to an address. */
async function linkFor(page: Page, email: string): Promise<string> {
  await page.goto('/mailbox');
  const mail = page.getByRole('article').filter({ hasText: email }).first();
  await mail.waitFor();
  const address = (await mail.getByRole('link').getAttribute('href')) ?? '';
  // The server calls itself by another name than the tests do.
  return new URL(address).pathname;
}

async function act(page: Page, name: string, action: string): Promise<void> {
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('menuitem', { name: action }).click();
}

/** Invites somebody by mail, who signs up from the link and joins. */
async function join(owner: Page, name: string, email: string, department?: string) {
  await owner.getByRole('button', { name: 'Invite someone' }).click();
  const dialog = owner.getByRole('dialog');
  await dialog.getByLabel('E-mail address').fill(email);
  if (department !== undefined) {
    await dialog.getByRole('combobox', { name: 'Department' }).click();
    await owner.getByRole('option', { name: department }).click();
  }
  await dialog.getByRole('button', { name: 'Send invitation' }).click();
  await dialog.getByText(`on its way to ${email}`).waitFor();
  await expectAccessible(owner);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await owner.getByRole('heading', { name: 'Open invitations' }).waitFor();

  const guest = await newPerson();
  await guest.page.goto(await linkFor(guest.page, email));
  await guest.page.getByRole('link', { name: 'Create an account' }).click();
  await guest.page.getByLabel('Your name').fill(name);
  expect(await guest.page.getByLabel('E-mail address').inputValue()).toBe(email);
  await guest.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await guest.page.getByRole('button', { name: 'Create account' }).click();
  await guest.page.getByRole('button', { name: 'Join organisation' }).click();
  await guest.page.getByTestId('organization-name').waitFor();
  return guest;
}

it('changes what the organisation is called and how it looks, and old links lead on', async () => {
  const { page, slug } = await founder('Ada', 'Old Name');
  await navigateTo(page, 'Organisation');
  await page.getByLabel('Name of the organisation').fill('New Name');
  const renamed = `renamed-${Date.now().toString(36)}`;
  await page.getByLabel('Name in addresses').fill(renamed);
  await page.getByRole('combobox', { name: 'First page' }).click();
  await page.getByRole('option', { name: /Orders/ }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(`**/o/${renamed}/settings/general`);
  await expect.poll(() => page.getByTestId('organization-name').innerText()).toBe('New Name');
  await expectAccessible(page);
  await picture(page, 'settings-general');

  await page.goto(`/o/${slug}/settings/members?q=x`);
  await page.waitForURL(`**/o/${renamed}/settings/members?q=x`);
  await page.goto(`/o/${renamed}`);
  await page.getByRole('heading', { name: 'Orders', level: 1 }).waitFor();

  await navigateTo(page, 'Organisation');
  await section(page, 'Appearance');
  await page.getByLabel('Choose a picture').first().setInputFiles({
    name: 'logo.png',
    mimeType: 'image/png',
    buffer: LOGO,
  });
  await page.getByRole('button', { name: 'Remove' }).waitFor();
  await page.getByLabel('Colour as #rrggbb').fill('#ffe94d');
  await page.getByText('White words are hard to read on it').waitFor();
  expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
  await page.getByLabel('Colour as #rrggbb').fill('#b3261e');
  const save = page.getByRole('button', { name: 'Save' });
  await expect.poll(() => save.isEnabled()).toBe(true);
  // The palette that opened with the field covers the button.
  await page.keyboard.press('Escape');
  await save.click();
  const primary = () =>
    page.evaluate(() =>
      getComputedStyle(document.documentElement)
        .getPropertyValue('--mantine-primary-color-filled')
        .trim(),
    );
  await expect.poll(primary).toBe('#b3261e');
  await expectAccessible(page);
  await picture(page, 'settings-look');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.reload();
  await page.getByRole('button', { name: 'Use the usual colour' }).waitFor();
  await expectAccessible(page);
  await picture(page, 'settings-look-dark');
});

it('lets people in by mail, changes what they may do, and shuts them out', async () => {
  const { page } = await founder('Bea', 'Mail Works');
  await navigateTo(page, 'Members');
  await section(page, 'Departments');
  await page.getByText('No departments yet').waitFor();
  await page.getByRole('button', { name: 'Add department' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('Supply');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByRole('cell', { name: 'Supply', exact: true }).waitFor();
  await expectAccessible(page);
  await picture(page, 'settings-departments');

  await section(page, 'Members');
  const email = newEmail('cleo');
  const guest = await join(page, 'Cleo Marsh', email, 'Supply');
  await page.reload();
  await page.getByRole('cell', { name: 'Supply', exact: true }).waitFor();
  await act(page, 'Cleo Marsh', 'Change role or department');
  await page.getByRole('dialog').getByRole('combobox', { name: 'Role' }).click();
  await page.getByRole('option', { name: 'Admin' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page
    .getByRole('row', { name: /Cleo Marsh/ })
    .getByText('Admin')
    .waitFor();
  await expectAccessible(page);
  await picture(page, 'settings-members');

  // An admin invites and does not reach the owner.
  await guest.page.goto(page.url());
  await guest.page.getByRole('button', { name: 'Invite someone' }).waitFor();
  expect(await guest.page.getByRole('button', { name: 'Actions for Bea' }).count()).toBe(0);

  await act(page, 'Cleo Marsh', 'Suspend');
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
  await page.getByText('Suspended').waitFor();
  await guest.page.goto(page.url());
  await guest.page.getByTestId('not-found').waitFor();
  await act(page, 'Cleo Marsh', 'Let in again');
  await page.getByRole('dialog').getByRole('button', { name: 'Let in again' }).click();
  await page.getByText('Suspended').waitFor({ state: 'detached' });
  await guest.page.goto(page.url());
  await guest.page.getByRole('heading', { name: 'Members', level: 1 }).waitFor();

  await page.getByLabel('Search members').fill('cleo');
  await expect.poll(() => page.getByTestId('table-range').innerText()).toContain('1–1 of 1');
  expect(page.url()).toContain('q=cleo');
  await act(page, 'Cleo Marsh', 'Remove');
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByText('Nothing matches these filters').waitFor();
  await guest.page.goto(page.url());
  await guest.page.getByTestId('not-found').waitFor();

  // One that is withdrawn is gone.
  await page.getByRole('button', { name: 'Reset filters' }).click();
  await page.getByRole('button', { name: 'Invite someone' }).click();
  await page.getByRole('button', { name: 'Create link' }).click();
  const link = await page.getByLabel('Invitation link').inputValue();
  await page.getByRole('button', { name: 'Done' }).click();
  await act(page, 'Whoever has the link', 'Withdraw');
  await page.getByText('The invitation is withdrawn.').waitFor();
  await guest.page.goto(new URL(link).pathname);
  await guest.page.getByRole('heading', { name: 'This invitation cannot be used' }).waitFor();
});

it('switches an app off and on, and shows what the plan allows', async () => {
  const { page } = await founder('Dov', 'No Apps');
  await navigateTo(page, 'Organisation');
  await section(page, 'Apps');
  const navigation = page.getByRole('navigation', { name: 'Main navigation' });
  await navigation.getByRole('link', { name: 'Orders' }).waitFor();
  await page.getByRole('switch').first().click();
  await navigation.getByRole('link', { name: 'Orders' }).waitFor({ state: 'detached' });
  await expectAccessible(page);
  await picture(page, 'settings-apps');
  await page.getByRole('switch').first().click();
  await navigation.getByRole('link', { name: 'Orders' }).waitFor();
  await section(page, 'Plan');
  await page.getByText('Members and open invitations').waitFor();
  await expectAccessible(page);
  await picture(page, 'settings-plan');
});

it('is handed over, left, and given up only after the name was typed', async () => {
  const { page } = await founder('Eva', 'Going On');
  await navigateTo(page, 'Members');
  const guest = await join(page, 'Finn Moor', newEmail('finn'));
  await section(page, 'Leave or delete');

  await page.getByRole('button', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog');
  const confirm = dialog.getByRole('button', { name: 'Delete' });
  await dialog.getByLabel('Type Going On to confirm').fill('Going');
  expect(await confirm.isDisabled()).toBe(true);
  await dialog.getByLabel('Type Going On to confirm').fill('Going On');
  await expectAccessible(page);
  await confirm.click();
  await page.getByText('Going On will be deleted with all its data').waitFor();
  await expectAccessible(page);
  await picture(page, 'settings-danger');
  await page.getByRole('button', { name: 'Keep the organisation' }).click();
  await page.getByText('Going On will be deleted').waitFor({ state: 'detached' });

  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download' }).click();
  expect((await saved).suggestedFilename()).toMatch(/^going-on.*\.zip$/);

  await page.getByRole('button', { name: 'Leave' }).click();
  await dialog.getByRole('button', { name: 'Leave' }).click();
  await dialog.getByText('You are the last owner.').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Hand over' }).click();
  await dialog.getByRole('combobox', { name: 'New owner' }).click();
  await page.getByRole('option', { name: /Finn Moor/ }).click();
  await dialog.getByRole('button', { name: 'Hand over' }).click();
  await page.getByText('The organisation has a new owner.').waitFor();
  await expect.poll(() => page.getByRole('button', { name: 'Delete' }).count()).toBe(0);
  await page.getByRole('button', { name: 'Leave' }).click();
  await dialog.getByRole('button', { name: 'Leave' }).click();
  await page.getByRole('heading', { name: 'Name your organisation' }).waitFor();

  await guest.page.reload();
  await navigateTo(guest.page, 'Members');
  expect(await guest.page.getByTestId('table-range').innerText()).toContain('1–1 of 1');
  await guest.page.setViewportSize({ width: 390, height: 844 });
  await guest.page.reload();
  await guest.page.getByRole('combobox', { name: 'Settings' }).selectOption('Leave or delete');
  await guest.page.getByRole('heading', { name: 'Leave or delete', level: 1 }).waitFor();
  await expectAccessible(guest.page);
  await picture(guest.page, 'settings-danger-390');
});
