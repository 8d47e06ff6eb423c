import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '@/api/errors';
import type { Transfer } from './transfer';
import { UploadQueue, type Upload } from './upload-queue';

interface Sent extends Transfer {
  arrive: () => void;
  fail: (error: unknown) => void;
}

let sent: Sent[] = [];
let arrived: string[] = [];
let queue: UploadQueue;

/** Lets what was promised happen. */
const settle = () => vi.waitFor(() => Promise.resolve());
const files = (...names: string[]) =>
  names.map((name) => ({ file: new File(['12345'], name), path: name }));
const states = () => queue.snapshot().map(({ path, state }) => `${path} ${state}`);
const first = (): Upload => queue.snapshot()[0]!;

beforeEach(() => {
  sent = [];
  arrived = [];
  queue = new UploadQueue(
    (transfer) =>
      new Promise((resolve, reject) => sent.push({ ...transfer, arrive: resolve, fail: reject })),
    ({ path }) => arrived.push(path),
  );
});

describe('uploads', () => {
  it('go three at a time, the others as room comes', async () => {
    queue.add(files('a', 'b', 'c', 'd'));
    expect(states()).toEqual(['a sending', 'b sending', 'c sending', 'd waiting']);
    sent[1]!.arrive();
    await settle();
    expect(states()).toEqual(['a sending', 'b done', 'c sending', 'd sending']);
    expect(arrived).toEqual(['b']);
  });

  it('tell how far they are', () => {
    queue.add(files('a'));
    const seen = vi.fn();
    queue.subscribe(seen);
    sent[0]!.onProgress(3);
    expect(first().sent).toBe(3);
    expect(seen).toHaveBeenCalledOnce();
  });

  it('say that the line broke until they go on', () => {
    queue.add(files('a'));
    sent[0]!.onInterrupted();
    expect(first()).toMatchObject({ state: 'sending', interrupted: true });
    sent[0]!.onProgress(3);
    expect(first().interrupted).toBe(false);
  });

  it('that failed for one reason are tried again together', async () => {
    queue.add(files('a', 'b', 'c'));
    sent[0]!.fail(new TypeError('gone'));
    sent[1]!.fail(new ApiError(409, 'KeyAlreadyExists', 'There is one'));
    sent[2]!.fail(new TypeError('gone'));
    await settle();
    queue.retryAll(({ isTransient }) => isTransient);
    expect(states()).toEqual(['a sending', 'b failed', 'c sending']);
    queue.retryAll(({ code }) => code === 'KeyAlreadyExists', true);
    expect(sent.at(-1)).toMatchObject({ path: 'b', replace: true });
  });

  it('that failed say why, and are tried again', async () => {
    queue.add(files('a'));
    sent[0]!.fail(new ApiError(413, 'QuotaExceeded', 'No room'));
    await settle();
    expect(first()).toMatchObject({ state: 'failed', error: { code: 'QuotaExceeded' } });
    expect(queue.isBusy).toBe(false);
    queue.retry(first().id);
    expect(first()).toMatchObject({ state: 'sending', error: null });
    expect(sent[1]!.replace).toBe(false);
    sent[1]!.arrive();
    await settle();
    expect(states()).toEqual(['a done']);
  });

  it('replace a file of that name only when that was said', async () => {
    queue.add(files('a'));
    expect(sent[0]!.replace).toBe(false);
    sent[0]!.fail(new ApiError(409, 'KeyAlreadyExists', 'There is one'));
    await settle();
    queue.retry(first().id, true);
    expect(sent[1]!.replace).toBe(true);
  });

  it('that are given up make room for the next and say nothing more', async () => {
    queue.add(files('a', 'b', 'c', 'd'));
    const [{ id }] = queue.snapshot() as [Upload];
    queue.drop(id);
    expect(sent[0]!.signal.aborted).toBe(true);
    sent[0]!.fail(new Error('aborted'));
    sent[0]!.onProgress(5);
    await settle();
    expect(states()).toEqual(['b sending', 'c sending', 'd sending']);
    expect(arrived).toEqual([]);
  });

  it('all end when their person leaves', async () => {
    queue.add(files('a', 'b', 'c', 'd'));
    queue.end();
    await settle();
    expect(queue.snapshot()).toEqual([]);
    expect(sent.every(({ signal }) => signal.aborted)).toBe(true);
  });

  it('that arrived are forgotten when somebody tidies up', async () => {
    queue.add(files('a', 'b'));
    sent[0]!.arrive();
    await settle();
    queue.tidy();
    expect(states()).toEqual(['b sending']);
  });
});
