/** One headless browser for a file of tests, and a fresh, empty profile for each person. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set; see web/README.md`);
  return value;
}

export const URL_OF_SERVER = setting('TENON_URL').replace(/\/$/, '');

/** The service key of the server under test; see `xtask/src/e2e.rs`. */
export const SERVICE_KEY = 'sb_secret_of_tests_and_of_nothing_else';

// Without these the browser asks for hosts of its maker at every start.
const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let browser: Browser | undefined;
let opened: Page[] = [];

export function withBrowser(): void {
  beforeAll(async () => {
    const root = process.getuid?.() === 0;
    browser = await chromium.launch({
      executablePath: setting('TENON_CHROMIUM'),
      args: root ? [...FLAGS, '--no-sandbox'] : FLAGS,
    });
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await Promise.all(opened.map(tell));
    opened = [];
  });
  afterAll(async () => {
    await browser?.close();
  });
}

export interface Look {
  width?: number;
  height?: number;
  scheme?: 'light' | 'dark';
  /** Another of the server's addresses. */
  base?: string;
}

export interface Person {
  context: BrowserContext;
  page: Page;
}

/** A browser of their own for somebody who was never here before. */
export async function newPerson({
  width = 1440,
  height = 900,
  scheme = 'light',
  base = URL_OF_SERVER,
}: Look = {}): Promise<Person> {
  if (browser === undefined) throw new Error('call withBrowser() first');
  const context = await browser.newContext({
    baseURL: base,
    viewport: { width, height },
    colorScheme: scheme,
    locale: 'en-GB',
    timezoneId: 'Europe/London',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  opened.push(page);
  return { context, page };
}

/** Says what somebody saw when a test failed: a wait that ended says only what never came. */
async function tell(page: Page): Promise<void> {
  if (page.isClosed()) return;
  const seen = await page
    .locator('body')
    .ariaSnapshot({ timeout: 5000 })
    .catch((error: unknown) => String(error));
  process.stderr.write(`\nThe page at the failure: ${page.url()}\n${seen}\n`);
}

/** Saves a picture of what is seen, when the runner wants pictures. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.TENON_SCREENSHOTS;
  if (folder === undefined || folder === '') return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
}
