import {
  type Definition,
  isObject,
  type JsonObject,
  type ListKind,
  type UpstreamAnswer,
  type UpstreamCall,
  type UpstreamDescription,
  type UpstreamServer,
  UpstreamUnavailable,
} from '#libs/broker/core';
import { Breaker } from './breaker.ts';
import { readCallAnswer } from './call-answer.ts';
import { CallText, ownCall } from './call-text.ts';
import { announcedChanges, type ConnectionOptions, type Listening, tellChanged, type UpstreamConnection } from './connection.ts';
import { Conversations, type OwnSession } from './conversations.ts';
import type { Exchange } from './exchange.ts';
import { envelope, initializeParams, readDiscovered, readInitialized } from './handshake.ts';
import { HttpCall, unanswered } from './http-call.ts';
import { HttpEndpoint } from './http-endpoint.ts';
import { MODERN_HEADERS, modernHeaders, POST_HEADERS } from './http-headers.ts';
import { openSubscription } from './http-subscription.ts';
import { LegacySession } from './legacy-session.ts';
import { AnsweredWithError, allPages, LIST_PAGE_BYTES, LIST_TIMEOUT_MS, type Sized } from './lists.ts';
import { isRpcError, notificationText, parse } from './rpc.ts';
import { Subscriptions } from './subscriptions.ts';
import { UnderWay } from './under-way.ts';
import { Watches } from './watches.ts';

/** How the server wants to be spoken to, found out once. */
interface ModernLink {
  readonly era: 'modern';
  readonly description: UpstreamDescription;
  readonly subscriptions: Subscriptions;
}
type Link = ModernLink | LegacySession;

/** Statuses that somebody in between may give after the server has begun: a request that took too long, or that met itself. */
const IN_DOUBT: ReadonlySet<number> = new Set([408, 409, 425]);
/** Statuses of a server that refuses for now. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);
const ANSWER_HANDSHAKE_MS = 5_000;
const HANDSHAKE_BYTES = 1 << 20;
/** Calls that wait for a connection, for each one that has one. */
const WAITING_PER_CONNECTION = 4;
/** Failures to reach the server that are forgiven before it is left alone for a while. */
const FORGIVEN = 2;
const LOOK_AGAIN_MS = 1_000;
/** How long those who are gone are said goodbye to. */
const GOODBYE_MS = 1_000;

/**
 * One server over Streamable HTTP. Which era it speaks is asked first (`server/discover`), then remembered with the session of the
 * older era; both are found out again when the server no longer knows the session, cannot be reached, or does not tell its lists.
 */
export class HttpConnection implements UpstreamConnection {
  private readonly endpoint: HttpEndpoint;
  private readonly breaker = new Breaker({ forgiven: FORGIVEN, nowMs: () => performance.now() });
  private readonly texts: CallText;
  private readonly handshakeMs: number;
  private readonly conversations: Conversations;
  private readonly watches: Watches;
  private link: Promise<Link> | undefined;
  private linkedBefore = false;
  /** There was something to hear from the server when it was lost. */
  private missed = false;
  private readonly underWay = new UnderWay();
  /** The server said that it has no stream beside calls. */
  private streamless = false;
  /** The server has one session only, for everybody. */
  private sharedOnly = false;
  private again: NodeJS.Timeout | undefined;
  private closing = false;

  constructor(
    private readonly server: UpstreamServer,
    url: URL,
    private readonly options: ConnectionOptions,
    private readonly listening: Listening,
  ) {
    this.endpoint = new HttpEndpoint(server, url, options);
    this.texts = new CallText(options.clientInfo);
    this.handshakeMs = Math.max(ANSWER_HANDSHAKE_MS, server.limits.connectTimeoutMs);
    this.conversations = new Conversations({ open: (conversation, capabilities) => this.openConversation(conversation, capabilities) });
    this.watches = new Watches({ link: () => this.connected(), request: (method, params) => this.own(method, params) });
  }

