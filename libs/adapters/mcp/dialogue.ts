import { isObject, type JsonObject, type UpstreamCall } from '#libs/broker/core';
import { Asks } from './asks.ts';
import type { Patience } from './patience.ts';
import { isAnswer, paramsText } from './rpc.ts';

export interface DialogueEvents {
  /** Takes an answer of the client back to the server. Absent where the protocol has no questions of servers. */
  readonly reply?: (text: string) => void;
  /** What concerns everybody and not only this call. */
  readonly heard: (method: string, params: string) => void;
}

const MAX_NOTIFICATIONS = 10_000;
const MAX_QUESTIONS = 1_000;
const MAX_NOTIFICATION_CHARACTERS = 16 << 20;

/** What is said about lists and resources is true for every client. */
const FOR_EVERYBODY: ReadonlySet<string> = new Set([
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
]);

/**
 * What a server says and asks while it works on one call: progress and other notifications go to the client in order, questions go to
 * the client and their answers back. A server that talks without end is no longer listened to, but its answer still counts.
 */
export class Dialogue {
  private notifications = 0;
  private characters = 0;
  private asks: Asks | undefined;

  constructor(
    private readonly call: UpstreamCall,
    private readonly patience: Patience,
    private readonly events: DialogueEvents,
  ) {}

  /** Takes a message of the call's own stream. The message itself when it is the answer to the call, parsed. */
  take(text: string, message: unknown): JsonObject | undefined {
    if (!isObject(message)) return undefined;
    const { id, method } = message;
    if (typeof method !== 'string') return isAnswer(message) && id === this.call.requestId ? message : undefined;
    if (id === undefined) this.notified(method, message['params'], text);
    else if (typeof id === 'string' || typeof id === 'number') this.asked(id, method, text);
    return undefined;
  }

  notified(method: string, params: unknown, text: string): void {
    if (method === 'notifications/cancelled') {
      if (isObject(params)) this.asks?.cancelled(params['requestId']);
      return;
    }
    if (method === 'notifications/progress') {
      const { client, requestId } = this.call;
      if (!client?.wantsProgress || !isObject(params) || params['progressToken'] !== requestId) return;
      this.patience.progress();
    }
    this.notifications++;
    this.characters += text.length;
    if (this.notifications > MAX_NOTIFICATIONS || this.characters > MAX_NOTIFICATION_CHARACTERS) return;
    if (FOR_EVERYBODY.has(method)) this.events.heard(method, paramsText(text));
    else this.call.client?.notify(method, paramsText(text));
  }

  asked(id: string | number, method: string, text: string): void {
    const { reply } = this.events;
    if (!reply) return;
    this.asks ??= new Asks({ reply, waiting: () => this.patience.pause(), answered: () => this.patience.resume() }, MAX_QUESTIONS);
    this.asks.take(id, method, paramsText(text), this.call.client?.ask);
  }

  end(): void {
    this.asks?.end();
  }
}
