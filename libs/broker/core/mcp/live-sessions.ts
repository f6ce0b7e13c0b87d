import type { Cancellation } from '../call/cancellation.ts';
import type { PeerAnswer, PeerRequest } from '../upstream/upstreams.ts';
import { canBeAsked } from './capabilities.ts';
import type { Channel } from './channel.ts';
import type { JsonObject } from './protocol.ts';
import type { Session } from './sessions.ts';

/** Sessions that something is kept for; the one that was used longest ago is forgotten first. */
const MAX_LIVE = 10_000;
const MAX_QUESTIONS = 100;

/** What this broker keeps for a session while it lives: everything that can be done without when another broker goes on with it. */
export class LiveSession {
  private stream: { readonly channel: Channel; readonly end: () => void } | undefined;
  private readonly calls = new Map<string, Cancellation>();
  private readonly questions = new Map<string, (answer: PeerAnswer) => void>();
  private readonly endings = new Set<() => void>();
  private over = false;

  constructor(
    private readonly session: Session,
    /** What the client asked to hear of its servers' logs. */
    public logLevel: string | undefined,
  ) {}

  /** The stream for what no request is waiting for. A client that opens another one has lost the first. */
  attach(channel: Channel, end: () => void): void {
    this.stream?.end();
    this.stream = { channel, end };
  }

  detach(channel: Channel): void {
    if (this.stream?.channel === channel) this.stream = undefined;
  }

  /** Says something that belongs to no request; false when the client does not listen here. */
  say(message: string): boolean {
    return this.stream?.channel.send(message) ?? false;
  }

  /** Asks the client outside of any request, on the stream that it holds open for that. */
  askAside(id: string, request: PeerRequest, cancellation: Cancellation): Promise<PeerAnswer> {
    return this.stream ? this.ask(id, request, this.stream.channel, cancellation) : Promise.resolve(refused('the client does not listen'));
  }

  /** Asks the client something and waits for its answer, which comes in a request of its own. Never rejects. */
  ask(id: string, { method, params }: PeerRequest, channel: Channel, cancellation: Cancellation): Promise<PeerAnswer> {
    if (!canBeAsked(this.session.capabilities, method))
      return Promise.resolve(refused('the client did not declare that it can be asked this'));
    if (this.questions.size >= MAX_QUESTIONS) return Promise.resolve(refused('the client was asked too much already'));
    return new Promise((resolve) => {
      const endings: (() => void)[] = [];
      const settle = (answer: PeerAnswer): void => {
        this.questions.delete(id);
        for (const end of endings) end();
        resolve(answer);
      };
      this.questions.set(id, settle);
      if (!channel.send(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":${JSON.stringify(method)},"params":${params}}`)) {
        settle(refused('the client cannot be reached'));
        return;
      }
      endings.push(
        cancellation.onCancel(() => {
          channel.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${JSON.stringify(id)}}}`);
          settle(refused('the request was cancelled'));
        }),
        channel.onGone(() => settle(refused('the client is gone'))),
      );
    });
  }

  /** False when nobody waits for this answer here. */
  answered(id: string, answer: PeerAnswer): boolean {
    const settle = this.questions.get(id);
    settle?.(answer);
    return settle !== undefined;
  }

  /** A call of this session is under way; returns what to do when it ends. Ids are the client's, and must be different at one time. */
  running(id: string, cancellation: Cancellation): () => void {
    this.calls.set(id, cancellation);
    return () => {
      if (this.calls.get(id) === cancellation) this.calls.delete(id);
    };
  }

  /** The client does not want the answer any more; false when no such call is under way here. */
  cancel(id: string): boolean {
    const cancellation = this.calls.get(id);
    cancellation?.cancel('cancelled');
    return cancellation !== undefined;
  }

  /** Something to undo when the session is over; at once when it is. */
  onEnd(ending: () => void): void {
    if (this.over) ending();
    else this.endings.add(ending);
  }

  /** Somebody is still served by what is kept here. */
  get busy(): boolean {
    return this.stream !== undefined || this.calls.size > 0 || this.questions.size > 0;
  }

  end(): void {
    this.over = true;
    this.stream?.end();
    for (const settle of this.questions.values()) settle(refused('the session is over'));
    for (const ending of this.endings) ending();
    this.endings.clear();
  }
}

export class LiveSessions {
  private readonly live = new Map<string, LiveSession>();
  /** Also of sessions that nothing else is kept for: another broker may have been told. */
  private readonly levels = new Map<string, string>();

  /** What is kept for a session; begun when there is nothing yet. */
  of(session: Session): LiveSession {
    let live = this.live.get(session.id);
    if (live) this.live.delete(session.id);
    else {
      if (this.live.size >= MAX_LIVE) this.forgetOne();
      live = new LiveSession(session, this.levels.get(session.id));
    }
    this.live.set(session.id, live);
    return live;
  }

  find(id: string): LiveSession | undefined {
    return this.live.get(id);
  }

  setLevel(id: string, level: string): void {
    const [oldest] = this.levels.keys();
    if (this.levels.size >= MAX_LIVE && oldest !== undefined) this.levels.delete(oldest);
    this.levels.set(id, level);
    const live = this.live.get(id);
    if (live) live.logLevel = level;
  }

  end(id: string): void {
    this.levels.delete(id);
    this.live.get(id)?.end();
    this.live.delete(id);
  }

  private forgetOne(): void {
    for (const [id, live] of this.live) {
      if (live.busy) continue;
      this.end(id);
      return;
    }
    const [oldest] = this.live.keys();
    if (oldest !== undefined) this.end(oldest);
  }
}

function refused(message: string): PeerAnswer {
  return { error: JSON.stringify({ code: -32601, message: `Holdfast: ${message}` } satisfies JsonObject) };
}
