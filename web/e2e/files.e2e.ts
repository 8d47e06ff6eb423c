import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { expectAccessible } from './support/accessibility';
import { newPerson, picture, URL_OF_SERVER, withBrowser, type Look } from './support/browser';
import {
  createOrganization,
  dataFile,
  invitation,
  navigateTo,
  newEmail,
  PASSWORD,
  signUp,
  upload,
} from './support/steps';

withBrowser();

/** Eight by eight pixels of one colour. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR4nGPQ78/DihiGlgQAPrtLAVPWv8IAAAAASUVORK5CYII=',
  'base64',
);
const text = (name: string, words: string) => ({
  name,
  mimeType: 'text/plain',
  buffer: Buffer.from(words),
});
const logo = { name: 'logo.png', mimeType: 'image/png', buffer: PICTURE };

async function founder(name: string, look: Look = {}) {
  const email = newEmail(name.toLowerCase());
  const person = await newPerson(look);
  await signUp(person.page, name, email);
  const slug = await createOrganization(person.page, `${name} Works`);
  return { ...person, email, slug };
}

async function put(page: Page, ...files: Parameters<Page['setInputFiles']>[1][]): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Upload files' }).click();
  await (await chooser).setFiles(files as never);
}

const file = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function act(page: Page, name: string, action: string): Promise<void> {
  await page.getByRole('button', { name: `Actions for ${name}`, exact: true }).click();
  await page.getByRole('menuitem', { name: action }).click();
}

it('keeps files in folders, shows them, and lets them be renamed, moved and deleted', async () => {
  const { page, context } = await founder('Fay');
  await navigateTo(page, 'Files');
  await page.getByText('No files here').waitFor();
  await expectAccessible(page);
  await picture(page, 'files-empty');

  await put(page, text('Grüße & notes.txt', 'Hello from the site'), logo, text('50% #1?.txt', 'x'));
  await file(page, 'Grüße & notes.txt').waitFor();
  await file(page, '50_ _1_.txt').waitFor();
  await page.getByText('3 of 3 uploaded').waitFor();
  await expectAccessible(page);
  await picture(page, 'files-uploaded');
  await page.getByRole('button', { name: 'Clear finished' }).click();

  // A name that is there already is not replaced unless somebody says so.
  await put(page, text('Grüße & notes.txt', 'Hello again'));
  await page.getByText('There is a file of this name already.').waitFor();
  await picture(page, 'files-there-already');
  await page.getByRole('button', { name: 'Replace' }).click();
  await page.getByText('1 of 1 uploaded').waitFor();

  await file(page, 'Grüße & notes.txt').click();
  await page.getByRole('dialog').getByText('Hello again').waitFor();
  await expectAccessible(page);
  await picture(page, 'files-text');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  await file(page, 'logo.png').click();
  const shown = page.getByRole('dialog').getByRole('img', { name: 'logo.png' });
  await expect.poll(() => shown.evaluate((one: HTMLImageElement) => one.naturalWidth)).toBe(8);
  const saved = page.waitForEvent('download');
  await page.getByRole('dialog').getByRole('button', { name: 'Download' }).click();
  const download = await saved;
  expect(download.suggestedFilename()).toBe('logo.png');
  expect(await readFile(await download.path())).toEqual(PICTURE);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'New folder' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('spaces');
  await page.getByText('This name is taken for something else').waitFor();
  await page.getByRole('dialog').getByLabel('Name').fill('Plans');
  await page.getByRole('dialog').getByRole('button', { name: 'Make folder' }).click();
  await file(page, 'Plans').waitFor();

  await act(page, '50_ _1_.txt', 'Rename');
  await page.getByRole('dialog').getByLabel('Name').fill('first.txt');
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
  await file(page, 'first.txt').waitFor();

  await act(page, 'logo.png', 'Move');
  await page.getByRole('dialog').getByRole('button', { name: 'Plans' }).click();
  await expectAccessible(page);
  await picture(page, 'files-move');
  await page.getByRole('dialog').getByRole('button', { name: 'Move here' }).click();
  await file(page, 'logo.png').waitFor({ state: 'detached' });

  await file(page, 'Plans').click();
  await file(page, 'logo.png').waitFor();
  expect(new URL(page.url()).searchParams.get('folder')).toBe('Plans');
  await page.reload();
  await file(page, 'logo.png').waitFor();
  await page.goBack();
  await file(page, 'first.txt').waitFor();

  // A folder takes along what is in it.
  await act(page, 'Plans', 'Rename');
  await page.getByRole('dialog').getByLabel('Name').fill('Drawings');
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
  await file(page, 'Drawings').click();
  await file(page, 'logo.png').waitFor();
  await page
    .getByRole('navigation', { name: 'Folders on the way here' })
    .getByRole('button', { name: 'All files' })
    .click();

  await act(page, 'first.txt', 'Delete');
  await page.getByRole('dialog').getByText('gone for good').waitFor();
  await expectAccessible(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await file(page, 'first.txt').waitFor({ state: 'detached' });
  await act(page, 'Drawings', 'Delete');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await file(page, 'Drawings').waitFor({ state: 'detached' });
  await file(page, 'Grüße & notes.txt').waitFor();

  // The column's button orders by time, and the address says so.
  await page.getByRole('button', { name: 'Sort by Changed' }).click();
  await page.waitForURL(/sort=updated_at/);
  await context.close();
});

it('sends a large file in parts, takes it up again where it was, and ends when told to', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tenon-files-'));
  const large = async (name: string) => {
    const path = join(folder, name);
    await writeFile(path, Buffer.alloc(20 * 1024 * 1024, name));
    return path;
  };
  const { page, context } = await founder('Gil');
  page.on('dialog', (dialog) => void dialog.accept());
  const cdp = await context.newCDPSession(page);
  await cdp.send('Network.enable');
  const speed = (uploadThroughput: number) =>
    cdp.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput,
    });
  // Where each part after the first began.
  let offsets: number[] = [];
  page.on('request', (request) => {
    if (request.method() === 'PATCH') offsets.push(Number(request.headers()['upload-offset']));
  });
  const percent = async () =>
    Number(await page.getByRole('progressbar').getAttribute('aria-valuenow'));

  await navigateTo(page, 'Files');
  await speed(4_000_000);
  const survey = await large('survey.bin');
  await put(page, survey);
  await expect.poll(percent, { timeout: 30_000 }).toBeGreaterThan(5);
  await expectAccessible(page);
  await picture(page, 'files-progress');

  // Somebody leaves in the middle, and chooses the file again.
  await expect.poll(() => offsets.length, { timeout: 30_000 }).toBeGreaterThan(0);
  await page.reload();
  await page.getByText('No files here').waitFor();
  offsets = [];
  // The line breaks once on the way.
  let broken = 0;
  await page.route(
    '**/storage/v1/upload/resumable/**',
    (route) => {
      broken += 1;
      return route.abort('connectionreset');
    },
    { times: 1 },
  );
  await speed(-1);
  await put(page, survey);
  await file(page, 'survey.bin').waitFor();
  await page.getByText('1 of 1 uploaded').waitFor();
  expect(broken).toBe(1);
  expect(offsets.length).toBeGreaterThan(0);
  expect(offsets.every((offset) => offset > 0)).toBe(true);
  await page.getByText('21 MB').first().waitFor();

  // Its name is taken.
  await put(page, survey);
  await page.getByText('There is a file of this name already.').waitFor();

  await speed(1_000_000);
  await put(page, await large('unwanted.bin'));
  await page.getByRole('button', { name: 'Cancel the upload of unwanted.bin' }).click();
  await page.getByRole('progressbar').waitFor({ state: 'detached' });
  await speed(-1);
  await page.reload();
  await file(page, 'survey.bin').waitFor();
  expect(await file(page, 'unwanted.bin').count()).toBe(0);
  await context.close();
  await rm(folder, { recursive: true });
});

it('takes what is dropped, and leads through many files page by page', async () => {
  const { page, context } = await founder('Lea');
  await navigateTo(page, 'Files');
  await page.getByText('No files here').waitFor();
  const dropped = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    for (let number = 1; number <= 52; number += 1) {
      transfer.items.add(new File(['x'], `${String(number).padStart(2, '0')}.log`));
    }
    return transfer;
  });
  const area = page.getByText('Upload files, or drop them here.');
  await area.dispatchEvent('dragenter', { dataTransfer: dropped });
  await page.getByText('Drop to upload').waitFor();
  await picture(page, 'files-drop');
  await area.dispatchEvent('drop', { dataTransfer: dropped });
  await page.getByText('52 of 52 uploaded').waitFor();
  await page.getByRole('button', { name: 'Clear finished' }).click();
  await file(page, '50.log').waitFor();
  expect(await file(page, '51.log').count()).toBe(0);
  await page.getByRole('button', { name: 'Next page' }).click();
  await file(page, '52.log').waitFor();
  expect(new URL(page.url()).searchParams.get('page')).toBe('2');
  expect(await page.getByRole('button', { name: 'Next page' }).isDisabled()).toBe(true);
  await expectAccessible(page);

  // By the keyboard alone.
  await page.getByRole('button', { name: 'Sort by Name' }).press('Enter');
  await file(page, '52.log').waitFor();
  await file(page, '52.log').press('Enter');
  await page.getByRole('dialog').getByText('x', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Actions for 51.log' }).press('Enter');
  await page.getByRole('menuitem', { name: 'Delete' }).press('Enter');
  // The harmless button comes first.
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await file(page, '51.log').waitFor();
  await context.close();
});

it('shares a file by a link that needs no session and is not good for another file', async () => {
  const { page, context } = await founder('Hal');
  await navigateTo(page, 'Files');
  await put(page, text('offer.txt', 'Forty windows'));
  await file(page, 'offer.txt').waitFor();
  await act(page, 'offer.txt', 'Share a link');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: 'How long it is good' }).click();
  await page.getByRole('option', { name: 'An hour' }).click();
  await dialog.getByRole('button', { name: 'Make a link' }).click();
  const address = await dialog.getByLabel('Link', { exact: true }).inputValue();
  await dialog.getByText('Good until').waitFor();
  await expectAccessible(page);
  await picture(page, 'files-share');

  const stranger = await newPerson();
  await stranger.page.goto(address);
  await stranger.page.getByText('Forty windows').waitFor();
  const other = await fetch(address.replace('offer.txt', 'other.txt'));
  expect(other.status).toBe(400);
  const bare = await fetch(address.split('?')[0] ?? '');
  expect(bare.ok).toBe(false);
  await stranger.context.close();
  await context.close();
});

it('lets viewers look and nothing else, and says when there is no room', async () => {
  const { page, context, email, slug } = await founder('Ivy');
  await navigateTo(page, 'Files');
  await put(page, text('plan.txt', 'Phase one'));
  await file(page, 'plan.txt').waitFor();

  const viewer = await newPerson();
  await signUp(viewer.page, 'Jon', newEmail('jon'));
  await viewer.page.getByLabel('Name of the organisation').waitFor();
  await viewer.page.goto(await invitation(email, 'viewer'));
  await viewer.page.getByRole('button', { name: 'Join organisation' }).click();
  await viewer.page.getByTestId('organization-name').waitFor();
  await viewer.page.goto(`/o/${slug}/files`);
  await file(viewer.page, 'plan.txt').click();
  await viewer.page.getByRole('dialog').getByText('Phase one').waitFor();
  await viewer.page.keyboard.press('Escape');
  expect(await viewer.page.getByRole('button', { name: 'Upload files' }).count()).toBe(0);
  expect(await viewer.page.locator('input[type=file]').count()).toBe(0);
  await viewer.page.getByRole('button', { name: 'Actions for plan.txt' }).click();
  await viewer.page.getByRole('menuitem', { name: 'Share a link' }).waitFor();
  expect(await viewer.page.getByRole('menuitem').allInnerTexts()).toEqual([
    'Open',
    'Download',
    'Share a link',
  ]);
  await viewer.page.keyboard.press('Escape');
  await viewer.page.getByRole('menu').waitFor({ state: 'detached' });
  await expectAccessible(viewer.page);
  await viewer.context.close();

  // What the server answers when the organisation's room is used up.
  await page.route('**/storage/v1/object/files/**', (route) =>
    route.request().method() === 'POST'
      ? route.fulfill({
          status: 400,
          json: { statusCode: '413', code: 'QuotaExceeded', error: 'x', message: 'No room' },
        })
      : route.continue(),
  );
  await put(page, text('too-much.txt', 'x'));
  await page.getByText('The organisation has no room left.').waitFor();
  await expectAccessible(page);
  await picture(page, 'files-no-room');
  await page.unroute('**/storage/v1/object/files/**');
  await page.getByRole('button', { name: 'Try too-much.txt again' }).click();
  await file(page, 'too-much.txt').waitFor();
  await context.close();
});

it('attaches files to an order, in a narrow and dark window too', async () => {
  const { page, context, email, slug } = await founder('Kim');
  await upload(page, dataFile('orders-and-surveys.xlsx'));
  await page.getByTestId('accepted-count').waitFor();
  await page.getByRole('button', { name: 'Confirm and save' }).click();
  await page.getByTestId('import-committed').waitFor();
  await navigateTo(page, 'Orders');
  await page.getByRole('link', { name: 'PO-1700003' }).click();
  await page.getByRole('heading', { name: 'Attachments' }).waitFor();
  await put(page, text('delivery note.txt', 'Signed'), logo);
  await file(page, 'delivery note.txt').waitFor();
  await expectAccessible(page);
  await picture(page, 'files-order');
  const order = new URL(page.url()).pathname;
  await context.close();

  const narrow = await newPerson({ width: 360, height: 780, scheme: 'dark' });
  await narrow.page.goto('/sign-in');
  await narrow.page.getByLabel('E-mail address').fill(email);
  await narrow.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await narrow.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await narrow.page.waitForURL((url) => url.pathname !== '/sign-in');
  await narrow.page.goto(order);
  await file(narrow.page, 'delivery note.txt').scrollIntoViewIfNeeded();
  await expectAccessible(narrow.page);
  await picture(narrow.page, 'files-order-narrow');
  await narrow.page.goto(`/o/${slug}/files`);
  // The record's files are the organisation's, too.
  await file(narrow.page, 'purchasing').click();
  await file(narrow.page, 'orders').click();
  const wide = await narrow.page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide).toBeLessThanOrEqual(360);
  await file(narrow.page, order.split('/').at(-1) ?? '').click();
  await act(narrow.page, 'logo.png', 'Share a link');
  await narrow.page.getByRole('button', { name: 'Make a link' }).waitFor();
  await expectAccessible(narrow.page);
  await picture(narrow.page, 'files-share-narrow');
  await narrow.context.close();
});

it('lets nobody in who has no session', async () => {
  const answer = await fetch(`${URL_OF_SERVER}/storage/v1/object/list/files`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', apikey: 'sb_publishable_tenon' },
    body: JSON.stringify({ prefix: '' }),
  });
  expect(answer.ok ? await answer.json() : []).toEqual([]);
});
