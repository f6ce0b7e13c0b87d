import pg from 'pg';

const RECONNECT_MS = 500;

/**
 * LISTEN on one connection, shared by all waiters. Only a hint that saves waiting: whoever relies on it also polls, so a lost
 * connection costs latency and nothing else.
 */
export class Wake {
  private client: pg.Client | undefined;
  private reconnect: NodeJS.Timeout | undefined;
  private closed = false;
  private readonly waiters = new Set<Waiter>();

  constructor(
    private readonly url: string,
    private readonly channel: string,
  ) {}

  waiter(): Waiter {
    const waiter: Waiter = new Waiter(() => this.waiters.delete(waiter));
    this.waiters.add(waiter);
    if (!this.client && !this.reconnect) this.connect();
    return waiter;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.reconnect);
    await this.client?.end().catch(() => undefined);
  }

  private connect(): void {
    if (this.closed) return;
    this.reconnect = undefined;
    const client = new pg.Client({ connectionString: this.url, application_name: 'holdfast-wake', keepAlive: true });
    this.client = client;
    const lost = (): void => {
      if (this.client !== client) return;
      this.client = undefined;
      if (this.closed) return;
      this.reconnect = setTimeout(() => this.connect(), RECONNECT_MS);
      this.reconnect.unref();
    };
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', () => {
      for (const waiter of this.waiters) waiter.notify();
    });
    client.connect().then(
      () => client.query(`listen ${client.escapeIdentifier(this.channel)}`).catch(lost),
      () => {
        lost();
      },
    );
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