  async call(call: UpstreamCall): Promise<UpstreamAnswer> {
    if (this.underWay.size >= this.server.limits.concurrency * (1 + WAITING_PER_CONNECTION)) return { kind: 'not_sent', reason: 'busy' };
    this.underWay.begin();
    try {
      return await this.send(call, true);
    } finally {
      this.underWay.end();
    }
  }

  async describe(): Promise<UpstreamDescription> {
    return (await this.connected()).description;
  }

  async list(kind: ListKind): Promise<readonly Definition[]> {
    try {
      return await this.listOnce(kind);
    } catch (error) {
      // It may only have forgotten us.
      if (error instanceof AnsweredWithError && (error.status === 404 || error.status === 400)) return this.listOnce(kind);
      throw error;
    }
  }

  watch(uri: string): Promise<UpstreamAnswer> {
    return this.watches.watch(uri);
  }

  unwatch(uri: string): Promise<UpstreamAnswer> {
    return this.watches.unwatch(uri);
  }

  endConversation(conversation: string): void {
    this.conversations.end(conversation);
  }

  async close(graceMs: number): Promise<void> {
    this.closing = true;
    clearTimeout(this.again);
    await this.underWay.none(graceMs);
    const link = await this.link?.catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const goodbye = Promise.all([this.conversations.close(), link && endLink(link)]);
    await Promise.race([
      goodbye,
      new Promise((resolve) => {
        timer = setTimeout(resolve, GOODBYE_MS);
      }),
    ]);
    clearTimeout(timer);
    await this.endpoint.close(GOODBYE_MS);
  }

  private async listOnce(kind: ListKind): Promise<readonly Definition[]> {
    const used = this.connected();
    const link = await used;
    try {
      return await allPages(kind, link.description, (method, params) => this.request(link, method, params));
    } catch (error) {
      const understood = error instanceof AnsweredWithError && error.code !== 0 && error.status === 200;
      if (!understood) this.lost(used);
      throw error;
    }
  }

  private async send(call: UpstreamCall, mayReopen: boolean): Promise<UpstreamAnswer> {
    const used = this.connected();
    let link: Link;
    let secret: readonly string[];
    try {
      [link, secret] = await Promise.all([used, this.endpoint.secret()]);
    } catch {
      return { kind: 'not_sent', reason: 'unreachable' };
    }
    const own = this.ownSession(link, call);
    if (!own) return this.sendOn(link, secret, call, mayReopen, () => this.lost(used));
    try {
      const session = await this.opened(own);
      if (session === 'unreachable') return { kind: 'not_sent', reason: session };
      if (session === 'refused') return await this.sendOn(link, secret, call, mayReopen, () => this.lost(used));
      return await this.sendOn(session, secret, call, mayReopen, () => this.conversations.forget(call.client!.conversation!, own));
    } finally {
      this.conversations.leave(own);
    }
  }

  /** A server that refuses another session has one for everybody, and serves everybody there. */
  private async opened(own: OwnSession): Promise<LegacySession | 'unreachable' | 'refused'> {
    try {
      return await own.opened;
    } catch (error) {
      if (!(error instanceof AnsweredWithError) || (error.status ?? 500) >= 500 || PASSING.has(error.status!)) return 'unreachable';
      this.sharedOnly = true;
      return 'refused';
    }
  }

  /** Servers of the older era that keep sessions keep one for each conversation. */
  private ownSession(link: Link, { client }: UpstreamCall): OwnSession | undefined {
    if (client?.conversation === undefined || link.era === 'modern' || link.id === undefined || this.sharedOnly) return undefined;
    return this.conversations.enter(client.conversation, client.capabilities);
  }

