import type { Principal } from '#libs/ports';
import type { CallAnswer, HeldAnswer } from '../call/call.ts';
import type { Cancellation } from '../call/cancellation.ts';
import type { PeerAnswer, PeerRequest } from '../upstream/upstreams.ts';
import { canBeAsked } from './capabilities.ts';
import type { Channel } from './channel.ts';
import { isObject, type JsonObject } from './protocol.ts';
import type { SessionSealer } from './sessions.ts';

/** A call comes to an end, or asks its client something before that. */
export type Turn =
  | { readonly kind: 'answered'; readonly answer: CallAnswer | HeldAnswer }
  | { readonly kind: 'asks'; readonly questions: readonly Question[]; readonly state: string };

export interface Question {
  readonly name: string;
  readonly request: PeerRequest;
}

interface Open extends Question {
  readonly settle: (answer: PeerAnswer) => void;
  told: boolean;
}

/** What travels in `requestState`: which call waits, where, and whose it is. */
interface State {
  readonly held: string;
  readonly broker: string;
  readonly owner: string;
  readonly asked: string;
  /** How often it was brought to a broker that does not hold the call. */
  readonly strayed: number;
}

export type Found =
  | { readonly here: HeldCall; readonly strayed: number }
  | { readonly elsewhere: string; readonly state: string }
  | { readonly gone: string };

const MARK = 'holdfast.';
const MAX_HELD = 1_000;
const MAX_HELD_OF_ONE = 100;
const MAX_QUESTIONS = 20;
const MAX_STRAYED = 32;

export interface HeldCallOptions {
  readonly sealer: SessionSealer;
  readonly newId: () => string;
  /** Calls back after a while; the returned function cancels. */
  readonly timer: (ms: number, callback: () => void) => () => void;
}

const ANSWERS_ARRIVE_MS = 1_000;
/** How long a call waits for its client to come back with answers. */
export const COME_BACK_MS = 5 * 60_000;

/**
 * Calls of clients of the 2026 era whose server is of the older one and asks something while it works: the request is answered with
 * the question, the call goes on waiting here, and the client's next request brings the answer and takes up the wait again.
 */
export class HeldCalls {
  private readonly broker: string;
  private readonly held = new Map<string, HeldCall>();
  private closed = false;

  constructor(private readonly options: HeldCallOptions) {
    this.broker = options.newId();
  }

  /** Undefined when no more calls may wait. `id` is the call's. `asked` names what is being called, with its arguments. */
  begin(id: string, principal: Principal, asked: string, capabilities: JsonObject, channel: Channel, cancellation: Cancellation): HeldCall | undefined {
    const owner = ownerOf(principal);
    if (this.closed || this.held.size >= MAX_HELD || this.heldFor(owner) >= MAX_HELD_OF_ONE) return undefined;
    const state = (): string => this.seal({ held: id, broker: this.broker, owner, asked, strayed: 0 });
    const call: HeldCall = new HeldCall(owner, state, capabilities, channel, cancellation, this.options, () => this.held.delete(id));
    this.held.set(id, call);
    return call;
  }

  /**
   * The call that a client came back for: here, or at another broker, with the state to come back with once more; `gone` names a call
   * that does not wait any more, `foreign` is no state of this client's for this request. Undefined when it does not look like ours.
   */
  find(state: unknown, principal: Principal, asked: string): Found | 'foreign' | undefined {
    if (typeof state !== 'string' || !state.startsWith(MARK)) return undefined;
    const read = this.open(state);
    if (read?.owner !== ownerOf(principal) || read.asked !== asked) return 'foreign';
    const here = this.held.get(read.held);
    if (here) return { here, strayed: read.strayed };
    if (read.broker === this.broker || read.strayed >= MAX_STRAYED) return { gone: read.held };
    return { elsewhere: read.held, state: this.seal({ ...read, strayed: read.strayed + 1 }) };
  }

  /** Answers that arrived at another broker. */
  answered(held: string, name: string, answer: PeerAnswer): void {
    this.held.get(held)?.settle(name, answer);
  }

  /** The broker stops: nobody is asked any more. */
  close(): void {
    this.closed = true;
    for (const call of this.held.values()) call.giveUp('Holdfast is stopping');
  }

  private heldFor(owner: string): number {
    let count = 0;
    for (const call of this.held.values()) if (call.owner === owner) count++;
    return count;
  }

