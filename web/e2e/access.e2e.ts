/** Roles of an organisation's own, keys, tokens, spaces, the review of access, and the console of those who run the installation. */
import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { expectAccessible } from './support/accessibility';
import { newPerson, picture, URL_OF_SERVER, withBrowser } from './support/browser';
import {
  createOrganization,
  invitation,
  makeOperator,
  navigateTo,
  newEmail,
  signUp,
} from './support/steps';

withBrowser();

async function settings(page: Page, slug: string, path: string, heading: string): Promise<void> {
  await page.goto(`/o/${slug}/settings/${path}`);
  await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
}

async function addPattern(page: Page, field: string, pattern: string): Promise<void> {
  const box = page.getByRole('dialog').getByLabel(field, { exact: true }).first();
  await box.fill(pattern);
  await box.press('Enter');
  await box.blur();
}

const asked = (token: string, path: string) =>
  fetch(URL_OF_SERVER + path, { headers: { Authorization: `Bearer ${token}` } });

it('lets an operator write plans', async () => {
  const { page } = await newPerson();
  const email = newEmail('opal');
  await signUp(page, 'Opal Reyes', email);
  await page.getByRole('heading', { name: 'Name your organisation' }).waitFor();
  await makeOperator(email);
  await page.goto('/operator/plans');
  await page.getByRole('heading', { name: 'Plans', level: 1 }).waitFor();
  const title = `Plan ${Date.now().toString(36)} x`;
  await page.getByRole('button', { name: 'New plan' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('A title has 1 to 80 characters').waitFor();
  await dialog.getByLabel('Title').fill(title);
  await dialog.getByLabel('Most members').fill('25');
  await dialog.getByLabel('API keys').check();
  await expectAccessible(page);
  await picture(page, 'operator-plan');
  await dialog.getByRole('button', { name: 'Save' }).click();
  const row = page.getByTestId('plan').filter({ hasText: title });
  await row.getByText('25').waitFor();
  await expectAccessible(page);
  await picture(page, 'operator-plans');
  await page.getByRole('button', { name: `Change ${title}` }).click();
  await dialog.getByLabel('Most members').fill('');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await row.getByText('25').waitFor({ state: 'detached' });

  // The last in the list goes up by one, and stays there.
  const titles = () => page.getByTestId('plan').getByRole('rowheader').allInnerTexts();
  const before = await titles();
  expect(before.at(-1)).toContain(title);
  await page.getByRole('button', { name: `Move ${title} up` }).click();
  await expect.poll(async () => (await titles()).at(-2)).toContain(title);
  await page.reload();
  await row.waitFor();
  expect((await titles()).at(-2)).toContain(title);
  expect(
    await page
      .getByRole('button', { name: /^Move .* up$/ })
      .first()
      .isDisabled(),
  ).toBe(true);

  // What organisations have stays; what nobody has goes.
  await page.getByRole('button', { name: 'Remove Business' }).click();
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
  await dialog.getByText('This plan is in use.').waitFor();
  await expectAccessible(page);
  await picture(page, 'operator-plan-in-use');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: `Remove ${title}` }).click();
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
  await row.waitFor({ state: 'detached' });
});

