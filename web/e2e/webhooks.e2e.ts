/** An owner has a program told what happens, and sees in the log that it was. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectAccessible } from './support/accessibility';
import { newPerson, picture, withBrowser } from './support/browser';
import { createOrganization, newEmail, signUp } from './support/steps';

withBrowser();

interface Told {
  headers: IncomingMessage['headers'];
  body: string;
}

let told: Told[] = [];
let status = 200;
/** For what the server does by itself. */
const soon = { timeout: 20_000 };
const receiver = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    told.push({ headers: request.headers, body: Buffer.concat(pieces).toString() });
    response.writeHead(status).end('<b>Thank you</b>');
  });
});

beforeAll(() => new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done)));
afterAll(() => receiver.close());

/** Whether a message bears a signature by this secret, worked out by hand. */
function isSigned({ headers, body }: Told, secret: string): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const text = [headers['webhook-id'], headers['webhook-timestamp'], body].join('.');
  const signature = `v1,${createHmac('sha256', key).update(text).digest('base64')}`;
  return String(headers['webhook-signature']).split(' ').includes(signature);
}

it('tells a program what happens, and shows what it answered', async () => {
  const { page } = await newPerson();
  await signUp(page, 'Wilma Krantz', newEmail('wilma'));
  const slug = await createOrganization(page, `Hook ${Date.now().toString(36)}`);
  await page.goto(`/o/${slug}/settings/webhooks`);
  await page.getByText('Nobody is told anything yet').waitFor();
  await expectAccessible(page);
  await picture(page, 'webhooks-empty');

  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'New endpoint' }).click();
  await dialog.getByRole('button', { name: 'New endpoint' }).click();
  await dialog.getByText('Enter an address that begins with https://').waitFor();
  await dialog.getByRole('textbox', { name: 'Address' }).fill('https://169.254.169.254/latest');
  const events = dialog.getByRole('combobox', { name: 'What it is told' });
  for (const kind of ['tenancy.*', 'webhooks.*']) {
    await events.fill(kind);
    await events.press('Enter');
  }
  await dialog.getByLabel('What it is for (optional)').fill('The warehouse');
  await dialog.getByRole('button', { name: 'New endpoint' }).click();
  await dialog.getByText('This address is not public, so it is not called.').waitFor();
  await expectAccessible(page);
  await picture(page, 'webhooks-refused');
  await dialog.getByRole('textbox', { name: 'Address' }).fill(url);
  await dialog.getByRole('button', { name: 'New endpoint' }).click();
  const secret = await dialog.getByLabel('Secret').inputValue();
  expect(secret).toMatch(/^whsec_[\w+/]{43}=$/);
  await expectAccessible(page);
  await picture(page, 'webhooks-secret');
  await dialog.getByRole('button', { name: 'Done' }).click();

  const endpoint = page.getByTestId('endpoint');
  await endpoint.getByText('The warehouse').waitFor();
  const actions = page.getByRole('button', { name: `Actions for ${url}` });
  const act = async (name: string) => {
    await actions.click();
    await page.getByRole('menuitem', { name }).click();
  };
  const since = told.length;
  await act('Send a test');
  await expect.poll(() => told.some(({ body }) => body.includes('webhooks.test')), soon).toBe(true);
  expect(told.every((message) => isSigned(message, secret))).toBe(true);
  expect(told.length).toBeGreaterThan(since);

  await act('See the log');
  await page.getByRole('heading', { name: 'Webhook log', level: 1 }).waitFor();
  const row = page.getByRole('row', { name: /webhooks\.test/ });
  await row.getByText('Delivered').waitFor();
  await expectAccessible(page);
  await picture(page, 'webhooks-log');
  await row.getByRole('button', { name: 'webhooks.test' }).press('Enter');
  const shown = page.getByTestId('delivery');
  await shown.getByText('<b>Thank you</b>').waitFor();
  await expectAccessible(page);
  await picture(page, 'webhooks-delivery');
  await dialog.getByRole('button', { name: 'Send again' }).click();
  await expect.poll(() => shown.getByTestId('call').count(), soon).toBe(2);
  const [first, second] = told.filter(({ body }) => body.includes('webhooks.test'));
  expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
  await page.keyboard.press('Escape');

  // A receiver that wants no more is switched off, and on again by hand.
  status = 410;
  await page.goto(`/o/${slug}/settings/webhooks`);
  const before = told.length;
  await act('Send a test');
  await expect.poll(() => told.length, soon).toBeGreaterThan(before);
  const seen = async () => {
    await page.reload();
    await endpoint.waitFor();
    return endpoint.innerText();
  };
  await expect.poll(seen, soon).toContain('OFF: GONE');
  await expectAccessible(page);
  await picture(page, 'webhooks-gone');
  status = 200;
  await act('Switch on');
  await endpoint.getByText('It answered that it wants no more').waitFor({ state: 'detached' });
  await act('See the log');
  await page.getByRole('button', { name: 'Send again what failed' }).click();
  await dialog.getByRole('button', { name: 'Send again', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await expect.poll(() => page.getByRole('table').getByText('Failed').count(), soon).toBe(0);

  // A new secret: the old one goes on beside it.
  await page.goto(`/o/${slug}/settings/webhooks`);
  await act('New secret');
  await dialog.getByRole('button', { name: 'New secret' }).click();
  const next = await dialog.getByLabel('Secret').inputValue();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await endpoint.getByText('The old secret signs until').waitFor();
  told = [];
  await act('Send a test');
  await expect.poll(() => told.length, soon).toBeGreaterThan(0);
  expect(told.every((message) => isSigned(message, secret) && isSigned(message, next))).toBe(true);

  await act('Change');
  await dialog.getByLabel('What it is for (optional)').fill('The other warehouse');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await endpoint.getByText('The other warehouse').waitFor();
  await act('Remove');
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await page.getByText('Nobody is told anything yet').waitFor();
});

it('is legible on a narrow dark screen', async () => {
  status = 200;
  const { page } = await newPerson({ width: 390, height: 844, scheme: 'dark' });
  await signUp(page, 'Nils Berg', newEmail('nils'));
  const slug = await createOrganization(page, `Narrow ${Date.now().toString(36)}`);
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/a-long-address-with-many-parts/of-which-none/can-be-left-out`;
  await page.goto(`/o/${slug}/settings/webhooks`);
  await page.getByRole('button', { name: 'New endpoint' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Address' }).fill(url);
  const events = dialog.getByRole('combobox', { name: 'What it is told' });
  await events.fill('*');
  await events.press('Enter');
  await events.blur();
  await picture(page, 'webhooks-form-narrow');
  await dialog.getByRole('button', { name: 'New endpoint' }).click();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByTestId('endpoint').waitFor();
  await expectAccessible(page);
  await picture(page, 'webhooks-narrow');
  await page.getByRole('button', { name: `Actions for ${url}` }).click();
  await page.getByRole('menuitem', { name: 'Send a test' }).click();
  await page.getByText('A test is on its way.').waitFor();
  await page.goto(`/o/${slug}/settings/webhooks/log`);
  await page
    .getByRole('row', { name: /webhooks\.test/ })
    .getByText('Delivered')
    .waitFor();
  await expectAccessible(page);
  await picture(page, 'webhooks-log-narrow');
});
