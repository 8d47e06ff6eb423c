import { beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { newPerson, withBrowser } from './support/browser';
import {
  createOrganization,
  dataFile,
  navigateTo,
  newEmail,
  numberOf,
  signUp,
  truth,
  upload,
} from './support/steps';

withBrowser();

let page: Page;
const problems: string[] = [];

beforeAll(async () => {
  ({ page } = await newPerson());
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`);
  });
  await signUp(page, 'Jo Brandt', newEmail('jo'));
  await createOrganization(page, 'Every Day Ltd');
});

/** The name of the file that the browser is given after `click`. */
async function fileAfter(click: () => Promise<void>): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent('download'), click()]);
  return download.suggestedFilename();
}

describe('an import', () => {
  it('begins with a template that can be downloaded', async () => {
    await navigateTo(page, 'Imports');
    await page.getByRole('link', { name: 'New import' }).first().click();
    const name = await fileAfter(() =>
      page.getByRole('button', { name: 'Download the template' }).click(),
    );
    expect(name).toMatch(/\.xlsx$/);
  });

  it('is checked again after a column was taken away, and counts the same rows', async () => {
    await upload(page, dataFile('orders-and-surveys.xlsx'));
    await page.getByTestId('accepted-count').waitFor();
    await page.getByRole('button', { name: 'Change matching' }).click();
    const required = page.getByRole('combobox', { name: 'Column for Order value' });
    await required.clear();
    await required.blur();
    expect(await required.inputValue()).toBe('F · Order Value');
    await page.getByRole('combobox', { name: 'Column for Project' }).click();
    await page.getByRole('option', { name: 'D · Project' }).click();
    await page.getByRole('button', { name: 'Check again' }).click();
    await page.getByTestId('accepted-count').waitFor();
    expect(await numberOf(page, 'sheet-orders-accepted')).toBe(truth.accepted.orders);
    expect(await numberOf(page, 'sheet-surveys-refused')).toBe(truth.refused.surveys);
  });

  it('hands back the refused rows as a workbook', async () => {
    const name = await fileAfter(() =>
      page.getByRole('button', { name: 'Download refused rows' }).click(),
    );
    expect(name).toMatch(/\.xlsx$/);
  });

  it('is saved when it is confirmed', async () => {
    await page.getByRole('button', { name: 'Confirm and save' }).click();
    await page.getByTestId('import-committed').waitFor();
  });
});

describe('the orders', () => {
  const range = () => page.getByTestId('table-range').innerText();

  it('are filtered by level in the address, which another window can open', async () => {
    await navigateTo(page, 'Orders');
    await page.getByRole('combobox', { name: 'Level' }).click();
    await page.getByRole('option', { name: 'Critical' }).click();
    await page.keyboard.press('Escape');
    await expect.poll(range).toBe(`1–${truth.levels.critical} of ${truth.levels.critical}`);
    expect(new URL(page.url()).search).toBe('?level=critical');
    await page.reload();
    await expect.poll(range).toBe(`1–${truth.levels.critical} of ${truth.levels.critical}`);
    await page.getByRole('button', { name: 'Reset filters' }).click();
    await expect.poll(range).toBe(`1–50 of ${truth.accepted.orders}`);
  });

  it('are ordered by the server over all pages', async () => {
    await page.getByRole('button', { name: 'Sort by Used' }).click();
    await page.getByRole('button', { name: 'Sort by Used' }).click();
    await expect.poll(() => new URL(page.url()).search).toBe('?sort=-utilisation');
    await page.getByRole('row').nth(1).getByText('Over budget').waitFor();
    await page.getByRole('button', { name: 'Next page' }).click();
    await expect.poll(range).toBe(`51–${truth.accepted.orders} of ${truth.accepted.orders}`);
  });

  it('of one supplier are found by typing its name', async () => {
    await page.getByRole('combobox', { name: 'Supplier' }).fill('nordvik');
    await page.getByRole('option', { name: 'Nordvik Steel AS' }).click();
    await expect.poll(() => new URL(page.url()).searchParams.has('supplier')).toBe(true);
    await page.getByRole('row').nth(1).getByText('Nordvik Steel AS').waitFor();
    await page.getByRole('button', { name: 'Reset filters' }).click();
  });

  it.each([`O'Malley, "Groundworks" (x)`, '%_*\\', 'a.eq.b,id.gt.0'])(
    'are searched for %s as plain text',
    async (text) => {
      await page.getByLabel('Search number or description').fill(text);
      await page.getByText('Nothing matches these filters').waitFor();
      await page.getByRole('button', { name: 'Reset filters' }).first().click();
      await expect.poll(range).toMatch(/^1–/);
    },
  );
});

describe('an alert', () => {
  it('at critical is acknowledged with a note', async () => {
    await navigateTo(page, 'Alerts');
    await page.getByRole('combobox', { name: 'Level' }).click();
    await page.getByRole('option', { name: 'Critical' }).click();
    await page
      .getByRole('button', { name: /^Acknowledge the alert about/ })
      .first()
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Acknowledge' }).click();
    await dialog.getByText('Write a note').waitFor();
    await dialog.getByLabel('Note').fill('Variation 3 is with the client.');
    await dialog.getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByText('Alert acknowledged.').waitFor();
    await page.getByRole('radiogroup').getByText('Acknowledged').click();
    await page.getByRole('cell', { name: 'Variation 3 is with the client.' }).waitFor();
  });
});

it('was all done without one refused call', () => {
  expect(problems).toEqual([]);
});
