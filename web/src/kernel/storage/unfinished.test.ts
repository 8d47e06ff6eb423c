import { beforeEach, expect, it } from 'vitest';
import { markOf, unfinishedIn } from './unfinished';

const NOW = Date.parse('2026-05-04T12:00:00Z');

function written(name: string, begun: string, more: object = {}): void {
  localStorage.setItem(
    `tus::${markOf(name)}-9-1-false::77`,
    JSON.stringify({ size: 9, creationTime: begun, metadata: { objectName: name }, ...more }),
  );
}

const found = (prefix = '') => unfinishedIn(localStorage, 'org', prefix, NOW);

beforeEach(() => localStorage.clear());

it('finds uploads that ended with their window, below one folder of one organisation', () => {
  written('org/plans/a.bin', 'Mon May 04 2026 10:00:00 GMT+0000');
  written('org/b.bin', 'Mon May 04 2026 10:00:00 GMT+0000');
  written('another/c.bin', 'Mon May 04 2026 10:00:00 GMT+0000');
  expect(found().map(({ path, size }) => [path, size])).toEqual([
    ['b.bin', 9],
    ['plans/a.bin', 9],
  ]);
  expect(found('plans').map(({ path }) => path)).toEqual(['plans/a.bin']);
});

it('passes over those whose parts the server keeps no more, and what cannot be read', () => {
  written('org/old.bin', 'Sun May 03 2026 11:00:00 GMT+0000');
  written('org/odd.bin', 'some day');
  written('org/small.bin', 'Mon May 04 2026 10:00:00 GMT+0000', { size: 'much' });
  localStorage.setItem(`tus::${markOf('org/broken.bin')}::1`, '{');
  localStorage.setItem(`tus::${markOf('org/null.bin')}::1`, 'null');
  expect(found()).toEqual([]);
});
