import type { Factor, Session } from '@supabase/supabase-js';
import { expect, it } from 'vitest';
import { needsSecondStep } from './level';

function session(aal: string, ...statuses: Factor['status'][]): Session {
  const claims = btoa(JSON.stringify({ aal })).replace(/=+$/, '');
  const factors = statuses.map((status, number) => ({ id: String(number), status }));
  return { access_token: `e30.${claims}.x`, user: { factors } } as unknown as Session;
}

it.each([
  ['aal1', [], false],
  ['aal1', ['unverified'], false],
  ['aal1', ['unverified', 'verified'], true],
  ['aal2', ['verified'], false],
] as const)('%s with %j: %s', (aal, statuses, needed) => {
  expect(needsSecondStep(session(aal, ...statuses))).toBe(needed);
});

it('takes a token that cannot be read for one of the first step', () => {
  const broken = { ...session('aal2', 'verified'), access_token: 'x' };
  expect(needsSecondStep(broken)).toBe(true);
});
