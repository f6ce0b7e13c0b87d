import type { Approvals, Ticket } from '#libs/ports';
import type { Channel } from './channel.ts';

/** A change may be missed; from time to time everybody looks. */
const LOOK_EVERY_MS = 10_000;
/** Requests that wait at one broker; one more is told at once how things stand. */
const MAX_WAITING = 10_000;
const PROGRESS_EVERY_MS = 10_000;

export interface Patience {
  readonly ms: number;
  /** A client that is gone is waited for no longer. */
  readonly channel: Channel;
  /** Told from time to time, with how many seconds it has been. */
  readonly onProgress: (seconds: number, ticket: Ticket) => void;
}

/** Requests that wait for people. */
export class ApprovalWaits {
  private readonly waiting = new Map<string, Set<Bell>>();
  private count = 0;
  private closed = false;

  constructor(
    private readonly approvals: Pick<Approvals, 'find'>,
    private readonly timer: (ms: number, callback: () => void) => () => void,
  ) {}

  /** Hears of a change of some approval. */
  changed({ tenant, approval }: Pick<Ticket, 'tenant' | 'approval'>): void {
    this.wake(name(tenant, approval));
  }

  /** The ticket as it is when there is something to do about it, when patience is over, or when the client has gone. */
  async until(ticket: Ticket, { ms, channel, onProgress }: Patience): Promise<{ readonly ticket: Ticket; readonly gone: boolean }> {
    if (!isWaiting(ticket)) return { ticket, gone: false };
    let over = ms <= 0 || this.count >= MAX_WAITING;
    let gone = false;
    let latest = ticket;
    let seconds = 0;
    const bell = new Bell();
    const stops = [
      this.listen(name(ticket.tenant, ticket.approval), bell),
      channel.onGone(() => {
        gone = true;
        bell.ring();
      }),
      this.every(PROGRESS_EVERY_MS, () => onProgress((seconds += PROGRESS_EVERY_MS / 1000), latest)),
      this.every(LOOK_EVERY_MS, () => bell.ring()),
      this.timer(ms, () => {
        over = true;
        bell.ring();
      }),
    ];
    this.count++;
    try {
      while (!gone && !this.closed) {
        // Armed before it is looked at, so that no change falls in between.
        bell.arm();
        latest = (await this.look(ticket)) ?? latest;
        if (over || !isWaiting(latest)) break;
        await bell.rung();
      }
      return { ticket: latest, gone };
    } finally {
      this.count--;
      for (const stop of stops) stop();
    }
  }

  /** The broker stops: everybody is told how things stand. */
  close(): void {
    this.closed = true;
    for (const key of this.waiting.keys()) this.wake(key);
  }

  /** Null also where nobody can tell right now: a database that is away for a moment ends nobody's wait. */
  private look({ tenant, approval }: Ticket): Promise<Ticket | null> {
    return this.approvals.find(tenant, approval).catch(() => null);
  }

  private listen(key: string, bell: Bell): () => void {
    const all = this.waiting.get(key) ?? new Set();
    this.waiting.set(key, all.add(bell));
    return () => {
      all.delete(bell);
      if (all.size === 0) this.waiting.delete(key);
    };
  }

  private wake(key: string): void {
    for (const bell of this.waiting.get(key) ?? []) bell.ring();
  }

  private every(ms: number, callback: () => void): () => void {
    let stop: () => void;
    const begin = (): void => {
      stop = this.timer(ms, () => {
        begin();
        callback();
      });
    };
    begin();
    return () => stop();
  }
}

/** Rings for one waiter; a ring after `arm` is not missed. */
class Bell {
  private rang = false;
  private resolve: (() => void) | undefined;

  arm(): void {
    this.rang = false;
  }

  ring(): void {
    this.rang = true;
    this.resolve?.();
  }

  rung(): Promise<void> {
    return this.rang ? Promise.resolve() : new Promise((resolve) => (this.resolve = resolve));
  }
}

/** People have to decide, or somebody executes it right now. */
function isWaiting({ status }: Ticket): boolean {
  return status === 'held' || status === 'claimed';
}

function name(tenant: string, approval: string): string {
  return `${tenant} ${approval}`;
}
