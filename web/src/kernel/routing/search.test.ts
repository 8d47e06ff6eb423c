import { describe, expect, it } from 'vitest';
import { parseSearch, safeNext, stringifySearch } from './search';

describe('search parameters', () => {
  it('stay readable text', () => {
    expect(stringifySearch({ level: 'warning,critical', page: 2, q: '', sort: undefined })).toBe(
      '?level=warning,critical&page=2',
    );
    expect(parseSearch('?level=warning,critical&page=2')).toEqual({
      level: 'warning,critical',
      page: '2',
    });
  });

  it('survive the way there and back', () => {
    const search = { q: 'a&b=c #1 %', next: '/o/x?y=1,2' };
    expect(parseSearch(stringifySearch(search))).toEqual(search);
  });

  it('hold no objects', () => {
    expect(stringifySearch({ odd: { a: 1 } })).toBe('');
  });
});

describe('the page after sign-in', () => {
  it('is the one that was asked for', () => {
    expect(safeNext('/o/x/purchasing?level=critical')).toBe('/o/x/purchasing?level=critical');
  });

  it.each([undefined, '', 'https://evil.example', '//evil.example', '/\\evil.example', 'o/x'])(
    'is the start page instead of %j',
    (next) => {
      expect(safeNext(next)).toBe('/');
    },
  );
});
