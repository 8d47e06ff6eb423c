import { describe, expect, it } from 'vitest';
import { asApiError, toApiError } from './errors';

describe('the body of a refused call', () => {
  it('is read with all of its parts', () => {
    expect(
      toApiError(422, { code: 'imports.file_encrypted', message: 'm', details: 'd', hint: 'h' }),
    ).toMatchObject({
      status: 422,
      code: 'imports.file_encrypted',
      message: 'm',
      details: 'd',
      hint: 'h',
    });
  });

  it('may be anything at all', () => {
    expect(toApiError(502, '<html>').code).toBe('http.502');
    expect(toApiError(502, '<html>').message).toBe('<html>');
    expect(toApiError(500, null).message).not.toBe('');
    expect(toApiError(500, { code: 7, message: {} }).code).toBe('http.500');
  });
});

describe('whatever was thrown', () => {
  it('stays what it is when it is understood already', () => {
    const error = toApiError(404, { code: 'x.y', message: 'm' });
    expect(asApiError(error)).toBe(error);
    expect(error.isNotFound).toBe(true);
  });

  it('is called unreachable when the network failed', () => {
    expect(asApiError(new TypeError('Failed to fetch'))).toMatchObject({
      code: 'network.unreachable',
      isTransient: true,
    });
  });

  it('keeps its words otherwise', () => {
    expect(asApiError(new Error('oh')).message).toBe('oh');
    expect(asApiError('oh').message).toBe('oh');
  });
});
