import type { ApprovalChange } from '#libs/approvals/core';
import { Refusal } from '#libs/contracts';
import type { Recheck } from '#libs/platform';
import type { Principal } from '#libs/ports';
import type { LiveApprovals } from './live-approvals.ts';

/** The response of Node, as far as a stream needs it. */
export interface RawStream {
  readonly writableLength: number;
  readonly destroyed: boolean;
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  write(text: string): boolean;
  end(): unknown;
  destroy(): unknown;
  on(event: 'close' | 'error', listener: () => void): unknown;
}

const MOST = 1_000;
const MOST_OF_ONE = 20;
const HEARTBEAT_MS = 15_000;
/** Whose credential ended loses the stream after this long. */
const RECHECK_MS = 10_000;
/** A reader that falls this far behind is cut off; it comes back with what it saw last. */
const MOST_UNREAD_BYTES = 1 << 20;
const RETRY_MS = 2_000;

/** Server-sent events to people who watch. */
export class LiveStreams {
  private readonly open = new Map<RawStream, { readonly owner: string; readonly end: () => void }>();
  private closed = false;

  constructor(private readonly live: LiveApprovals) {}

  /** Throws a Refusal instead when there are too many; called before anything is written. */
  admit({ tenant, user }: Principal): void {
    if (this.closed) throw new Refusal('stopping');
    const owner = `${tenant}/${user}`;
    const own = [...this.open.values()].filter((stream) => stream.owner === owner).length;
    if (this.open.size >= MOST || own >= MOST_OF_ONE) throw new Refusal('too_many_streams');
  }

  start(raw: RawStream, principal: Principal, lastEventId: string | undefined, recheck: Recheck): void {
    const { tenant, user } = principal;
    raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'x-accel-buffering': 'no' });
    const say = (text: string): void => {
      if (raw.destroyed) return;
      raw.write(text);
      if (raw.writableLength > MOST_UNREAD_BYTES) raw.destroy();
    };
    say(`retry: ${RETRY_MS}\n\n`);
    const tell = (changes: readonly ApprovalChange[] | null): void => {
      if (changes === null) say('event: reset\ndata: {}\n\n');
      else for (const change of changes) say(`id: ${change.changedAt}\nevent: approval\ndata: ${JSON.stringify({ ...change, changedAt: new Date(change.changedAt).toISOString() })}\n\n`);
    };
    const unwatch = this.live.watch(tenant, tell);
    const heartbeat = setInterval(() => say(': \n\n'), HEARTBEAT_MS);
    const check = setInterval(() => {
      recheck().then(
        (now) => {
          if (now.tenant !== tenant || now.user !== user) end();
        },
        (error: unknown) => {
          // A database that is away for a moment has said nothing about the credential.
          if (error instanceof Refusal) end();
        },
      );
    }, RECHECK_MS);
    const end = (): void => {
      clearInterval(heartbeat);
      clearInterval(check);
      unwatch();
      this.open.delete(raw);
      if (!raw.destroyed) raw.end();
    };
    this.open.set(raw, { owner: `${tenant}/${user}`, end });
    raw.on('close', end);
    raw.on('error', end);
    if (lastEventId === undefined) return;
    const since = /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : null;
    if (since === null) tell(null);
    else this.live.missed(tenant, since).then(tell, () => raw.destroy());
  }

  /** Ends all of them, and takes no more. */
  close(): void {
    this.closed = true;
    for (const { end } of this.open.values()) end();
  }
}
