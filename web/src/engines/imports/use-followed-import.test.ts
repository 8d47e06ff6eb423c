import { expect, it } from 'vitest';
import type { Import } from './model';
import { withProgress } from './use-followed-import';

const run = { id: '1', state: 'mapped', progress: null } as unknown as Import;

it('moves the progress by an event', () => {
  const event = { type: 'progress', done: 3, total: 9, phase: 'checking' };
  expect(withProgress(run, event).progress).toEqual({ done: 3, total: 9, phase: 'checking' });
});

it('keeps the phase when an event does not tell it', () => {
  const before = { ...run, progress: { done: 1, total: 9, phase: 'checking' } };
  expect(withProgress(before, { type: 'progress', done: 2, total: 9 }).progress?.phase).toBe(
    'checking',
  );
});

it('ignores events that tell no progress', () => {
  expect(withProgress(run, { type: 'progress', done: 'many', total: 9 })).toBe(run);
});