  private seal(state: State): string {
    return MARK + this.options.sealer.seal(JSON.stringify(state));
  }

  private open(state: string): State | undefined {
    const text = this.options.sealer.open(state.slice(MARK.length));
    const read: unknown = text === null ? undefined : JSON.parse(text);
    return isObject(read) ? (read as unknown as State) : undefined;
  }
}

/** One call that can ask its client, request after request. */
export class HeldCall implements Channel {
  private readonly questions = new Map<string, Open>();
  private answer: CallAnswer | HeldAnswer | undefined;
  private readonly waiting = new Set<() => void>();
  private stopWaiting: (() => void) | undefined;

  constructor(
    readonly owner: string,
    /** Another text each time: a client may take the same one for no progress. */
    private readonly state: () => string,
    private readonly capabilities: JsonObject,
    private channel: Channel | undefined,
    private readonly cancellation: Cancellation,
    private readonly options: Pick<HeldCallOptions, 'newId' | 'timer'>,
    private readonly forget: () => void,
  ) {}

  get streams(): boolean {
    return this.channel?.streams ?? false;
  }

  open(): void {
    this.channel?.open();
  }

  /** What the server says meanwhile goes to the request that waits right now, and is lost when none does. */
  send(message: string): boolean {
    return this.channel?.send(message) ?? false;
  }

  onGone(): () => void {
    return () => undefined;
  }

  ask(request: PeerRequest, cancellation: Cancellation): Promise<PeerAnswer> {
    if (!canBeAsked(this.capabilities, request.method)) return Promise.resolve(failure('the client did not declare that it can be asked this'));
    if (this.questions.size >= MAX_QUESTIONS) return Promise.resolve(failure('the client was asked too much already'));
    return new Promise((resolve) => {
      const name = this.options.newId();
      const forget = cancellation.onCancel(() => this.settle(name, failure('the request was cancelled')));
      this.questions.set(name, {
        name,
        request,
        told: false,
        settle: (answer) => {
          forget();
          resolve(answer);
        },
      });
      this.wake();
    });
  }

  /** The call is over; whoever waits hears of it. */
  end(answer: CallAnswer | HeldAnswer): void {
    this.answer = answer;
    this.wake();
  }

  settle(name: string, answer: PeerAnswer): void {
    const question = this.questions.get(name);
    this.questions.delete(name);
    question?.settle(answer);
  }

  giveUp(why: string): void {
    for (const name of this.questions.keys()) this.settle(name, failure(why));
  }

  /**
   * A client came back; questions that it does not answer are asked again. Where it was at another broker before, its answers may still
   * be on their way here.
   */
  resume(channel: Channel, strayed: boolean): void {
    this.channel = channel;
    const askAgain = (): void => {
      for (const question of this.questions.values()) question.told = false;
      this.wake();
    };
    if (strayed) this.options.timer(ANSWERS_ARRIVE_MS, askAgain);
    else askAgain();
  }

  /**
   * Waits for the end of the call or for a question. A client that hangs up meanwhile has cancelled. Where the same request came twice,
   * the last one hears of questions, and both of the end.
   */
  async next(): Promise<Turn> {
    this.stopWaiting?.();
    const waiting = this.channel;
    const forget = waiting?.onGone(() => (this.channel === waiting ? this.cancellation.cancel('cancelled') : undefined));
    while (this.answer === undefined && (this.channel !== waiting || this.untold().length === 0)) {
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
    forget?.();
    if (this.answer !== undefined) {
      this.forget();
      return { kind: 'answered', answer: this.answer };
    }
    this.channel = undefined;
    this.stopWaiting = this.options.timer(COME_BACK_MS, () => {
      this.giveUp('the client did not come back');
      this.forget();
    });
    const questions = this.untold();
    for (const question of questions) question.told = true;
    return { kind: 'asks', questions, state: this.state() };
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  private untold(): Open[] {
    return [...this.questions.values()].filter(({ told }) => !told);
  }
}

function ownerOf({ tenant, user, client, agent, key }: Principal): string {
  return JSON.stringify([tenant, user, client, agent ?? null, key]);
}

function failure(message: string): PeerAnswer {
  return { error: JSON.stringify({ code: -32603, message: `Holdfast: ${message}` }) };
}