it('lets an owner give a role of their own making in the member list, which counts at once', async () => {
  const owner = await newPerson();
  const email = newEmail('ines');
  await signUp(owner.page, 'Ines Falk', email);
  const slug = await createOrganization(owner.page, `Lock ${Date.now().toString(36)}`);
  const link = await invitation(email, 'viewer');

  const guest = await newPerson();
  await signUp(guest.page, 'Theo Brandt', newEmail('theo'));
  await guest.page.getByRole('heading', { name: 'Name your organisation' }).waitFor();
  await guest.page.goto(link);
  await guest.page.getByRole('button', { name: 'Join organisation' }).click();
  await guest.page.getByTestId('organization-name').waitFor();
  await navigateTo(guest.page, 'Members');
  const invite = guest.page.getByRole('button', { name: 'Invite someone' });
  await guest.page.getByRole('row', { name: /Ines Falk/ }).waitFor();
  expect(await invite.count()).toBe(0);

  await settings(owner.page, slug, 'roles', 'Roles');
  await owner.page.getByRole('button', { name: 'New role' }).click();
  await owner.page.getByRole('textbox', { name: 'Name' }).fill('Doorkeeper');
  await addPattern(owner.page, 'Grants', 'tenancy.members.*');
  await owner.page.getByTestId('role-preview').getByText('tenancy.members.invite').waitFor();
  await owner.page.getByRole('button', { name: 'Save' }).click();
  await owner.page.getByTestId('custom-role').getByText('Doorkeeper').waitFor();

  const give = async (role: string) => {
    await owner.page.goto(`/o/${slug}/settings/members`);
    await owner.page.getByRole('button', { name: 'Actions for Theo Brandt' }).click();
    await owner.page.getByRole('menuitem', { name: 'Change role or department' }).click();
    const dialog = owner.page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'Role of your own' }).click();
    await owner.page.getByRole('option', { name: role, exact: true }).click();
    await expectAccessible(owner.page);
    await picture(owner.page, 'member-own-role');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
  };
  await give('Doorkeeper');
  const row = owner.page.getByRole('row', { name: /Theo Brandt/ });
  await row.getByText('Viewer and Doorkeeper').waitFor();
  await guest.page.reload();
  await invite.click();
  await guest.page.getByRole('button', { name: 'Create link' }).click();
  await guest.page.getByLabel('Invitation link').waitFor();

  // Taken away, it is over at once: a page that is open already is refused.
  await guest.page.getByRole('button', { name: 'Done' }).click();
  await give('None');
  await row.getByText('Doorkeeper').waitFor({ state: 'detached' });
  await invite.click();
  await guest.page.getByRole('button', { name: 'Create link' }).click();
  await guest.page.getByTestId('error-state').waitFor();
  await guest.page.reload();
  await guest.page.getByRole('row', { name: /Ines Falk/ }).waitFor();
  expect(await invite.count()).toBe(0);
});

