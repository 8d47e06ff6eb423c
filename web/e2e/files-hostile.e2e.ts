import { expect, it } from 'vitest';
import { newPerson, withBrowser } from './support/browser';
import { act, closeDialog, file, founder, put, text } from './support/files';
import { navigateTo } from './support/steps';

withBrowser();

/** Says so if it runs, wherever it does. */
const SCRIPT = 'document.documentElement.dataset.ran = "yes"; document.title = "ran"';
const page = (name: string, mimeType: string, words: string) => ({
  name,
  mimeType,
  buffer: Buffer.from(words),
});
const XHTML = `<a xmlns="http://www.w3.org/1999/xhtml"><script>${SCRIPT}</script></a>`;
/** Begins like no page, and is one to whoever reads it as XML. */
const DISGUISED = `<x:a xmlns:x="http://www.w3.org/1999/xhtml"><x:script>${SCRIPT}</x:script></x:a>`;

const HARMFUL = [
  page('page.html', 'text/html', `<!doctype html><script>${SCRIPT}</script><h1>Hello</h1>`),
  page(
    'drawing.svg',
    'image/svg+xml',
    `<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><script>${SCRIPT}</script></svg>`,
  ),
  page('page.xhtml', 'application/xhtml+xml', XHTML),
  page('feed.xml', 'text/xml', XHTML),
  page('odd.xml', 'image/x+xml', DISGUISED),
];

it('runs nothing of what somebody uploads, looked at here or opened by a link', async () => {
  const { page: own, context } = await founder('Mia');
  await navigateTo(own, 'Files');
  await put(own, ...HARMFUL);
  await own.getByText(`${HARMFUL.length} of ${HARMFUL.length} uploaded`).waitFor();
  const stranger = await newPerson();
  for (const { name } of HARMFUL) {
    await file(own, name).click();
    await own.getByRole('dialog').getByRole('button', { name: 'Download' }).waitFor();
    await closeDialog(own);
    await act(own, name, 'Share a link');
    await own.getByRole('button', { name: 'Make a link' }).click();
    const address = await own.getByLabel('Link', { exact: true }).inputValue();
    await closeDialog(own);
    for (const one of [own, stranger.page]) {
      const tab = await one.context().newPage();
      // What a browser does not show it saves.
      await tab.goto(address).catch(() => undefined);
      const ran = await tab.evaluate(() => [document.title, document.documentElement.dataset.ran]);
      expect([name, ...ran]).not.toContain('ran');
      expect(ran[1], name).toBeUndefined();
      await tab.close();
    }
  }
  expect(await own.evaluate(() => document.documentElement.dataset.ran)).toBeUndefined();
  await stranger.context.close();
  await context.close();
});

it('keeps names of all languages, and shows them as text', async () => {
  const { page: own, context } = await founder('Noa');
  await navigateTo(own, 'Files');
  const names = [
    ['<img src=x onerror="document.title=1">.txt', '_img src=x onerror=_document.title=1__.txt'],
    ['😀 plan.txt', '😀 plan.txt'],
    ['خطة البناء.txt', 'خطة البناء.txt'],
    [`${'x'.repeat(196)}.txt`, `${'x'.repeat(196)}.txt`],
    ['.hidden', '.hidden'],
    ['invoice\u202excod.exe', 'invoice_xcod.exe'],
  ] as const;
  await put(own, ...names.map(([name]) => text(name, `This is ${name.length}`)));
  await own.getByText(`${names.length} of ${names.length} uploaded`).waitFor();
  for (const [, name] of names) await file(own, name).waitFor();
  const arabic = names[2][1];
  await file(own, arabic).click();
  await own.getByRole('dialog').getByText(`This is ${arabic.length}`).waitFor();
  await closeDialog(own);
  await act(own, names[3][1], 'Delete');
  const close = own.getByRole('dialog').getByRole('button', { name: 'Close' });
  const [dialog, cross] = [await own.getByRole('dialog').boundingBox(), await close.boundingBox()];
  expect(cross!.x + cross!.width).toBeLessThanOrEqual(dialog!.x + dialog!.width);
  await own.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await file(own, names[3][1]).waitFor({ state: 'detached' });
  await context.close();
});
