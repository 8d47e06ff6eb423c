import { beforeAll, describe, it } from 'vitest';
import type { Page } from 'playwright-core';
import { expectAccessible } from './support/accessibility';
import { newPerson, picture, withBrowser, type Look } from './support/browser';
import { put } from './support/files';
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
const paths = { preview: '', board: '', order: '', files: '' };
const FILES = [
  { name: 'Handover checklist.txt', mimeType: 'text/plain', buffer: Buffer.alloc(4_210) },
  { name: 'Insurance 2026.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(387_500) },
  { name: 'North façade.png', mimeType: 'image/png', buffer: Buffer.alloc(2_804_000) },
  { name: 'Site plan.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(1_163_000) },
];

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
  paths.files = `/o/${slug}/files`;
  await navigateTo(page, 'Files');
  await put(page, ...FILES);
  await page.getByText(`${FILES.length} of ${FILES.length} uploaded`).waitFor();
  await page.getByRole('button', { name: 'New folder' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('Drawings');
  await page.getByRole('dialog').getByRole('button', { name: 'Make folder' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
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

    await page.goto(paths.files);
    await page.getByRole('button', { name: 'Site plan.pdf', exact: true }).waitFor();
    await lookAt(page, `files-${name}`);
  });
});

async function lookAt(page: Page, name: string): Promise<void> {
  await page.evaluate(() => document.fonts.ready);
  await picture(page, name);
  await expectAccessible(page);
}
