import { expect, it } from 'vitest';
import { newPerson, withBrowser } from './support/browser';
import {
  createOrganization,
  dataFile,
  newEmail,
  signUp,
  upload,
  navigateTo,
} from './support/steps';

withBrowser();

it('says what is wrong with an encrypted or empty file, and saves nothing', async () => {
  const { page } = await newPerson();
  await signUp(page, 'Dana Weiss', newEmail('dana'));
  await createOrganization(page, 'Closed Books Ltd');

  await upload(page, dataFile('encrypted.xlsx'));
  const problem = page.getByTestId('error-state');
  await problem.waitFor();
  expect(await problem.innerText()).toMatch(/password|encrypted|protected/i);

  await upload(page, {
    name: 'empty.xlsx',
    mimeType: 'application/octet-stream',
    buffer: Buffer.alloc(0),
  });
  await problem.waitFor();
  expect(await problem.innerText()).toMatch(/empty/i);

  await navigateTo(page, 'Board');
  await page.getByTestId('board-empty').waitFor();
});

it('refuses a file that is no table before it is uploaded', async () => {
  const { page } = await newPerson();
  await signUp(page, 'Eli Novak', newEmail('eli'));
  await createOrganization(page, 'Plain Words');
  await upload(page, { name: 'letter.pdf', mimeType: 'application/pdf', buffer: Buffer.from('x') });
  await page.getByText('letter.pdf is not a file that can be imported').waitFor();
});
