import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expectAccessible } from './support/accessibility';
import { picture, withBrowser } from './support/browser';
import { file, founder, put } from './support/files';
import { navigateTo } from './support/steps';

withBrowser();

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
  await expect.poll(() => offsets.length, { timeout: 30_000 }).toBeGreaterThan(1);
  await page.reload();
  await page.getByText('No files here').waitFor();
  // It is remembered that there is something to go on with.
  const unfinished = page.getByRole('region', { name: 'Not finished' });
  await unfinished.getByText('survey.bin').waitFor();
  await expectAccessible(page);
  await picture(page, 'files-unfinished');
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
  const chooser = page.waitForEvent('filechooser');
  await unfinished.getByRole('button', { name: 'Choose survey.bin again' }).click();
  await (await chooser).setFiles(survey);
  await file(page, 'survey.bin').waitFor();
  expect(await unfinished.count()).toBe(0);
  await page.getByText('1 of 1 uploaded').waitFor();
  expect(broken).toBe(1);
  expect(offsets.length).toBeGreaterThan(0);
  expect(offsets.every((offset) => offset > 0)).toBe(true);
  await page.getByRole('cell', { name: '21 MB' }).waitFor();

  // Its name is taken, which is told before anything of it is sent.
  offsets = [];
  let begun = 0;
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/upload/resumable')) begun += 1;
  });
  await put(page, survey);
  await page.getByText('There is a file of this name already.').waitFor();
  expect([begun, offsets.length]).toEqual([1, 0]);

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
