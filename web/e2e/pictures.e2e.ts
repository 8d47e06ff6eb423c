import { beforeAll, describe, it } from 'vitest';
import type { Page } from 'playwright-core';
import { expectAccessible } from './support/accessibility';
import { newPerson, picture, withBrowser, type Look } from './support/browser';
import {
  createOrganization,
  dataFile,
  newEmail,
  PASSWORD,
  signUp,
  upload,
  navigateTo,
} from './support/steps';

withBrowser();

const email = newEmail('amelia');
const paths = { preview: '', board: '', order: '' };

beforeAll(async () => {
  const { page } = await newPerson();
  await signUp(page, 'Amelia Hart', email);
  const slug = await createOrganization(page, 'Harbour & Vale Construction');
  // The first upload stays in review, so that there is a preview to look at.
  await upload(page, dataFile('orders-and-surveys.xlsx'));
  await page.getByTestId('accepted-count').waitFor();
  paths.preview = `${new URL(page.url()).pathname}?only=refused`;
  await upload(page, dataFile('orders-and-surveys.xlsx'));
  await page.getByRole('button', { name: 'Confirm and save' }).click();
  await page.getByTestId('import-committed').waitFor();
  await navigateTo(page, 'Orders');
  await page.getByRole('link', { name: 'PO-1700003' }).click();
  await page.getByTestId('order-utilisation').waitFor();
  paths.order = new URL(page.url()).pathname;
  paths.board = `/o/${slug}/purchasing`;
});

async function signIn(page: Page): Promise<void> {
  await page.goto('/sign-in');
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByTestId('organization-name').waitFor({ state: 'attached' });
}

const looks: Record<string, Look> = {
  light: { scheme: 'light' },
  dark: { scheme: 'dark' },
  narrow: { scheme: 'light', width: 390, height: 844 },
};

describe.each(Object.entries(looks))('in a %s window', (name, look) => {
  it('every page can be read and used by everybody', async () => {
    const { page } = await newPerson(look);
    await page.goto('/sign-in');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await lookAt(page, `sign-in-${name}`);

    await signIn(page);
    await page.goto(paths.board);
    await page.getByTestId('level-critical-count').waitFor();
    await lookAt(page, `board-${name}`);

    await page.goto(paths.preview);
    await page.getByTestId('table-range').waitFor();
    await lookAt(page, `import-preview-${name}`);

    await page.goto(paths.order);
    await page.getByTestId('table-range').waitFor();
    await lookAt(page, `order-${name}`);
  });
});

async function lookAt(page: Page, name: string): Promise<void> {
  await page.evaluate(() => document.fonts.ready);
  await picture(page, name);
  await expectAccessible(page);
}