it('lets an operator open the console, change a plan, and come in to help as long as the owner lets them', async () => {
  const owner = await newPerson();
  await signUp(owner.page, 'Nora Lind', newEmail('nora'));
  const slug = await createOrganization(owner.page, `Quay ${Date.now().toString(36)}`);
  const name = await owner.page.getByTestId('organization-name').innerText();

  const operator = await newPerson();
  const email = newEmail('opal');
  await signUp(operator.page, 'Opal Reyes', email);
  await operator.page.getByRole('heading', { name: 'Name your organisation' }).waitFor();
  await operator.page.goto('/operator');
  await operator.page.getByTestId('not-found').waitFor();
  await makeOperator(email);
  await operator.page.goto('/operator');
  await operator.page.getByRole('heading', { name: 'Organisations', level: 1 }).waitFor();
  await operator.page.getByRole('searchbox', { name: 'Search' }).fill(name);
  await operator.page.getByRole('link', { name }).waitFor();
  await expectAccessible(operator.page);
  await picture(operator.page, 'operator-organizations');
  await operator.page.getByRole('link', { name }).click();
  await operator.page.getByRole('heading', { name, level: 1 }).waitFor();
  await operator.page.getByRole('combobox', { name: 'Plan' }).click();
  await operator.page.getByRole('option', { name: 'Business' }).click();
  await expectAccessible(operator.page);
  await picture(operator.page, 'operator-organization');

  // Suspending says why; letting in again says what goes wrong.
  await operator.page.getByRole('button', { name: 'Suspend' }).click();
  const dialog = operator.page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Suspend' }).click();
  await dialog.getByText('Say why').waitFor();
  await dialog.getByLabel('Reason').fill('Unpaid');
  await dialog.getByRole('button', { name: 'Suspend' }).click();
  await operator.page.getByRole('button', { name: 'Let in again' }).click();
  await expectAccessible(operator.page);
  await dialog.getByRole('button', { name: 'Let in again' }).click();
  await operator.page.getByRole('button', { name: 'Suspend' }).waitFor();

  await operator.page.getByRole('button', { name: 'Enter to help' }).click();
  await operator.page.getByRole('dialog').getByRole('button', { name: 'Enter to help' }).click();
  await operator.page.getByText('Say why').waitFor();
  await operator.page.getByLabel('Reason').fill('Ticket 4711');
  await operator.page.getByRole('dialog').getByRole('button', { name: 'Enter to help' }).click();
  await operator.page.getByTestId('visit').waitFor();
  await operator.page.getByRole('button', { name: `Go to ${name}` }).click();
  await operator.page.getByTestId('organization-name').waitFor();
  await operator.page.getByTestId('visit-banner').getByText('minutes are left').waitFor();
  await expectAccessible(operator.page);
  await picture(operator.page, 'operator-visit');
  await operator.page.goto(`/o/${slug}/settings/danger`);
  await operator.page.getByRole('heading', { name: 'Leave or delete', level: 1 }).waitFor();
  expect(await operator.page.getByRole('button', { name: 'Leave', exact: true }).count()).toBe(1);
  await operator.page.getByRole('button', { name: /Account/ }).click();
  await operator.page.getByRole('link', { name: 'Operator console' }).waitFor();
  await operator.page.keyboard.press('Escape');

  await settings(owner.page, slug, 'support', 'Support');
  await owner.page.getByText('Ticket 4711').waitFor();
  await expectAccessible(owner.page);
  await picture(owner.page, 'access-support');
  await owner.page.getByRole('button', { name: 'Send away Opal Reyes' }).click();
  await owner.page
    .getByRole('button', { name: 'Send away Opal Reyes' })
    .waitFor({ state: 'detached' });
  await operator.page.goto(`/o/${slug}`);
  await operator.page.getByTestId('organization-name').waitFor({ state: 'detached' });

  // What the plan now includes: a role of one's own, given to oneself.
  await settings(owner.page, slug, 'roles', 'Roles');
  await owner.page.getByRole('button', { name: 'New role' }).click();
  await owner.page.getByRole('textbox', { name: 'Name' }).fill('Buyer');
  await addPattern(owner.page, 'Grants', 'purchasing.*');
  await owner.page.getByTestId('role-preview').getByText('purchasing.orders.import').waitFor();
  await addPattern(owner.page, 'But never', '*.*.import');
  await owner.page
    .getByTestId('role-preview')
    .getByText('purchasing.orders.import')
    .waitFor({ state: 'detached' });
  await expectAccessible(owner.page);
  await picture(owner.page, 'access-role');
  await owner.page.getByRole('button', { name: 'Save' }).click();
  await owner.page.getByTestId('custom-role').getByText('Buyer').waitFor();
  await owner.page.getByRole('button', { name: 'Who has Buyer' }).click();
  await owner.page.getByRole('dialog').getByLabel('Give it to').first().click();
  await owner.page.getByRole('option', { name: /Nora Lind/ }).click();
  await owner.page.getByRole('button', { name: 'Give role' }).click();
  await owner.page.getByText('beside Owner').waitFor();
  await owner.page.keyboard.press('Escape');
  await expectAccessible(owner.page);
  await picture(owner.page, 'access-roles');

  await settings(owner.page, slug, 'access-review', 'Access review');
  await owner.page.getByText('Own role Buyer').waitFor();
  await owner.page
    .getByRole('searchbox', { name: 'Permission or pattern' })
    .fill('tenancy.organization.delete');
  await owner.page.getByText('Own role Buyer').waitFor({ state: 'detached' });
  expect(new URL(owner.page.url()).searchParams.get('permission')).toBe(
    'tenancy.organization.delete',
  );
  await expectAccessible(owner.page);
  await picture(owner.page, 'access-review');
  const [file] = await Promise.all([
    owner.page.waitForEvent('download'),
    owner.page.getByRole('button', { name: 'Download as CSV' }).click(),
  ]);
  expect(file.suggestedFilename()).toBe('access-review.csv');

  // A key works until it is revoked.
  await settings(owner.page, slug, 'keys', 'API keys');
  await owner.page.getByRole('button', { name: 'New key' }).click();
  await owner.page.getByRole('textbox', { name: 'Name' }).fill('Scanner');
  await addPattern(owner.page, 'May do', 'tenancy.members.read');
  await owner.page.getByRole('dialog').getByRole('button', { name: 'New key' }).click();
  const key = await owner.page.getByLabel('The key Scanner').inputValue();
  expect((await asked(key, '/api/v1/tenancy/members')).status).toBe(200);
  expect((await asked(key, '/api/v1/access/roles')).status).toBe(403);
  await expectAccessible(owner.page);
  await owner.page.getByRole('button', { name: 'Done' }).click();
  await picture(owner.page, 'access-keys');
  await owner.page.getByRole('button', { name: 'Revoke Scanner' }).click();
  await owner.page.getByRole('button', { name: 'Revoke', exact: true }).click();
  await owner.page.getByText('Revoked').waitFor();
  expect((await asked(key, '/api/v1/tenancy/members')).status).toBe(401);

  await settings(owner.page, slug, 'spaces', 'Spaces');
  await owner.page.getByRole('button', { name: 'New space' }).click();
  await owner.page.getByRole('textbox', { name: 'Name' }).fill('Tender North');
  await owner.page.getByRole('button', { name: 'Save' }).click();
  await owner.page.getByRole('button', { name: 'Who is in Tender North' }).click();
  await owner.page.getByRole('dialog').getByLabel('People').first().click();
  await owner.page.getByRole('option', { name: /Nora Lind/ }).click();
  await owner.page.keyboard.press('Escape');
  await owner.page.getByRole('button', { name: 'Save' }).click();
  await owner.page.getByText('You are in').waitFor();
  await expectAccessible(owner.page);
  await picture(owner.page, 'access-spaces');
});

