import { isObject, type JsonObject, memberText, type UpstreamAnswer, type UpstreamDescription, withMember, withoutMember } from '#libs/broker/core';
import { announcedChanges, NOTHING } from './connection.ts';
import { METHOD_NOT_FOUND, paramsText } from './rpc.ts';

export interface ListenEvents {
  /** A message that belongs to the subscription, its text and itself. */
  readonly message: (text: string, message: JsonObject) => void;
  /** No message comes any more, for whatever reason; not after it was closed from here. */
  readonly ended: () => void;
}

export interface SubscriptionEvents {
  /** Sends `subscriptions/listen` with these params; gives back how to end it. */
  readonly open: (id: string, params: JsonObject, events: ListenEvents) => () => void;
  readonly nextId: () => string;
  readonly heard: (method: string, params: string) => void;
  /** It works again after it was interrupted; something may have been missed. */
  readonly mended: () => void;
}

interface Opened {
  readonly honored: JsonObject;
  readonly close: () => void;
}

const ACKNOWLEDGED_MS = 10_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';
const NOT_OFFERED: UpstreamAnswer = {
  kind: 'error',
  text: JSON.stringify({ code: METHOD_NOT_FOUND, message: 'The server does not tell updates of this resource.' }),
};
const UNREACHABLE: UpstreamAnswer = { kind: 'not_sent', reason: 'unreachable' };

/**
 * What a server of the 2026 era is asked to tell: one subscription for all that it announces and all that is watched. What is asked for
 * cannot be changed, so a change opens another subscription before the former one is ended.
 */
export class Subscriptions {
  private current: Opened | undefined;
  private queue: Promise<unknown> = Promise.resolve();
  private queued: Promise<Opened | undefined> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private failures = 0;
  private interrupted = false;
  private stopped = false;

  constructor(
    private readonly description: UpstreamDescription,
    /** Owned by the connection: what is watched outlives a subscription. */
    private readonly watched: Set<string>,
    private readonly events: SubscriptionEvents,
  ) {}

  start(): void {
    void this.renew();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.retry);
    this.current?.close();
    this.current = undefined;
  }

  /** The resource is in `watched` already; it is taken out again when the server does not tell its updates. */
  async watch(uri: string): Promise<UpstreamAnswer> {
    const resources = this.description.capabilities['resources'];
    if (!isObject(resources) || resources['subscribe'] !== true) {
      this.watched.delete(uri);
      return NOT_OFFERED;
    }
    const opened = await this.renew();
    const told = opened?.honored['resourceSubscriptions'];
    if (Array.isArray(told) && told.includes(uri)) return NOTHING;
    if (opened) this.watched.delete(uri);
    return opened ? NOT_OFFERED : UNREACHABLE;
  }

  async unwatch(): Promise<UpstreamAnswer> {
    await this.renew();
    return NOTHING;
  }

  /** Brings the subscription in line with what is wanted. Those who ask meanwhile share the next one. */
  private renew(): Promise<Opened | undefined> {
    this.queued ??= this.queue.then(() => {
      this.queued = undefined;
      return this.replace();
    }).catch(() => undefined);
    this.queue = this.queued;
    return this.queued;
  }

  private async replace(): Promise<Opened | undefined> {
    if (this.stopped) return undefined;
    clearTimeout(this.retry);
    const filter = this.filter();
    const opened = Object.keys(filter).length === 0 ? { honored: {}, close: () => undefined } : await this.open(filter);
    if (!opened) {
      if (!this.current) this.later();
      return undefined;
    }
    this.current?.close();
    this.current = opened;
    if (this.stopped) opened.close();
    this.failures = 0;
    if (this.interrupted) this.events.mended();
    this.interrupted = false;
    return opened;
  }

  private filter(): JsonObject {
    const changes = announcedChanges(this.description).map((kind) => [`${kind}ListChanged`, true]);
    return { ...Object.fromEntries(changes), ...(this.watched.size === 0 ? {} : { resourceSubscriptions: [...this.watched] }) };
  }

  private open(notifications: JsonObject): Promise<Opened | undefined> {
    return new Promise((resolve) => {
      let opened: Opened | undefined;
      const timer = setTimeout(() => {
        close();
        resolve(undefined);
      }, ACKNOWLEDGED_MS);
      const close = this.events.open(this.events.nextId(), { notifications }, {
        message: (text, message) => {
          const { method, params } = message;
          if (typeof method !== 'string') return;
          if (method !== 'notifications/subscriptions/acknowledged') return this.heard(method, text);
          if (opened) return;
          clearTimeout(timer);
          const honored = isObject(params) ? params['notifications'] : undefined;
          opened = { honored: isObject(honored) ? honored : {}, close };
          resolve(opened);
        },
        ended: () => {
          clearTimeout(timer);
          resolve(undefined);
          if (!opened || this.current !== opened) return;
          this.current = undefined;
          this.later();
        },
      });
    });
  }

  private heard(method: string, text: string): void {
    if (method.startsWith('notifications/')) this.events.heard(method, withoutSubscriptionId(paramsText(text)));
  }

  /** The subscription is gone; it is opened again after a pause. */
  private later(): void {
    if (this.stopped) return;
    this.interrupted = true;
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.failures++, 10));
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.renew(), wait);
    this.retry.unref();
  }
}

/** The id is between us and the server. */
function withoutSubscriptionId(params: string): string {
  const meta = memberText(params, '_meta');
  if (!meta?.startsWith('{')) return params;
  const rest = withoutMember(meta, SUBSCRIPTION_ID);
  if (rest === meta) return params;
  const bare = withoutMember(params, '_meta');
  return rest === '{}' ? bare : withMember(bare, '_meta', rest);
}
