import { Listener } from '../listener.ts';

/**
 * A notification shared by all who wait for one. Only a hint that saves waiting: whoever relies on it also polls, so a lost connection
 * costs latency and nothing else.
 */
export class Wake {
  private readonly listener: Listener;
  private readonly waiters = new Set<Waiter>();

  constructor(
    url: string,
    private readonly channel: string,
  ) {
    this.listener = new Listener(url);
  }

  waiter(): Waiter {
    const waiter: Waiter = new Waiter(() => this.waiters.delete(waiter));
    this.waiters.add(waiter);
    this.listener.on(this.channel, () => {
      for (const waiting of this.waiters) waiting.notify();
    });
    return waiter;
  }

  close(): Promise<void> {
    return this.listener.close();
  }
}

/** Waits, or returns at once when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Waiter(() => undefined).wait(ms, signal);
}

/** Waits for a notification that came after `arm`, for a time, or for an abort. */
export class Waiter {
  private notified = false;
  private settle: (() => void) | undefined;

  constructor(readonly release: () => void) {}

  arm(): void {
    this.notified = false;
  }

  notify(): void {
    this.notified = true;
    this.settle?.();
  }

  wait(ms: number, signal: AbortSignal): Promise<void> {
    if (this.notified || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.settle = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done);
      this.settle = done;
    });
  }
}