it('gives somebody a token that acts as them until they revoke it', async () => {
  const { page } = await newPerson({ width: 390, height: 844, scheme: 'dark' });
  await signUp(page, 'Ravi Sen', newEmail('ravi'));
  await createOrganization(page, 'Token House');
  await page.goto('/account');
  await page.getByRole('heading', { name: 'Personal tokens' }).waitFor();
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('Laptop');
  await page.getByRole('dialog').getByRole('button', { name: 'New token' }).click();
  const token = await page.getByLabel('The key Laptop').inputValue();
  expect(token).toMatch(/^tnn_pat_/);
  expect((await asked(token, '/api/v1/tenancy/session')).status).toBe(200);
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByTestId('token').waitFor();
  await expectAccessible(page);
  await picture(page, 'access-tokens');
  await page.getByRole('button', { name: 'Revoke Laptop' }).click();
  await page.getByText('You have no tokens.').waitFor();
  expect((await asked(token, '/api/v1/tenancy/session')).status).toBe(401);
});

it('shows one built-in role at a time where the screen is narrow', async () => {
  const { page } = await newPerson({ width: 360 });
  await signUp(page, 'Nia Okafor', newEmail('nia'));
  const slug = await createOrganization(page, 'Narrow Roles');
  await settings(page, slug, 'roles', 'Roles');
  const row = page.getByRole('row').filter({ hasText: 'tenancy.organization.delete' });
  await row.getByRole('img', { name: 'No' }).waitFor();
  await page.getByRole('combobox', { name: 'Role', exact: true }).click();
  await page.getByRole('option', { name: 'Owner' }).click();
  await row.getByRole('img', { name: 'Yes' }).waitFor();
  await expectAccessible(page);
  await picture(page, 'roles-narrow');
});
