import { expect, it } from 'vitest';
import { newPerson, withBrowser } from './support/browser';
import {
  createOrganization,
  dataFile,
  newEmail,
  numberOf,
  signUp,
  truth,
  upload,
  navigateTo,
} from './support/steps';

withBrowser();

it('takes a newcomer from sign-up to a board made of their workbook, and shows it to nobody else', async () => {
  const { page } = await newPerson();
  await signUp(page, 'Amelia Hart', newEmail('amelia'));
  const slug = await createOrganization(page, 'Harbour & Vale Construction');
  await page.getByTestId('board-empty').waitFor();

  await upload(page, dataFile('orders-and-surveys.xlsx'));
  await page.getByTestId('accepted-count').waitFor();
  for (const sheet of ['orders', 'surveys'] as const) {
    expect(await numberOf(page, `sheet-${sheet}-accepted`)).toBe(truth.accepted[sheet]);
    expect(await numberOf(page, `sheet-${sheet}-refused`)).toBe(truth.refused[sheet]);
  }
  expect(await numberOf(page, 'accepted-count')).toBe(
    truth.accepted.orders + truth.accepted.surveys,
  );
  expect(await numberOf(page, 'refused-count')).toBe(truth.refused.orders + truth.refused.surveys);

  await page.getByRole('radiogroup', { name: 'Rows shown' }).getByText('Refused').click();
  await expect
    .poll(() => page.getByTestId('table-range').innerText())
    .toBe(`1–${truth.refused.orders} of ${truth.refused.orders}`);

  await page.getByRole('button', { name: 'Confirm and save' }).click();
  await page.getByTestId('import-committed').waitFor();
  expect(await page.getByTestId('import-state').innerText()).toBe('Committed');

  await page.getByTestId('import-committed').getByRole('link', { name: 'Board' }).click();
  for (const [level, orders] of Object.entries(truth.levels)) {
    await page.getByTestId(`level-${level}-count`).waitFor();
    expect(await numberOf(page, `level-${level}-count`), level).toBe(orders);
  }
  expect(await numberOf(page, 'order-count')).toBe(truth.accepted.orders);
  const open = truth.levels.warning + truth.levels.critical + truth.levels.over_budget;
  expect(await numberOf(page, 'open-alerts')).toBe(open);

  await navigateTo(page, 'Orders');
  await page.getByLabel('Search number or description').fill('PO-1700003');
  await page.getByRole('link', { name: 'PO-1700003' }).click();
  await page.getByRole('heading', { name: 'PO-1700003' }).waitFor();
  expect(await page.getByTestId('order-utilisation').innerText()).toBe('100.4%');
  await page.getByText('Over budget').first().waitFor();
  const orderPath = new URL(page.url()).pathname;

  // Somebody else, with an organisation of their own, finds none of it by any road of the browser.
  const other = await newPerson();
  await signUp(other.page, 'Ben Okafor', newEmail('ben'));
  const otherSlug = await createOrganization(other.page, 'Northgate Civil');
  await other.page.getByTestId('board-empty').waitFor();
  await navigateTo(other.page, 'Imports');
  await other.page.getByText('Nothing has been imported yet').waitFor();

  await other.page.goto(`/o/${slug}/purchasing`);
  await other.page.getByTestId('not-found').waitFor();
  await other.page.goto(orderPath);
  await other.page.getByTestId('not-found').waitFor();
  await other.page.goto(orderPath.replace(slug, otherSlug));
  await other.page.getByTestId('not-found').waitFor();
});

it('takes a whole import back', async () => {
  const { page } = await newPerson();
  await signUp(page, 'Cara Lind', newEmail('cara'));
  await createOrganization(page, 'Undo & Sons');
  await upload(page, dataFile('orders-and-surveys.xlsx'));
  await page.getByRole('button', { name: 'Confirm and save' }).click();
  await page.getByTestId('import-committed').waitFor();

  await page.getByRole('button', { name: 'Undo import' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Undo import' }).click();
  await page.getByText('This import was undone').waitFor();
  await navigateTo(page, 'Board');
  await page.getByTestId('board-empty').waitFor();
});
