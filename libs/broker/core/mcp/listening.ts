import { Refusal } from '#libs/contracts';
import type { Principal } from '#libs/ports';
import { DESCRIPTION_AGE_MS, type Directory } from '../registry/directory.ts';
import { serversOf, type View, type Visible } from '../registry/visible.ts';
import type { UpstreamServer } from '../upstream/upstreams.ts';
import { ALL_CAPABILITIES, has } from './capabilities.ts';
import { held, notification } from './channel.ts';
import type { Exchange, RpcRequest } from './exchange.ts';
import { memberText, withMembers } from './json-text.ts';
import type { LiveSession, LiveSessions } from './live-sessions.ts';
import { isObject, type JsonObject, META_SUBSCRIPTION_ID } from './protocol.ts';
import { empty, errorReply, type McpReply, resultReply, upstreamErrorReply } from './reply.ts';
import type { Change, ServerEvents, Subscriber } from './server-events.ts';
import type { SessionWords } from './session-words.ts';
import type { Session } from './sessions.ts';

export interface ListeningDependencies {
  readonly visible: Visible;
  readonly directory: Directory;
  readonly events: ServerEvents;
  readonly live: LiveSessions;
  readonly words: SessionWords;
  /** The view of a caller under the configuration in force now; undefined when the caller has none any more. */
  readonly viewNow: (principal: Principal, endpoint: string) => View | undefined;
  /** Members that name the server in answers of the modern era. */
  readonly identity: (view: View) => JsonObject;
  /** Calls back after a while; the returned function cancels. */
  readonly timer: (ms: number, callback: () => void) => () => void;
}

const MAX_STREAMS = 10_000;
const MAX_STREAMS_OF_ONE = 100;
const MAX_URIS = 1_000;
/** How long a stream may outlive the credential that opened it, when that runs out by itself. */
const REVIEW_MS = 15_000;
/** What may arrive before the client was told what it will hear. */
const MAX_EARLY = 100;

/** Streams on which clients hear what no request of theirs is waiting for. */
export class Listening {
  private readonly streams = new Map<() => void, Principal>();
  private readonly subscribed = new WeakMap<LiveSession, { readonly subscriber: Subscriber; by: Principal }>();

  private stands: (principal: Principal) => boolean = () => true;
  /** How often it was said anew who stands. */
  private reviews = 0;
  private stopReviewing: (() => void) | undefined;
  private closed = false;

  constructor(private readonly deps: ListeningDependencies) {}

  /** `GET` in a session: open until the client, the session or the broker ends it. */
  async session(session: Session, { request, view }: Exchange): Promise<McpReply> {
    const { channel, principal } = request;
    if (!channel.streams) return errorReply(new Refusal('not_acceptable'), null);
    if (this.closed) return errorReply(new Refusal('stopping'), null);
    if (this.crowded(principal)) return errorReply(new Refusal('overloaded'), null);
    const live = this.deps.live.of(session);
    this.subscriber(session, live, view, principal);
    channel.open();
    await this.hold(principal, this.reviews, (onEnd) =>
      held(channel, (end) => {
        live.attach(channel, end);
        onEnd(end);
      }),
    );
    live.detach(channel);
    return empty(200);
  }

  /** `subscriptions/listen`: the modern era's stream, which says itself what it carries. */
  async listen({ id, params }: RpcRequest, { request, view }: Exchange): Promise<McpReply> {
    const { channel, principal } = request;
    const wanted = params['notifications'];
    const uris = isObject(wanted) ? (wanted['resourceSubscriptions'] ?? []) : undefined;
    if (!isObject(wanted) || !Array.isArray(uris) || uris.length > MAX_URIS || !uris.every((uri) => typeof uri === 'string'))
      return errorReply(new Refusal('invalid_params', 'params.notifications must say what to listen to'), id);
    if (!channel.streams) return errorReply(new Refusal('not_acceptable'), id);
    if (this.closed) return errorReply(new Refusal('stopping'), id);
    if (this.crowded(principal)) return errorReply(new Refusal('overloaded'), id);
    const since = this.reviews;
    const honored = this.honored(wanted, uris, await this.capabilities(view));
    const stamp = (own: string): string => {
      const meta = memberText(own, '_meta');
      const stamped = withMembers(meta ?? '{}', { [META_SUBSCRIPTION_ID]: JSON.stringify(id) });
      return withMembers(own, { _meta: stamped });
    };
    const early: string[] = [];
    let begun = false;
    const subscriber: Subscriber = {
      changes: new Set(CHANGES.filter((change) => honored[`${change}ListChanged`] === true)),
      session: undefined,
      reaches: (server, uri) => this.reaches(principal, view.endpoint.path, server, uri),
      deliver: (method, own) => {
        const message = notification(method, stamp(own));
        if (begun) channel.send(message);
        else if (early.length < MAX_EARLY) early.push(message);
      },
    };
    const leave = this.deps.events.subscribe(subscriber);
    try {
      const asked = 'resourceSubscriptions' in honored ? uris : [];
      const problems = await Promise.all(asked.map((uri) => this.watch(view, uri, subscriber)));
      const heard = asked.filter((_, i) => problems[i] === undefined);
      const { resourceSubscriptions: _, ...changes } = honored;
      const told = { ...changes, ...(heard.length === 0 ? {} : { resourceSubscriptions: heard }) };
      channel.send(notification('notifications/subscriptions/acknowledged', stamp(JSON.stringify({ notifications: told }))));
      begun = true;
      for (const message of early.splice(0)) channel.send(message);
      if (Object.keys(told).length > 0) await this.hold(principal, since, (onEnd) => held(channel, onEnd));
    } finally {
      leave();
    }
    const { _meta, ...identity } = this.deps.identity(view);
    const meta = { ...(_meta as object | undefined), [META_SUBSCRIPTION_ID]: id };
    return resultReply(id, JSON.stringify({ resultType: 'complete', ...identity, _meta: meta }));
  }

