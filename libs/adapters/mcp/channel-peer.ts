import { isObject, type JsonObject, type UpstreamAnswer, type UpstreamCall, UpstreamUnavailable } from '#libs/broker/core';
import { Asks } from './asks.ts';
import { ChannelCall } from './channel-call.ts';
import type { Channel, ChannelEvents, OpenChannel, Sent } from './channel.ts';
import { AnsweredWithError, type Sized } from './lists.ts';
import type { Limits } from './patience.ts';
import { cancelledText, isAnswer, isRpcError, notificationText, paramsText, parse, requestText } from './rpc.ts';
import { type ListenEvents, SUBSCRIPTION_ID } from './subscriptions.ts';

export interface PeerEvents {
  readonly heard: (method: string, params: string) => void;
  readonly closed: (why: string) => void;
}

interface OwnRequest {
  readonly resolve: (answer: Sized) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The server at the other end of a channel that everybody shares. Answers find their calls by our ids, in whatever order they come. What
 * the server asks is for the client of the one call under way; with several nobody can tell whom it means. What it logs while it works
 * on one call belongs to that call's client, and to everybody otherwise.
 */
export class ChannelPeer {
  private channel: Channel | undefined;
  private readonly calls = new Map<string, ChannelCall>();
  private readonly own = new Map<string, OwnRequest>();
  private readonly subscriptions = new Map<string, ListenEvents>();
  private readonly nobodysAsks = new Asks({ reply: (text) => this.tell(text) });
  private ids = 0;
  private closedWhy: string | undefined;

  private constructor(
    private readonly limits: Limits,
    private readonly events: PeerEvents,
  ) {}

  /** Throws {@link UpstreamUnavailable}. */
  static async open(open: OpenChannel, limits: Limits, events: PeerEvents): Promise<ChannelPeer> {
    const peer = new ChannelPeer(limits, events);
    peer.channel = await open(peer.channelEvents());
    return peer;
  }

  get isClosed(): boolean {
    return this.closedWhy !== undefined;
  }

  nextId(): string {
    return `holdfast-${++this.ids}`;
  }

  async call(call: UpstreamCall, text: string): Promise<UpstreamAnswer> {
    if (this.isClosed || this.calls.has(call.requestId)) return { kind: 'not_sent', reason: 'unreachable' };
    const { reason } = call.cancellation;
    if (reason) return { kind: 'not_sent', reason };
    const running = new ChannelCall(call, this.limits, {
      send: (message) => this.send(message),
      heard: this.events.heard,
      settled: () => this.calls.delete(call.requestId),
    });
    this.calls.set(call.requestId, running);
    void running.send(text);
    return running.done;
  }

