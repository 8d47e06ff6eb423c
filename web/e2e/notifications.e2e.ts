import { beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { expectAccessible } from './support/accessibility';
import { newPerson, withBrowser } from './support/browser';
import {
  createOrganization,
  dataFile,
  invitation,
  newEmail,
  signUp,
  upload,
} from './support/steps';

withBrowser();

const owner = newEmail('nora');
let page: Page;
let other: Page;

beforeAll(async () => {
  ({ page } = await newPerson());
  await signUp(page, 'Nora Berg', owner);
  await createOrganization(page, 'Bell Tower Ltd');
  ({ page: other } = await newPerson());
});

const bell = (name: string) => page.getByRole('button', { name, exact: true });
const list = () => page.getByRole('dialog', { name: 'Notifications' });

describe('the bell', () => {
  it('says that there is nothing yet', async () => {
    await bell('Notifications: nothing new').click();
    await list().getByText('Nothing yet').waitFor();
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await list().waitFor({ state: 'hidden' });
  });

  it('rings while somebody looks on when a member joins', async () => {
    const link = await invitation(owner, 'member');
    await signUp(other, 'Tom Hill', newEmail('tom'));
    await other.getByLabel('Name of the organisation').waitFor();
    await other.goto(link);
    await other.getByRole('button', { name: 'Join organisation' }).click();
    await bell('Notifications: 1 new').waitFor();
  });

  it('is read with the keyboard alone, and leads to what it is about', async () => {
    await bell('Notifications: 1 new').focus();
    await page.keyboard.press('Enter');
    const notice = list().getByRole('link', { name: /Tom Hill joined Bell Tower Ltd/ });
    await notice.waitFor();
    await expectAccessible(page);
    await notice.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Members', level: 1 }).waitFor();
    await bell('Notifications: nothing new').waitFor();
  });

  it('takes a notice back for new, and all at once for read', async () => {
    await bell('Notifications: nothing new').click();
    await list()
      .getByRole('button', { name: /^Mark as new: Tom Hill/ })
      .click();
    await bell('Notifications: 1 new').waitFor();
    await list().getByRole('button', { name: 'Mark all as read' }).click();
    await bell('Notifications: nothing new').waitFor();
    await page.keyboard.press('Escape');
  });

  it('tells whoever began an import how it ended', async () => {
    await upload(page, dataFile('orders-and-surveys.xlsx'));
    await page.getByTestId('accepted-count').waitFor();
    await page.getByRole('button', { name: 'Confirm and save' }).click();
    await bell('Notifications: 1 new').click();
    await list()
      .getByRole('link', { name: /orders-and-surveys\.xlsx is imported/ })
      .waitFor();
    await page.keyboard.press('Escape');
  });

  it('says what went wrong, and tries again', async () => {
    await page.route('**/api/v1/notifications?*', (route) => route.abort());
    await page.reload();
    await page.getByTestId('bell').click();
    await list().getByTestId('error-state').waitFor();
    await page.unroute('**/api/v1/notifications?*');
    await list().getByRole('button', { name: 'Try again' }).click();
    await list().getByRole('listitem').first().waitFor();
    await page.keyboard.press('Escape');
  });
});

describe('what people want to be told', () => {
  it('is chosen by kind and channel, with quiet hours and a digest, and kept', async () => {
    await page.goto('/account/notifications');
    await page.getByRole('heading', { name: 'Notifications', level: 1 }).waitFor();
    const save = page.getByRole('button', { name: 'Save' });
    expect(await save.isDisabled()).toBe(true);
    await page
      .getByRole('switch', { name: 'An import of mine is done: In the app' })
      .uncheck({ force: true });
    await page.getByRole('combobox', { name: 'Orders need attention: E-mail' }).click();
    await page.getByRole('option', { name: 'In a digest' }).click();
    await page.getByRole('switch', { name: 'Keep quiet hours' }).check({ force: true });
    await page.getByLabel('Until').fill('06:30');
    await page.getByRole('combobox', { name: 'Time zone' }).fill('Berlin');
    await page.getByRole('option', { name: 'Europe/Berlin' }).first().click();
    await page.getByRole('combobox', { name: 'How often' }).click();
    await page.getByRole('option', { name: 'Every week' }).click();
    await expectAccessible(page);
    await save.click();
    await page.getByText('Saved', { exact: true }).waitFor();
    await page.reload();
    await page.getByLabel('Until').waitFor();
    expect(await page.getByLabel('Until').inputValue()).toBe('06:30');
    expect(
      await page.getByRole('switch', { name: 'An import of mine is done: In the app' }).isChecked(),
    ).toBe(false);
    expect(await page.getByRole('combobox', { name: 'How often' }).inputValue()).toBe('Every week');
  });

  it('stands in German for those who read German', async () => {
    await page.evaluate(() => {
      localStorage.setItem('tenon.language', 'de');
    });
    await page.reload();
    await page.getByRole('heading', { name: 'Mitteilungen', level: 1 }).waitFor();
    await page.getByText('Ein Import von mir ist fertig').waitFor();
    await page.evaluate(() => {
      localStorage.setItem('tenon.language', 'en');
    });
  });

  it('is for people who are signed in', async () => {
    const { page: nobody } = await newPerson();
    await nobody.goto('/account/notifications');
    await nobody.waitForURL(/\/sign-in/);
  });
});