  /** `resources/subscribe` and `resources/unsubscribe` of the legacy era. */
  async subscription({ id, method, params }: RpcRequest, session: Session, { request, view }: Exchange): Promise<McpReply> {
    const { uri } = params;
    if (typeof uri !== 'string') return errorReply(new Refusal('invalid_params', 'params.uri must be a string'), id, true);
    const subscriber = this.subscriber(session, this.deps.live.of(session), view, request.principal);
    if (method === 'resources/subscribe') {
      const problem = await this.watch(view, uri, subscriber);
      return problem === undefined ? resultReply(id, '{}') : upstreamErrorReply(id, problem);
    }
    const resolution = await this.deps.visible.resource(view, uri);
    if (resolution.kind === 'offer') this.deps.events.unwatch(resolution.offer.registered.upstream, uri, subscriber);
    return resultReply(id, '{}');
  }

  /** Ends the streams of callers whose credentials do not stand any more, now and again while there are any. */
  review(stands: (principal: Principal) => boolean): void {
    this.stands = stands;
    this.reviews++;
    this.endFallen();
  }

  /** The broker stops: every stream ends in order, and none begins. */
  close(): void {
    this.closed = true;
    this.stopReviewing?.();
    for (const end of this.streams.keys()) end();
  }

  private endFallen(): void {
    for (const [end, principal] of this.streams) if (!this.stands(principal)) end();
  }

  private reviewLater(): void {
    if (this.stopReviewing) return;
    const cancel = this.deps.timer(REVIEW_MS, () => {
      this.stopReviewing = undefined;
      this.endFallen();
      if (this.streams.size > 0) this.reviewLater();
    });
    this.stopReviewing = () => {
      this.stopReviewing = undefined;
      cancel();
    };
  }

  /** `since`: the number of {@link reviews} when the caller was known to stand. */
  private async hold(principal: Principal, since: number, wait: (onEnd: (end: () => void) => void) => Promise<void>): Promise<void> {
    let registered: (() => void) | undefined;
    try {
      await wait((end) => {
        registered = end;
        this.streams.set(end, principal);
        if (this.closed || (since !== this.reviews && !this.stands(principal))) end();
        else this.reviewLater();
      });
    } finally {
      if (registered) this.streams.delete(registered);
      if (this.streams.size === 0) this.stopReviewing?.();
    }
  }

  private crowded(principal: Principal): boolean {
    if (this.streams.size >= MAX_STREAMS) return true;
    let own = 0;
    for (const other of this.streams.values()) if (other.key === principal.key && other.tenant === principal.tenant) own++;
    return own >= MAX_STREAMS_OF_ONE;
  }

  private subscriber(session: Session, live: LiveSession, view: View, principal: Principal): Subscriber {
    let known = this.subscribed.get(live);
    if (known) known.by = principal;
    else {
      const subscriber: Subscriber = {
        changes: new Set(CHANGES),
        session: session.id,
        reaches: (server, uri) => this.reaches(known!.by, view.endpoint.path, server, uri),
        deliver: (method, params) => {
          const message = notification(method, params);
          // Every broker hears of changed lists from its own connections; the rest is heard only where it was asked for.
          if (method.endsWith('/list_changed')) live.say(message);
          else this.deps.words.say(session.id, message);
        },
      };
      this.subscribed.set(live, (known = { subscriber, by: principal }));
      live.onEnd(this.deps.events.subscribe(subscriber));
    }
    return known.subscriber;
  }

  /** Undefined when the resource is watched; otherwise the error to answer, as JSON text. */
  private async watch(view: View, uri: string, subscriber: Subscriber): Promise<string | undefined> {
    const resolution = await this.deps.visible.resource(view, uri);
    if (resolution.kind !== 'offer') return JSON.stringify({ code: -32002, message: new Refusal('resource_not_found').message, data: { uri } });
    return this.deps.events.watch(resolution.offer.registered.upstream, uri, subscriber);
  }

  private reaches(principal: Principal, endpoint: string, server: UpstreamServer, uri: string | undefined): boolean {
    if (principal.tenant !== server.tenant) return false;
    const view = this.deps.viewNow(principal, endpoint);
    const registered = view && serversOf(view).find(({ upstream }) => upstream.key === server.key);
    return registered !== undefined && (uri === undefined || this.deps.visible.seesResource(view!, registered, uri));
  }

  private async capabilities({ endpoint }: View): Promise<JsonObject> {
    if (!('server' in endpoint)) return ALL_CAPABILITIES;
    await this.deps.directory.refresh(endpoint.server.upstream, 'description', DESCRIPTION_AGE_MS);
    return this.deps.directory.description(endpoint.server.upstream)?.capabilities ?? {};
  }

  private honored(wanted: JsonObject, uris: readonly string[], capabilities: JsonObject): Record<string, unknown> {
    const honored: Record<string, unknown> = {};
    for (const change of CHANGES) {
      const flag = `${change}ListChanged`;
      if (wanted[flag] === true && has(capabilities, change, 'listChanged')) honored[flag] = true;
    }
    if (uris.length > 0 && has(capabilities, 'resources', 'subscribe')) honored['resourceSubscriptions'] = uris;
    return honored;
  }
}

const CHANGES: readonly Change[] = ['tools', 'prompts', 'resources'];
