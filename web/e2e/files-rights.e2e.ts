import { expect, it } from 'vitest';
import { expectAccessible } from './support/accessibility';
import { newPerson, picture, URL_OF_SERVER, withBrowser } from './support/browser';
import { act, file, founder, put, text } from './support/files';
import { invitation, navigateTo, newEmail, signUp } from './support/steps';

withBrowser();

it('shares a file by a link that needs no session and is not good for another file', async () => {
  const { page, context } = await founder('Hal');
  await navigateTo(page, 'Files');
  await put(page, text('offer.txt', 'Forty windows'));
  await file(page, 'offer.txt').waitFor();
  await act(page, 'offer.txt', 'Share a link');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: 'How long it is good' }).click();
  await page.getByRole('option', { name: 'An hour' }).click();
  await dialog.getByRole('button', { name: 'Make a link' }).click();
  const address = await dialog.getByLabel('Link', { exact: true }).inputValue();
  await dialog.getByText('Good until').waitFor();
  await expectAccessible(page);
  await picture(page, 'files-share');

  const stranger = await newPerson();
  await stranger.page.goto(address);
  await stranger.page.getByText('Forty windows').waitFor();
  const other = await fetch(address.replace('offer.txt', 'other.txt'));
  expect(other.status).toBe(400);
  const bare = await fetch(address.split('?')[0] ?? '');
  expect(bare.ok).toBe(false);
  await stranger.context.close();
  await context.close();
});

it('lets viewers look and nothing else, and says when there is no room', async () => {
  const { page, context, email, slug } = await founder('Ivy');
  await navigateTo(page, 'Files');
  await put(page, text('plan.txt', 'Phase one'));
  await file(page, 'plan.txt').waitFor();

  const viewer = await newPerson();
  await signUp(viewer.page, 'Jon', newEmail('jon'));
  await viewer.page.getByLabel('Name of the organisation').waitFor();
  await viewer.page.goto(await invitation(email, 'viewer'));
  await viewer.page.getByRole('button', { name: 'Join organisation' }).click();
  await viewer.page.getByTestId('organization-name').waitFor();
  await viewer.page.goto(`/o/${slug}/files`);
  await file(viewer.page, 'plan.txt').click();
  await viewer.page.getByRole('dialog').getByText('Phase one').waitFor();
  await viewer.page.keyboard.press('Escape');
  expect(await viewer.page.getByRole('button', { name: 'Upload files' }).count()).toBe(0);
  expect(await viewer.page.locator('input[type=file]').count()).toBe(0);
  await viewer.page.getByRole('button', { name: 'Actions for plan.txt' }).click();
  await viewer.page.getByRole('menuitem', { name: 'Share a link' }).waitFor();
  expect(await viewer.page.getByRole('menuitem').allInnerTexts()).toEqual([
    'Open',
    'Download',
    'Share a link',
  ]);
  await viewer.page.keyboard.press('Escape');
  await viewer.page.getByRole('menu').waitFor({ state: 'detached' });
  await expectAccessible(viewer.page);
  await viewer.context.close();

  // What the server answers when the organisation's room is used up.
  await page.route('**/storage/v1/object/files/**', (route) =>
    route.request().method() === 'POST'
      ? route.fulfill({
          status: 400,
          json: { statusCode: '413', code: 'QuotaExceeded', error: 'x', message: 'No room' },
        })
      : route.continue(),
  );
  await put(page, text('too-much.txt', 'x'));
  await page.getByText('The organisation has no room left.').waitFor();
  await expectAccessible(page);
  await picture(page, 'files-no-room');
  await page.unroute('**/storage/v1/object/files/**');
  await page.getByRole('button', { name: 'Try too-much.txt again' }).click();
  await file(page, 'too-much.txt').waitFor();
  await context.close();
});

it('lets nobody in who has no session', async () => {
  const answer = await fetch(`${URL_OF_SERVER}/storage/v1/object/list/files`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', apikey: 'sb_publishable_tenon' },
    body: JSON.stringify({ prefix: '' }),
  });
  expect(answer.ok ? await answer.json() : []).toEqual([]);
});
