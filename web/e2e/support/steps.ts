/** What people do, in their own words. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { Page } from 'playwright-core';
import { URL_OF_SERVER } from './browser';

let people = 0;

/** An address that nobody has used on this server. */
export function newEmail(name: string): string {
  people += 1;
  return `${name}.${Date.now().toString(36)}.${people}@example.com`;
}

export const PASSWORD = 'a long enough password';

export function dataFile(name: string): string {
  return fileURLToPath(new URL(`../data/${name}`, import.meta.url));
}

interface Truth {
  accepted: Record<'orders' | 'surveys', number>;
  refused: Record<'orders' | 'surveys', number>;
  levels: Record<'on_track' | 'warning' | 'critical' | 'over_budget', number>;
}

export const truth = JSON.parse(
  readFileSync(dataFile('orders-and-surveys.truth.json'), 'utf8'),
) as Truth;

export async function signUp(page: Page, name: string, email: string): Promise<void> {
  await page.goto('/');
  await page.getByRole('link', { name: 'Create an account' }).click();
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
}

/** Signs in somebody who has an account already. */
export async function signIn(page: Page, email: string): Promise<void> {
  await page.goto('/sign-in');
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL((url) => url.pathname !== '/sign-in');
}

/** An address with a session of somebody else, as one could send it to a victim. */
export async function linkOfAStranger(): Promise<string> {
  const answer = await fetch(`${URL_OF_SERVER}/auth/v1/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      email: newEmail('mallory'),
      password: PASSWORD,
      data: { name: 'Mallory' },
    }),
  });
  const session = (await answer.json()) as { access_token: string; refresh_token: string };
  return `/#access_token=${session.access_token}&refresh_token=${session.refresh_token}&type=magiclink`;
}

/** For somebody who has just signed up; returns the organisation's part of the address. */
export async function createOrganization(page: Page, name: string): Promise<string> {
  await page.getByLabel('Name of the organisation').fill(name);
  await page.getByRole('button', { name: 'Create organisation' }).click();
  await page.getByRole('heading', { name: 'Board', level: 1 }).waitFor();
  const slug = /\/o\/([^/]+)/.exec(page.url())?.[1];
  if (slug === undefined) throw new Error(`no organisation in ${page.url()}`);
  return slug;
}

/** By the main navigation. */
export async function navigateTo(page: Page, name: string): Promise<void> {
  const navigation = page.getByRole('navigation', { name: 'Main navigation' });
  await navigation.getByRole('link', { name, exact: true }).click();
  await page.getByRole('heading', { name, level: 1 }).waitFor();
}

export async function upload(
  page: Page,
  file: string | { name: string; mimeType: string; buffer: Buffer },
): Promise<void> {
  await navigateTo(page, 'Imports');
  await page.getByRole('link', { name: 'New import' }).first().click();
  await page.getByRole('heading', { name: 'New import' }).waitFor();
  await page.locator('input[type=file]').setInputFiles(file);
}

/** The number on the page that carries this name. */
export async function numberOf(page: Page, testId: string): Promise<number> {
  const text = await page.getByTestId(testId).innerText();
  const number = Number(text.replaceAll(',', ''));
  expect(number, `${testId} shows "${text}"`).not.toBeNaN();
  return number;
}

/** Somebody runs the installation from now on. */
export async function makeOperator(email: string): Promise<void> {
  const binary = process.env.TENON_BINARY ?? '';
  const data = process.env.TENON_DATA ?? '';
  await promisify(execFile)(binary, ['operator', '--data-dir', data, 'add', email]);
}

/** Where an invitation leads, made by somebody who signed up with the tests' password. */
export async function invitation(email: string, role: string): Promise<string> {
  const post = async (path: string, body: object, token?: string) => {
    const answer = await fetch(URL_OF_SERVER + path, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
    expect(answer.ok, path).toBe(true);
    return (await answer.json()) as Record<string, string>;
  };
  const session = await post('/auth/v1/token?grant_type=password', { email, password: PASSWORD });
  const { token } = await post('/api/v1/tenancy/invitations', { role }, session.access_token);
  return `/invite/${token}`;
}
