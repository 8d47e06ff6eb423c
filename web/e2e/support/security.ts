/** People on the site opened by its name, where there are keys. */
import type { Page } from 'playwright-core';
import { newPerson, URL_OF_SERVER } from './browser';
import { createOrganization, newEmail, PASSWORD } from './steps';

/** The same server by its name: browsers know no keys for bare addresses. */
export const BY_NAME = URL_OF_SERVER.replace('127.0.0.1', 'localhost');

/** Somebody with an account and an organisation, on the site opened by its name. */
export async function somebody(name: string) {
  const person = await newPerson();
  const email = newEmail(name);
  await person.page.goto(`${BY_NAME}/sign-up`);
  await person.page.getByLabel('Your name').fill(name);
  await person.page.getByLabel('E-mail address').fill(email);
  await person.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await person.page.getByRole('button', { name: 'Create account' }).click();
  await createOrganization(person.page, `Works of ${name}`);
  return { ...person, email };
}

/** Signs in with the password, as far as the second step. */
export async function signIn(page: Page, email: string): Promise<void> {
  await page.goto(`${BY_NAME}/sign-in`);
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Opens the part of the account page about factors. */
export async function openSecurity(page: Page): Promise<void> {
  await page.goto(`${BY_NAME}/account`);
  await page.getByRole('heading', { name: 'Second factor' }).waitFor();
}
