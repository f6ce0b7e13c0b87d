import type { CancelReason, UpstreamAnswer, UpstreamCall } from '#libs/broker/core';
import { Dialogue } from './dialogue.ts';
import { type Continuation, exchange, type Exchange, type Exchanging } from './exchange.ts';
import { type HttpEndpoint } from './http-endpoint.ts';
import type { LegacySession } from './legacy-session.ts';
import { Patience } from './patience.ts';
import { cancelledText, parse } from './rpc.ts';

/** What a result may be wrapped in without counting against its bound. */
const ENVELOPE_BYTES = 64 * 1024;
/** What a server may say in all beside its answer; more than is listened to, so that the answer behind it still counts. */
const TALK_BYTES = 64 << 20;
/** How long a server of the legacy era may still answer what was cancelled. */
const LAST_WORD_MS = 1_000;
const FIRST_WAIT_MS = 1_000;
const SHORTEST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 30_000;
/** Times in a row that a stream's continuation may bring nothing. */
const MAX_FRUITLESS = 5;

/** One call on its way through HTTP, from its only POST until its answer, which a server may break off and continue elsewhere. */
export class HttpCall {
  private readonly patience: Patience;
  private readonly maxBytes: number;
  private dialogue: Dialogue | undefined;
  private exchanging: Exchanging | undefined;
  private why: 'timeout' | CancelReason | undefined;
  private dropped = false;
  private lastWord: NodeJS.Timeout | undefined;
  private wake: (() => void) | undefined;

  constructor(
    private readonly endpoint: HttpEndpoint,
    private readonly call: UpstreamCall,
    /** Undefined for servers of the 2026 era, which know no sessions. */
    private readonly session: LegacySession | undefined,
    private readonly heard: (method: string, params: string) => void,
  ) {
    const { limits } = endpoint.server;
    this.maxBytes = limits.maxResultBytes + ENVELOPE_BYTES;
    this.patience = new Patience(call.timeoutMs, limits, () => this.stop('timeout'));
  }

  /** Headers of the POST, and of a continuation. */
  async run(headers: readonly string[], continuing: readonly string[], body: string): Promise<Exchange> {
    const { cancellation, client, requestId } = this.call;
    const { session } = this;
    session?.begin();
    if (session && client?.wantsProgress) session.dialogues.set(requestId, this.talk());
    const unsubscribe = cancellation.onCancel((reason) => this.stop(reason));
    let exchanged: Exchange = this.why === undefined ? await this.once('POST', headers, body) : { kind: 'waited', reason: this.why };
    if (exchanged.kind === 'lost' && exchanged.reason === 'broken' && session && exchanged.from?.lastEventId !== undefined)
      exchanged = await this.goOn(exchanged.from, continuing);
    unsubscribe();
    this.patience.end();
    clearTimeout(this.lastWord);
    this.dialogue?.end();
    if (this.dialogue) session?.dialogues.delete(requestId);
    session?.end();
    return this.why !== undefined && exchanged.kind === 'lost' ? { kind: 'lost', reason: this.why } : exchanged;
  }

  private once(method: 'POST' | 'GET', headers: readonly string[], body?: string): Promise<Exchange> {
    this.exchanging = exchange(this.endpoint.calls, {
      method,
      path: this.endpoint.path,
      headers,
      ...(body !== undefined && { body }),
      maxBytes: this.maxBytes,
      maxStreamBytes: this.maxBytes + TALK_BYTES,
      onStart: () => this.patience.begun(),
      onMessage: (text) => this.talk().take(text, parse(text)),
    });
    return this.exchanging.done;
  }

  /** The server ended the stream before its answer, as it may: the rest is read from where it ended. */
  private async goOn(from: Continuation, headers: readonly string[]): Promise<Exchange> {
    const broken: Exchange = { kind: 'lost', reason: 'broken' };
    let { lastEventId, retryMs } = from;
    for (let fruitless = 0; fruitless < MAX_FRUITLESS; ) {
      await this.sleep(Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, retryMs ?? FIRST_WAIT_MS)));
      if (this.dropped) return broken;
      const exchanged = await this.once('GET', [...headers, 'last-event-id', lastEventId!]);
      if (exchanged.kind === 'answered' && exchanged.message) return exchanged;
      if (exchanged.kind === 'too_large') return exchanged;
      if (exchanged.kind === 'answered' && exchanged.status < 500) return broken;
      const next = exchanged.kind === 'lost' ? exchanged.from : undefined;
      fruitless = next?.lastEventId !== undefined && next.lastEventId !== lastEventId ? 0 : fruitless + 1;
      lastEventId = next?.lastEventId ?? lastEventId;
      retryMs = next?.retryMs ?? retryMs;
    }
    return broken;
  }

  private talk(): Dialogue {
    this.dialogue ??= new Dialogue(this.call, this.patience, {
      heard: this.heard,
      ...(this.session && { reply: (text: string) => this.session?.tell(text) }),
    });
    return this.dialogue;
  }

  /** Nobody waits any more, or not for long: the server is told, in the way of its era. */
  private stop(reason: 'timeout' | CancelReason): void {
    if (this.why !== undefined && reason !== 'stopped') return;
    this.why = reason;
    this.patience.end();
    const sent = this.exchanging?.sent === true;
    if (sent && this.session) this.session.tell(cancelledText(this.call.requestId, reason));
    if (sent && this.session && reason === 'cancelled') {
      this.lastWord = setTimeout(() => this.drop('cancelled'), LAST_WORD_MS);
      return;
    }
    this.drop(reason);
  }

  private drop(reason: 'timeout' | CancelReason): void {
    this.dropped = true;
    this.exchanging?.giveUp(reason);
    this.wake?.();
  }

  private async sleep(ms: number): Promise<void> {
    if (this.dropped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = undefined;
  }
}

/** What an exchange that brought no answer means for its call. */
export function unanswered(exchanged: Exclude<Exchange, { kind: 'answered' }>): UpstreamAnswer {
  switch (exchanged.kind) {
    case 'not_sent':
      return { kind: 'not_sent', reason: 'unreachable' };
    case 'waited':
      return { kind: 'not_sent', reason: exchanged.reason === 'timeout' ? 'busy' : exchanged.reason };
    case 'too_large':
      return exchanged.answering ? { kind: 'too_large', cut: true } : { kind: 'lost', reason: 'protocol' };
    case 'lost':
      return { kind: 'lost', reason: exchanged.reason };
  }
}
