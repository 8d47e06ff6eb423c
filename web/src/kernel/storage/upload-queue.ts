/** Files that wait, are on their way, or did not arrive. It outlives the page that shows it. */
import { asApiError, type ApiError } from '@/api/errors';
import type { Send } from './transfer';

export interface Upload {
  id: number;
  file: File;
  /** Below the organisation. */
  path: string;
  state: 'waiting' | 'sending' | 'done' | 'failed';
  /** Bytes. */
  sent: number;
  /** The connection broke off; it goes on by itself. */
  interrupted: boolean;
  error: ApiError | null;
}

/** On their way at the same time. */
const AT_ONCE = 3;

export class UploadQueue {
  private uploads: readonly Upload[] = [];
  private next = 1;
  private readonly listeners = new Set<() => void>();
  private readonly running = new Map<number, AbortController>();
  private readonly replacing = new Set<number>();

  constructor(
    private readonly send: Send,
    private readonly onDone: (upload: Upload) => void = () => undefined,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): readonly Upload[] => this.uploads;

  get isBusy(): boolean {
    return this.uploads.some(({ state }) => state === 'waiting' || state === 'sending');
  }

  add(files: readonly { file: File; path: string }[]): void {
    const added = files.map(({ file, path }) => ({
      id: this.next++,
      file,
      path,
      state: 'waiting' as const,
      sent: 0,
      interrupted: false,
      error: null,
    }));
    this.set([...this.uploads, ...added]);
    this.work();
  }

  /** Ends an upload, if it goes on, and forgets it. */
  drop(id: number): void {
    this.running.get(id)?.abort();
    this.running.delete(id);
    this.replacing.delete(id);
    this.set(this.uploads.filter((upload) => upload.id !== id));
    this.work();
  }

  retry(id: number, replace = false): void {
    if (replace) this.replacing.add(id);
    this.change(id, { state: 'waiting', error: null });
    this.work();
  }

  /** Tries again all that failed for one reason. */
  retryAll(isMeant: (error: ApiError) => boolean, replace = false): void {
    for (const { id, state, error } of this.uploads) {
      if (state === 'failed' && error !== null && isMeant(error)) this.retry(id, replace);
    }
  }

  /** Forgets those that arrived. */
  tidy(): void {
    this.set(this.uploads.filter(({ state }) => state !== 'done'));
  }

  /** Ends all of them. */
  end(): void {
    const controls = [...this.running.values()];
    this.running.clear();
    this.replacing.clear();
    this.set([]);
    for (const control of controls) control.abort();
  }

  private work(): void {
    while (this.running.size < AT_ONCE) {
      const upload = this.uploads.find(({ state }) => state === 'waiting');
      if (upload === undefined) return;
      void this.run(upload);
    }
  }

  private async run({ id, file, path }: Upload): Promise<void> {
    const control = new AbortController();
    this.running.set(id, control);
    this.change(id, { state: 'sending', interrupted: false });
    try {
      await this.send({
        file,
        path,
        replace: this.replacing.has(id),
        signal: control.signal,
        onProgress: (sent) => {
          if (!control.signal.aborted) this.change(id, { sent, interrupted: false });
        },
        onInterrupted: () => {
          if (!control.signal.aborted) this.change(id, { interrupted: true });
        },
      });
      if (control.signal.aborted) return;
      this.change(id, { state: 'done', sent: file.size });
      const done = this.uploads.find((upload) => upload.id === id);
      if (done !== undefined) this.onDone(done);
    } catch (error) {
      if (control.signal.aborted) return;
      this.change(id, { state: 'failed', error: asApiError(error) });
    } finally {
      if (this.running.get(id) === control) this.running.delete(id);
      this.work();
    }
  }

  private change(id: number, change: Partial<Upload>): void {
    this.set(this.uploads.map((upload) => (upload.id === id ? { ...upload, ...change } : upload)));
  }

  private set(uploads: readonly Upload[]): void {
    this.uploads = uploads;
    for (const listener of this.listeners) listener();
  }
}
