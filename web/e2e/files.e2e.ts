import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { expectAccessible } from './support/accessibility';
import { picture, withBrowser } from './support/browser';
import { act, closeDialog, file, founder, logo, put, text } from './support/files';
import { navigateTo } from './support/steps';

withBrowser();

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
  expect(new URL(page.url()).searchParams.get('file')).toBe('Grüße & notes.txt');
  await page.reload();
  await page.getByRole('dialog').getByText('Hello again').waitFor();
  await closeDialog(page);
  expect(new URL(page.url()).searchParams.get('file')).toBeNull();

  await file(page, 'logo.png').click();
  const shown = page.getByRole('dialog').getByRole('img', { name: 'logo.png' });
  await expect.poll(() => shown.evaluate((one: HTMLImageElement) => one.naturalWidth)).toBe(8);
  const saved = page.waitForEvent('download');
  await page.getByRole('dialog').getByRole('button', { name: 'Download' }).click();
  const download = await saved;
  expect(download.suggestedFilename()).toBe('logo.png');
  expect(await readFile(await download.path())).toEqual(logo.buffer);
  await closeDialog(page);

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
