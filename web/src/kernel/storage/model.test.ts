import { describe, expect, it } from 'vitest';
import {
  entriesOf,
  isWithin,
  join,
  kindOf,
  nameFor,
  PLACEHOLDER,
  problemOf,
  readFolder,
  relativePath,
  way,
} from './model';

describe('a list of the server', () => {
  it('has files with size and type, folders, and no placeholders', () => {
    const at = '2026-01-02T03:04:05Z';
    expect(
      entriesOf([
        { name: 'plans', id: null, updated_at: null, metadata: null },
        { name: PLACEHOLDER, id: '1', updated_at: at, metadata: { size: 0 } },
        { name: 'a.pdf', id: '2', updated_at: at, metadata: { size: 7, mimetype: 'text/x' } },
        { name: 'odd', id: '3', updated_at: at, metadata: { size: '7' } },
      ]),
    ).toEqual([
      { name: 'plans', folder: true, size: null, type: null, changed: null },
      { name: 'a.pdf', folder: false, size: 7, type: 'text/x', changed: at },
      { name: 'odd', folder: false, size: null, type: null, changed: at },
    ]);
  });
});

describe('a name', () => {
  it('may be in any language', () => {
    for (const name of ['Größe.pdf', '報告 2026.pdf', 'отчёт', "it's (1) & more; +.txt", 'تقرير']) {
      expect(problemOf(name), name).toBeNull();
      expect(nameFor(name)).toBe(name.normalize('NFC'));
    }
  });

  it('is refused where the server would refuse it, or an address could not carry it', () => {
    for (const name of ['a/b', 'a\\b', 'a#b', 'a%2fb', 'a?b', '<b>', 'a\u202egpj.exe', 'a\u0000']) {
      expect(problemOf(name), name).toBe('characters');
    }
    for (const name of ['.', '..', PLACEHOLDER]) expect(problemOf(name), name).toBe('reserved');
    expect(problemOf('   ')).toBe('empty');
    expect(problemOf('ü'.repeat(128))).toBe('long');
  });

  it('is not the one of the folder of spaces, but only where that folder is', () => {
    expect(problemOf('spaces')).toBe('reserved');
    expect(problemOf('spaces', 'plans')).toBeNull();
  });

  it('from somebody’s computer is made to fit', () => {
    expect(nameFor('50% [final]?.txt')).toBe('50_ _final__.txt');
    expect(nameFor('Gro\u0308ße.txt')).toBe('Größe.txt');
    expect(nameFor('..')).toBe('_');
    expect(nameFor(' ')).toBe('_');
  });
});

describe('a dropped file', () => {
  const dropped = (path: string) => Object.assign(new File([], 'b.txt'), { path });

  it('keeps the folders it came in', () => {
    expect(relativePath(dropped('/a/b.txt'))).toBe('a/b.txt');
    expect(relativePath(dropped('./b.txt'))).toBe('b.txt');
    expect(relativePath(new File([], 'b#.txt'))).toBe('b_.txt');
  });

  it('leads nowhere else', () => {
    expect(relativePath(dropped('../../b.txt'))).toBe('_/_/b.txt');
    expect(relativePath(dropped('a//b.txt'))).toBe('a/b.txt');
  });
});

describe('a folder', () => {
  it('is read from an address, whatever stands there', () => {
    expect(readFolder('plans/north')).toBe('plans/north');
    expect(readFolder('/plans//north/')).toBe('plans/north');
    expect(readFolder('../other')).toBe('');
    expect(readFolder(undefined)).toBe('');
  });

  it('is reached by the folders around it', () => {
    expect(way('')).toEqual([]);
    expect(way('a/b')).toEqual([
      { name: 'a', folder: 'a' },
      { name: 'b', folder: 'a/b' },
    ]);
    expect(join('', 'a', '', 'b')).toBe('a/b');
  });

  it('does not go into itself', () => {
    expect(isWithin('a', 'a')).toBe(true);
    expect(isWithin('a/b', 'a')).toBe(true);
    expect(isWithin('ab', 'a')).toBe(false);
  });
});

describe('what a file is', () => {
  it('is told by its type, and by its name where the type says nothing', () => {
    const kind = (type: string | null, name = 'x') => kindOf({ name, type });
    expect(kind('image/png')).toBe('image');
    expect(kind('image/tiff')).toBe('other');
    expect(kind('application/pdf')).toBe('pdf');
    expect(kind('text/plain; charset=utf-8')).toBe('text');
    expect(kind('application/json')).toBe('text');
    expect(kind('text/html', 'page.png')).toBe('text');
    expect(kind('application/octet-stream', 'notes.md')).toBe('text');
    expect(kind('application/zip', 'notes.md')).toBe('other');
    expect(kind(null)).toBe('other');
  });
});
