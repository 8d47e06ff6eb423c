import { expect, it } from 'vitest';
import { device } from './device';

it.each([
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
    { browser: 'Edge', system: 'Windows', mobile: false },
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
    { browser: 'Safari', system: 'iPhone', mobile: true },
  ],
  [
    'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
    { browser: 'Firefox', system: 'Linux', mobile: false },
  ],
  ['node', { browser: 'node', system: null, mobile: false }],
  ['curl/8.5.0', { browser: 'curl', system: null, mobile: false }],
  ['', { browser: null, system: null, mobile: false }],
])('tells devices apart: %s', (userAgent, expected) => {
  expect(device(userAgent)).toEqual(expected);
});
