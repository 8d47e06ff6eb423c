import { screen } from '@testing-library/react';
import { beforeAll, expect, it } from 'vitest';
import { renderAt, speakEnglish } from '@/ui/testing/render';
import { importsMessages } from '../messages';
import { ProgressPanel } from './progress-panel';

beforeAll(() => speakEnglish({ imports: importsMessages.en }));

it('says how far the server is', async () => {
  await renderAt('/', () => (
    <ProgressPanel kind="committing" progress={{ done: 1500, total: 6000, phase: 'committing' }} />
  ));
  expect(screen.getByRole('status')).toHaveTextContent('Saving rows · 1,500 of 6,000 rows');
  expect(screen.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '25');
});

it('counts the rows while their number is not known yet', async () => {
  await renderAt('/', () => (
    <ProgressPanel kind="reading" progress={{ done: 1500, total: 0, phase: 'checking' }} />
  ));
  expect(screen.getByRole('status')).toHaveTextContent('Checking rows · 1,500 rows');
});

it('says that the work has not begun', async () => {
  await renderAt('/', () => <ProgressPanel kind="reading" progress={null} />);
  expect(screen.getByRole('status')).toHaveTextContent('Waiting for its turn');
});