  private async sendOn(
    link: Link,
    secret: readonly string[],
    call: UpstreamCall,
    mayReopen: boolean,
    forget: () => void,
  ): Promise<UpstreamAnswer> {
    if (call.cancellation.reason) return { kind: 'not_sent', reason: call.cancellation.reason };
    const session = link.era === 'legacy' ? link : undefined;
    const heard = session
      ? (method: string, params: string): void => session.heard(method, params)
      : (method: string, params: string): void => this.listening()?.notified(this.server, undefined, method, params);
    const headers = session ? [...POST_HEADERS, ...secret, ...session.headers] : [...POST_HEADERS, ...secret, ...modernHeaders(call)];
    const continuing = session ? ['accept', 'text/event-stream', ...secret, ...session.headers] : [];
    const exchanged = await new HttpCall(this.endpoint, call, session, heard).run(headers, continuing, this.texts.of(link.era, call));
    if (exchanged.kind !== 'answered') {
      if (exchanged.kind === 'not_sent') this.unreachable(forget);
      return unanswered(exchanged);
    }
    this.breaker.succeeded();
    return this.read(exchanged, call, session, mayReopen, forget);
  }

  private async read(
    answered: Extract<Exchange, { kind: 'answered' }>,
    call: UpstreamCall,
    session: LegacySession | undefined,
    mayReopen: boolean,
    forget: () => void,
  ): Promise<UpstreamAnswer> {
    const { status, text } = answered;
    const message = answered.message ?? (answered.json ? parse(text) : undefined);
    const read = readCallAnswer(text, message, call.requestId, this.server.limits.maxResultBytes);
    if (read) return read;
    if (status < 300 || status >= 500 || IN_DOUBT.has(status)) return { kind: 'lost', reason: 'protocol' };
    if (status === 401) this.endpoint.forgetSecret();
    const sessionGone = session?.id !== undefined && (status === 404 || (status === 400 && refusesRequest(message)));
    if (!sessionGone || !mayReopen) return { kind: 'rejected', status };
    // The server does not know the session, so it cannot have looked at the call: in a new session it is sent for the first time.
    forget();
    return this.send(call, false);
  }

  private connected(): Promise<Link> {
    if (this.link) return this.link;
    if (this.closing) return Promise.reject(new UpstreamUnavailable('the server is not served any more'));
    if (this.breaker.pauseMs > 0) return Promise.reject(new UpstreamUnavailable('the server did not answer a moment ago'));
    clearTimeout(this.again);
    const link = this.handshake();
    this.link = link;
    link.then(
      (made) => this.made(made),
      () => {
        this.breaker.failed();
        this.lost(link);
      },
    );
    return link;
  }

  private made(link: Link): void {
    this.breaker.succeeded();
    this.sharedOnly = false;
    if (link.era === 'modern') link.subscriptions.start();
    else {
      if (!this.streamless) link.openStream();
      void this.watches.again();
    }
    if (this.linkedBefore) tellChanged(this.listening, this.server, link.description);
    this.linkedBefore = true;
  }

  /** A connection could not be made. When that went on for too long, the server is spoken to as if for the first time. */
  private unreachable(forget: () => void): void {
    if (!this.breaker.failed()) return;
    forget();
    if (this.link) this.lost(this.link);
  }

  /** What was found out about the server no longer holds. What it should be heard of brings it back without a call. */
  private lost(used: Promise<Link>): void {
    if (this.link !== used) return;
    this.link = undefined;
    used.then(
      (link) => {
        void endLink(link);
        this.missed = this.watches.uris.size > 0 || announcedChanges(link.description).length > 0;
        this.lookAgain();
      },
      () => this.lookAgain(),
    );
  }

  private lookAgain(): void {
    if (this.closing || !this.missed) return;
    clearTimeout(this.again);
    const wait = Math.max(LOOK_AGAIN_MS, this.breaker.pauseMs);
    this.again = setTimeout(() => {
      // Timers come a little early.
      if (this.breaker.pauseMs > 0) this.lookAgain();
      else this.connected().catch(() => undefined);
    }, Math.ceil(wait));
    this.again.unref();
  }

