import type { JsonObject } from '#libs/broker/core';
import type { LegacySession } from './legacy-session.ts';

/** A conversation's own session with a server, while it is opened and after. */
export interface OwnSession {
  readonly opened: Promise<LegacySession>;
  calls: number;
  usedMs: number;
  /** Nobody finds it any more; it is closed when its last call is over. */
  givenUp: boolean;
}

export interface ConversationEvents {
  readonly open: (conversation: string, capabilities: JsonObject) => Promise<LegacySession>;
}

export const MAX_CONVERSATIONS = 1_000;
const IDLE_MS = 15 * 60_000;
const SWEEP_MS = 60_000;

/**
 * The sessions of conversations with one server of the legacy era: opened with a conversation's first call, closed when it is over, when
 * nothing was called for a while, or when others need the room.
 */
export class Conversations {
  /** In the order of their last use. */
  private readonly own = new Map<string, OwnSession>();
  private sweeper: NodeJS.Timeout | undefined;

  constructor(
    private readonly events: ConversationEvents,
    private readonly max: number = MAX_CONVERSATIONS,
  ) {}

  /** The conversation's session, for one call, which ends with {@link leave}. Undefined when there is no room. */
  enter(conversation: string, capabilities: JsonObject): OwnSession | undefined {
    let own = this.own.get(conversation);
    if (own) this.own.delete(conversation);
    else {
      if (!this.makeRoom()) return undefined;
      own = { opened: this.events.open(conversation, capabilities), calls: 0, usedMs: 0, givenUp: false };
      const opening = own;
      own.opened.catch(() => this.forget(conversation, opening));
    }
    this.own.set(conversation, own);
    own.calls++;
    this.sweeper ??= setInterval(() => this.sweep(), SWEEP_MS).unref();
    return own;
  }

  leave(own: OwnSession): void {
    own.calls--;
    own.usedMs = performance.now();
    if (own.givenUp && own.calls === 0) close(own);
  }

  /** The server does not know this session any more: the next call opens another one. */
  forget(conversation: string, own: OwnSession): void {
    if (this.own.get(conversation) === own) this.own.delete(conversation);
    own.givenUp = true;
    if (own.calls === 0) close(own);
  }

  end(conversation: string): void {
    const own = this.own.get(conversation);
    if (own) this.forget(conversation, own);
  }

  /** The server does not know the session any more; the conversation may have another one by now. */
  gone(conversation: string, session: LegacySession): void {
    const own = this.own.get(conversation);
    own?.opened.then((current) => (current === session ? this.forget(conversation, own) : undefined)).catch(() => undefined);
  }

  /** All of them; resolves when the servers were told, or could not be. */
  async close(): Promise<void> {
    clearInterval(this.sweeper);
    const all = [...this.own.values()];
    this.own.clear();
    await Promise.all(all.map((own) => own.opened.then((session) => session.close()).catch(() => undefined)));
  }

  private makeRoom(): boolean {
    if (this.own.size < this.max) return true;
    for (const [conversation, own] of this.own) {
      if (own.calls > 0) continue;
      this.end(conversation);
      return true;
    }
    return false;
  }

  private sweep(): void {
    const since = performance.now() - IDLE_MS;
    for (const [conversation, own] of this.own) if (own.calls === 0 && own.usedMs < since) this.end(conversation);
    if (this.own.size === 0) {
      clearInterval(this.sweeper);
      this.sweeper = undefined;
    }
  }
}

function close(own: OwnSession): void {
  own.opened.then((session) => session.close()).catch(() => undefined);
}
