/** What people do with files, in their own words. */
import type { Locator, Page } from 'playwright-core';
import { newPerson, type Look, type Person } from './browser';
import { createOrganization, newEmail, signUp } from './steps';

export interface Chosen {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

export const text = (name: string, words: string): Chosen => ({
  name,
  mimeType: 'text/plain',
  buffer: Buffer.from(words),
});

/** Eight by eight pixels of one colour. */
export const logo: Chosen = {
  name: 'logo.png',
  mimeType: 'image/png',
  buffer: Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR4nGPQ78/DihiGlgQAPrtLAVPWv8IAAAAASUVORK5CYII=',
    'base64',
  ),
};

/** Somebody with an organisation of their own. */
export async function founder(
  name: string,
  look: Look = {},
): Promise<Person & { email: string; slug: string }> {
  const email = newEmail(name.toLowerCase());
  const person = await newPerson(look);
  await signUp(person.page, name, email);
  const slug = await createOrganization(person.page, `${name} Works`);
  return { ...person, email, slug };
}

/** Uploads by the button; a path, or what is to be in the file. */
export async function put(page: Page, ...files: (string | Chosen)[]): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Upload files' }).click();
  await (await chooser).setFiles(files as Chosen[]);
}

export const file = (page: Page, name: string): Locator =>
  page.getByRole('button', { name, exact: true });

/** By the menu beside a file or folder. */
export async function act(page: Page, name: string, action: string): Promise<void> {
  await page.getByRole('button', { name: `Actions for ${name}`, exact: true }).click();
  await page.getByRole('menuitem', { name: action }).click();
}

export async function closeDialog(page: Page): Promise<void> {
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}
