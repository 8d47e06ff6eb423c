import { expect, it } from 'vitest';
import { expectAccessible } from './support/accessibility';
import { newPerson, picture, withBrowser } from './support/browser';
import { act, file, founder, logo, put, text } from './support/files';
import { dataFile, navigateTo, signIn, upload } from './support/steps';

withBrowser();

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
  await signIn(narrow.page, email);
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
  // What the columns' buttons do elsewhere.
  await narrow.page.getByRole('combobox', { name: 'Order' }).selectOption('Newest first');
  await narrow.page.waitForURL(/sort=-updated_at/);
  await expectAccessible(narrow.page);
  await act(narrow.page, 'logo.png', 'Share a link');
  await narrow.page.getByRole('button', { name: 'Make a link' }).waitFor();
  await expectAccessible(narrow.page);
  await picture(narrow.page, 'files-share-narrow');
  await narrow.context.close();
});
