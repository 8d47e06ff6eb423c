import { describe, expect, it } from 'vitest';
import { goesOn, refusedBy, refusedWith, taken } from './refusals';

describe('a refusal of the storage service', () => {
  it('has the true status, which stands in the body', () => {
    const body = { statusCode: '413', error: 'x', message: 'No room', code: 'QuotaExceeded' };
    expect(refusedWith(400, JSON.stringify(body))).toMatchObject({
      status: 413,
      code: 'QuotaExceeded',
      message: 'No room',
    });
  });

  it('is understood when something between here and the server wrote it', () => {
    expect(refusedWith(502, '<html>')).toMatchObject({ status: 502, code: 'http.502' });
    expect(refusedWith(502, 'null')).toMatchObject({ status: 502, code: 'http.502' });
  });

  it('has a code where the body is words alone', () => {
    expect(refusedWith(409, 'The resource already exists')).toMatchObject({
      status: 409,
      code: 'KeyAlreadyExists',
    });
  });

  it('has the code of the header that comes with words', () => {
    expect(refusedWith(413, 'No room\n', 'QuotaExceeded')).toMatchObject({
      status: 413,
      code: 'QuotaExceeded',
      message: 'No room',
    });
  });

  it('ends an upload in parts, unless it goes on where the server is', () => {
    const isTried = (status: number, code: string | null = null) =>
      goesOn(refusedWith(status, 'm', code));
    expect(isTried(409, 'KeyAlreadyExists')).toBe(false);
    expect(isTried(409)).toBe(false);
    expect(isTried(413, 'QuotaExceeded')).toBe(false);
    expect(isTried(409, 'storage.upload_offset')).toBe(true);
    expect(isTried(423, 'storage.upload_held')).toBe(true);
    expect(isTried(503)).toBe(true);
    expect(goesOn(refusedBy({ message: 'm', originalError: new TypeError('gone') }))).toBe(true);
  });

  it('has a code where the client tells the status alone', () => {
    const told = (status: string) => refusedBy({ message: 'm', status: 400, statusCode: status });
    expect(told('403')).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(told('409')).toMatchObject({ status: 409, code: 'KeyAlreadyExists' });
    expect(told('418')).toMatchObject({ status: 418, code: 'http.418' });
    expect(told('odd')).toMatchObject({ status: 400, code: 'http.400' });
  });

  it('is told from a server that cannot be reached', () => {
    const originalError = new TypeError('failed to fetch');
    expect(refusedBy({ message: 'm', originalError }).code).toBe('network.unreachable');
  });

  it('is thrown, and everything else is given on', async () => {
    await expect(taken(Promise.resolve({ data: [1], error: null }))).resolves.toEqual([1]);
    const error = { message: 'm', status: 400, statusCode: '404' };
    await expect(taken(Promise.resolve({ data: null, error }))).rejects.toMatchObject({
      code: 'NoSuchKey',
    });
  });
});
