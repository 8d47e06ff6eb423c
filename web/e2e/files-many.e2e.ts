import { expect, it } from 'vitest';
import { expectAccessible } from './support/accessibility';
import { picture, withBrowser } from './support/browser';
import { closeDialog, file, founder } from './support/files';
import { navigateTo } from './support/steps';

withBrowser();

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

  // What is in front need not be on the page that is behind it.
  await page.goto(`${new URL(page.url()).pathname}?file=03.log&page=2`);
  await page.getByRole('dialog').getByText('x', { exact: true }).waitFor();
  await page.goBack();
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  // What is looked for stands in the address.
  await page.getByRole('searchbox', { name: 'Names that begin with' }).fill('3');
  await file(page, '52.log').waitFor({ state: 'detached' });
  expect(await page.getByRole('button', { name: /^3.\.log$/ }).count()).toBe(10);
  expect(new URL(page.url()).searchParams.get('q')).toBe('3');
  expect(new URL(page.url()).searchParams.get('page')).toBeNull();
  await page.getByRole('searchbox', { name: 'Names that begin with' }).fill('%');
  await page.getByText('Nothing matches these filters').waitFor();
  await page.getByRole('button', { name: 'Reset filters' }).click();
  await file(page, '01.log').waitFor();

  // By the keyboard alone.
  await page.getByRole('button', { name: 'Sort by Name' }).press('Enter');
  await file(page, '52.log').waitFor();
  await file(page, '52.log').press('Enter');
  await page.getByRole('dialog').getByText('x', { exact: true }).waitFor();
  await closeDialog(page);
  await page.getByRole('button', { name: 'Actions for 51.log' }).press('Enter');
  await page.getByRole('menuitem', { name: 'Delete' }).press('Enter');
  // The harmless button comes first.
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await file(page, '51.log').waitFor();
  await context.close();
});