  private async handshake(): Promise<Link> {
    let discovered: JsonObject | undefined;
    try {
      const headers = [...MODERN_HEADERS, 'mcp-method', 'server/discover'];
      const params = { _meta: envelope(this.options.clientInfo) };
      discovered = (await this.endpoint.request(headers, 'server/discover', params, this.handshakeMs, HANDSHAKE_BYTES)).result;
    } catch (error) {
      if (!(error instanceof AnsweredWithError)) throw error;
    }
    const description = readDiscovered(discovered);
    return description ? { era: 'modern', description, subscriptions: this.subscriptions(description) } : this.openSession(undefined, {});
  }

  private openConversation(conversation: string, capabilities: JsonObject): Promise<LegacySession> {
    const opened = this.openSession(conversation, capabilities).catch((error: unknown) => {
      // What one client says of itself may be more than the server bears; that is no reason for everybody to share a session.
      if (!(error instanceof AnsweredWithError) || PASSING.has(error.status ?? 0) || Object.keys(capabilities).length === 0) throw error;
      return this.openSession(conversation, {});
    });
    opened.then((session) => (this.streamless ? undefined : session.openStream())).catch(() => undefined);
    return opened;
  }

  private async openSession(conversation: string | undefined, capabilities: JsonObject): Promise<LegacySession> {
    const params = initializeParams(this.options.clientInfo, capabilities);
    const { result, session } = await this.endpoint.request([], 'initialize', params, this.handshakeMs, HANDSHAKE_BYTES);
    const description = readInitialized(result);
    if (!description) throw new UpstreamUnavailable('the server did not answer initialize');
    const opened: LegacySession = new LegacySession(this.endpoint, session, description, conversation, this.listening, {
      gone: () => this.gone(opened),
      streamless: () => {
        this.streamless = true;
      },
    });
    if (!(await this.endpoint.tell(opened.headers, notificationText('notifications/initialized'))))
      throw new UpstreamUnavailable('the server did not accept notifications/initialized');
    return opened;
  }

  /** Found out on the session's stream, without a call: the next call opens another one. */
  private gone(session: LegacySession): void {
    if (session.conversation !== undefined) return this.conversations.gone(session.conversation, session);
    const { link } = this;
    link?.then((current) => (current === session ? this.lost(link) : undefined)).catch(() => undefined);
  }

  private async request(link: Link, method: string, params: JsonObject, timeoutMs = LIST_TIMEOUT_MS): Promise<Sized> {
    const modern = link.era === 'modern';
    const headers = modern ? [...MODERN_HEADERS, 'mcp-method', method] : link.headers;
    const all = modern ? { ...params, _meta: envelope(this.options.clientInfo) } : params;
    return this.endpoint.request(headers, method, all, timeoutMs, LIST_PAGE_BYTES);
  }

  /** A request that we make for nobody in particular, on everybody's session. */
  private async own(method: string, params: string): Promise<UpstreamAnswer> {
    return this.send(ownCall(this.endpoint.nextId(), method, params), true);
  }

  private subscriptions(description: UpstreamDescription): Subscriptions {
    return new Subscriptions(description, this.watches.uris, {
      nextId: () => this.endpoint.nextId(),
      open: (id, params, events) => openSubscription(this.endpoint, id, { ...params, _meta: envelope(this.options.clientInfo) }, events),
      heard: (method, params) => this.listening()?.notified(this.server, undefined, method, params),
      mended: () => tellChanged(this.listening, this.server, description),
    });
  }
}

async function endLink(link: Link): Promise<void> {
  if (link.era === 'modern') link.subscriptions.stop();
  else await link.close();
}

/**
 * Some servers say 400 instead of 404 for a session that they do not know, with an error that belongs to no request. Any other 400 may
 * come from somebody who did look at the call.
 */
function refusesRequest(message: unknown): boolean {
  return isObject(message) && (message['id'] === null || message['id'] === undefined) && isRpcError(message['error']);
}