  /** A request of our own. Throws {@link UpstreamUnavailable}, and {@link AnsweredWithError} for an error that the server answered with. */
  request(method: string, params: JsonObject, timeoutMs: number): Promise<Sized> {
    const id = this.nextId();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.own.delete(id);
        reject(new UpstreamUnavailable(`the server did not answer ${method} in time`));
      }, timeoutMs);
      const settle = (): void => {
        clearTimeout(timer);
        this.own.delete(id);
      };
      const request: OwnRequest = {
        resolve: (answer) => (settle(), resolve(answer)),
        reject: (error) => (settle(), reject(error)),
      };
      this.own.set(id, request);
      void this.sendOwn(request, requestText(id, method, JSON.stringify(params)));
    });
  }

  tell(text: string): void {
    void this.send(text);
  }

  /** Opens a subscription of the 2026 era; gives back how to end it. */
  subscribe(id: string, params: JsonObject, events: ListenEvents): () => void {
    this.subscriptions.set(id, events);
    const over = (): void => {
      if (this.subscriptions.delete(id)) events.ended();
    };
    this.own.set(id, { resolve: over, reject: over });
    void this.sendOwn({ resolve: over, reject: over }, requestText(id, 'subscriptions/listen', JSON.stringify(params)));
    return () => {
      this.own.delete(id);
      if (this.subscriptions.delete(id)) this.tell(cancelledText(id, 'not needed any more'));
    };
  }

  async close(): Promise<void> {
    await this.channel?.close();
  }

  private async send(text: string): Promise<Sent> {
    return this.channel && !this.isClosed ? this.channel.send(text) : { kind: 'not_sent' };
  }

  private async sendOwn(request: OwnRequest, text: string): Promise<void> {
    const sent = await this.send(text);
    if (sent.kind === 'rejected') request.reject(new AnsweredWithError(0, sent.status, `the server turned a request away (HTTP ${sent.status})`));
    else if (sent.kind !== 'sent') request.reject(new UpstreamUnavailable(this.unavailable()));
  }

  private unavailable(): string {
    return this.closedWhy === undefined ? 'the server cannot be reached' : `the server is gone (${this.closedWhy})`;
  }

  private channelEvents(): ChannelEvents {
    return {
      message: (text) => {
        try {
          this.message(text);
        } catch {
          // What one message does to those who hear it is no reason to lose the others.
        }
      },
      tooLarge: (id) => {
        if (id !== undefined) this.calls.get(id)?.settle({ kind: 'too_large', cut: true });
      },
      closed: (why) => {
        if (this.closedWhy !== undefined) return;
        this.closedWhy = why;
        for (const running of this.calls.values()) running.settle({ kind: 'lost', reason: 'broken' });
        for (const request of this.own.values()) request.reject(new UpstreamUnavailable(this.unavailable()));
        this.nobodysAsks.end();
        this.events.closed(why);
      },
    };
  }

  private message(text: string): void {
    const message = parse(text);
    // Programs write all sorts of things; what is no message is nobody's.
    if (!isObject(message)) return;
    const { id, method, params } = message;
    if (typeof method !== 'string') {
      if (isAnswer(message) && typeof id === 'string') this.answered(id, text, message);
    } else if (id === undefined) this.notified(method, params, text, message);
    else if (typeof id === 'string' || typeof id === 'number') this.asked(id, method, text);
  }

  private answered(id: string, text: string, message: JsonObject): void {
    const running = this.calls.get(id);
    if (running) return running.answered(text, message);
    const { result, error } = message;
    const request = this.own.get(id);
    if (isObject(result)) request?.resolve({ result, characters: text.length });
    else request?.reject(new AnsweredWithError(isRpcError(error) ? ((error as JsonObject)['code'] as number) : 0, undefined, 'the server answered with an error'));
  }

  private notified(method: string, params: unknown, text: string, message: JsonObject): void {
    if (method === 'notifications/progress') {
      const token = isObject(params) ? params['progressToken'] : undefined;
      const running = typeof token === 'string' ? this.calls.get(token) : undefined;
      running?.begun();
      return running?.dialogue.notified(method, params, text);
    }
    if (method === 'notifications/cancelled') {
      for (const { dialogue } of this.calls.values()) dialogue.notified(method, params, text);
      return;
    }
    const meta = isObject(params) ? params['_meta'] : undefined;
    const subscription = isObject(meta) ? meta[SUBSCRIPTION_ID] : undefined;
    if (typeof subscription === 'string') return this.subscriptions.get(subscription)?.message(text, message);
    const clients = method === 'notifications/message' ? [...this.calls.values()].filter(({ call }) => call.client) : [];
    const [one] = clients;
    // It may hold what a call was about: with several clients nobody can tell whose, so nobody gets it.
    if (one) return clients.every(({ call }) => isSameClient(call, one.call)) ? one.dialogue.notified(method, params, text) : undefined;
    this.events.heard(method, paramsText(text));
  }

  private asked(id: string | number, method: string, text: string): void {
    if (method === 'ping') return this.nobodysAsks.take(id, method, '{}', undefined);
    let meant: ChannelCall | undefined;
    let several = false;
    for (const running of this.calls.values()) {
      // Also one whose client cannot be asked may be meant; only what we ask for ourselves is nobody's.
      if (!running.call.client) continue;
      several = meant !== undefined;
      if (several) break;
      meant = running;
    }
    if (meant?.call.client?.ask && !several) return meant.dialogue.asked(id, method, text);
    const why = several
      ? 'Several clients are being served; it cannot be told which one is asked.'
      : 'No client that can be asked is being served.';
    this.nobodysAsks.take(id, method, paramsText(text), undefined, why);
  }
}

function isSameClient(one: UpstreamCall, other: UpstreamCall): boolean {
  const conversation = one.client?.conversation;
  return one === other || (conversation !== undefined && conversation === other.client?.conversation);
}

export const INITIALIZED = notificationText('notifications/initialized');
