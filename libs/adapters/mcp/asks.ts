import { Cancellation, type PeerAnswer, type PeerRequest } from '#libs/broker/core';
import { notAskable, responseText } from './rpc.ts';

export type Ask = (request: PeerRequest, cancellation: Cancellation) => Promise<PeerAnswer>;

export interface AskEvents {
  /** Takes our answer back to the server. */
  readonly reply: (text: string) => void;
  /** The server waits for somebody else's answer from now on, or no longer. */
  readonly waiting?: () => void;
  readonly answered?: () => void;
}

const MAX_OPEN = 32;
const OURSELVES: PeerAnswer = { result: '{}' };

/** The requests that a server makes on one of its streams, until they are answered, taken back by the server, or the stream is over. */
export class Asks {
  private readonly open = new Map<string | number, Cancellation>();
  private asked = 0;
  private over = false;

  constructor(
    private readonly events: AskEvents,
    private readonly maxAltogether: number = Number.POSITIVE_INFINITY,
  ) {}

  /** `ask` is absent when nobody can be asked, with `why`. */
  take(id: string | number, method: string, params: string, ask: Ask | undefined, why = 'The client cannot be asked.'): void {
    if (method === 'ping') return this.events.reply(responseText(id, OURSELVES));
    if (!ask) return this.events.reply(responseText(id, notAskable(why)));
    if (this.over || this.open.has(id) || this.open.size >= MAX_OPEN || this.asked >= this.maxAltogether)
      return this.events.reply(responseText(id, notAskable('The client cannot be asked that often.')));
    this.asked++;
    const cancellation = new Cancellation();
    this.open.set(id, cancellation);
    this.events.waiting?.();
    void this.answer(id, ask({ method, params }, cancellation));
  }

  /** The server no longer wants the answer. */
  cancelled(id: unknown): void {
    if (typeof id === 'string' || typeof id === 'number') this.open.get(id)?.cancel('cancelled');
  }

  /** Nobody listens to answers any more. */
  end(): void {
    this.over = true;
    for (const cancellation of this.open.values()) cancellation.cancel('cancelled');
  }

  private async answer(id: string | number, asked: Promise<PeerAnswer>): Promise<void> {
    let answer: PeerAnswer;
    try {
      answer = await asked;
    } catch {
      answer = notAskable('The client could not be asked.');
    }
    const cancellation = this.open.get(id);
    this.open.delete(id);
    this.events.answered?.();
    if (!this.over && cancellation?.reason === undefined) this.events.reply(responseText(id, answer));
  }
}
