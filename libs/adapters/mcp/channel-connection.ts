import {
  type Definition,
  type JsonObject,
  type ListKind,
  type UpstreamAnswer,
  type UpstreamCall,
  type UpstreamDescription,
  type UpstreamServer,
  UpstreamUnavailable,
} from '#libs/broker/core';
import { Breaker } from './breaker.ts';
import { CallText, ownCall } from './call-text.ts';
import type { OpenChannel } from './channel.ts';
import { ChannelPeer, INITIALIZED } from './channel-peer.ts';
import { type ConnectionOptions, type Listening, tellChanged, type UpstreamConnection } from './connection.ts';
import { envelope, initializeParams, readDiscovered, readInitialized } from './handshake.ts';
import { AnsweredWithError, allPages, LIST_TIMEOUT_MS } from './lists.ts';
import { Slots } from './slots.ts';
import { Subscriptions } from './subscriptions.ts';
import { UnderWay } from './under-way.ts';
import { Watches } from './watches.ts';

interface Link {
  readonly peer: ChannelPeer;
  readonly description: UpstreamDescription;
  readonly subscriptions: Subscriptions | undefined;
  readonly sinceMs: number;
}

/** Which eras are tried: a server that is known to be of the older one is not asked. */
export type Eras = 'both' | 'legacy';

/** Calls that wait for their turn, for each one that is under way. */
const WAITING_PER_CALL = 4;
/** How long the question for the era is waited for before the older era is tried beside it. */
const PROBE_MS = 3_000;
/** A server may have to be fetched before it starts. */
const START_MS = 30_000;
/** The first restart is at once. */
const FORGIVEN = 1;
/** A server that was there this long is a good one. */
const GOOD_MS = 10_000;
/** Restarts that nobody asked for, in a row; after that a call has to ask. */
const MAX_EAGER = 6;
const CAPABILITIES: JsonObject = { elicitation: {}, sampling: {}, roots: {} };

/**
 * One server that everybody shares through one channel. It is started with the first use, and again when it is gone: at once, then after
 * growing, bounded pauses. What was under way is lost then, and nothing is sent twice.
 */
export class ChannelConnection implements UpstreamConnection {
  private readonly breaker = new Breaker({ forgiven: FORGIVEN, nowMs: () => performance.now() });
  private readonly slots: Slots;
  private readonly texts: CallText;
  private readonly watches: Watches;
  private link: Promise<Link> | undefined;
  private linkedBefore = false;
  /** The server does not bear to be asked for its era. */
  private eras: Eras;
  private eager = 0;
  private again: NodeJS.Timeout | undefined;
  private closing = false;
  private readonly underWay = new UnderWay();
  /** The last one that was started; it may not have answered yet. */
  private peer: ChannelPeer | undefined;

  constructor(
    private readonly server: UpstreamServer,
    private readonly open: OpenChannel,
    eras: Eras,
    private readonly options: ConnectionOptions,
    private readonly listening: Listening,
  ) {
    const { concurrency } = server.limits;
    this.eras = eras;
    this.slots = new Slots(concurrency, concurrency * WAITING_PER_CALL);
    this.texts = new CallText(options.clientInfo);
    this.watches = new Watches({ link: () => this.connected(), request: (method, params) => this.own(method, params) });
  }

  async call(call: UpstreamCall): Promise<UpstreamAnswer> {
    this.underWay.begin();
    try {
      const reason = await this.slots.enter(call.timeoutMs, call.cancellation);
      if (reason) return { kind: 'not_sent', reason };
      try {
        const link = await this.connected().catch(() => undefined);
        if (!link) return { kind: 'not_sent', reason: 'unreachable' };
        return await link.peer.call(call, this.texts.of(link.description.era, call));
      } finally {
        this.slots.leave();
      }
    } finally {
      this.underWay.end();
    }
  }

  async describe(): Promise<UpstreamDescription> {
    return (await this.connected()).description;
  }

  async list(kind: ListKind): Promise<readonly Definition[]> {
    const { peer, description } = await this.connected();
    const meta = description.era === 'modern' ? { _meta: envelope(this.options.clientInfo) } : {};
    return allPages(kind, description, (method, params) => peer.request(method, { ...params, ...meta }, LIST_TIMEOUT_MS));
  }

  watch(uri: string): Promise<UpstreamAnswer> {
    return this.watches.watch(uri);
  }

  unwatch(uri: string): Promise<UpstreamAnswer> {
    return this.watches.unwatch(uri);
  }

  /** There is one session, and it is everybody's. */
  endConversation(): void {}

  async close(graceMs: number): Promise<void> {
    this.closing = true;
    clearTimeout(this.again);
    await this.underWay.none(graceMs);
    const { link } = this;
    this.link = undefined;
    link?.then(
      ({ subscriptions }) => subscriptions?.stop(),
      () => undefined,
    );
    await this.peer?.close();
  }

  private connected(): Promise<Link> {
    if (this.link) return this.link;
    if (this.closing) return Promise.reject(new UpstreamUnavailable('the server is not served any more'));
    if (this.breaker.pauseMs > 0) return Promise.reject(new UpstreamUnavailable('the server was gone a moment ago'));
    clearTimeout(this.again);
    const link = this.start();
    this.link = link;
    link.then(
      (made) => this.made(made),
      () => {
        if (this.link !== link) return;
        this.link = undefined;
        this.breaker.failed();
        if (this.linkedBefore) this.lookAgain();
      },
    );
    return link;
  }

  private made(link: Link): void {
    link.subscriptions?.start();
    if (!link.subscriptions) void this.watches.again();
    if (this.linkedBefore) tellChanged(this.listening, this.server, link.description);
    this.linkedBefore = true;
  }

  private lookAgain(): void {
    if (this.closing || this.eager >= MAX_EAGER) return;
    this.eager++;
    this.connectAfterPause();
  }

  private connectAfterPause(): void {
    clearTimeout(this.again);
    const wait = this.breaker.pauseMs;
    this.again = setTimeout(() => {
      // Timers come a little early.
      if (this.breaker.pauseMs > 0) this.connectAfterPause();
      else this.connected().catch(() => undefined);
    }, Math.ceil(wait));
  }

  private gone(peer: ChannelPeer): void {
    const used = this.link;
    used?.then(
      (link) => {
        if (link.peer !== peer || this.link !== used) return;
        this.link = undefined;
        link.subscriptions?.stop();
        if (performance.now() - link.sinceMs > GOOD_MS) {
          this.breaker.succeeded();
          this.eager = 0;
        }
        this.breaker.failed();
        this.lookAgain();
      },
      () => undefined,
    );
  }

  private async start(): Promise<Link> {
    const peer: { current?: ChannelPeer } = {};
    const opened = await ChannelPeer.open(this.open, this.server.limits, {
      heard: (method, params) => this.listening()?.notified(this.server, undefined, method, params),
      closed: () => (peer.current ? this.gone(peer.current) : undefined),
    });
    this.peer = peer.current = opened;
    try {
      if (this.closing) throw new UpstreamUnavailable('the server is not served any more');
      const description = await this.negotiate(opened);
      const subscriptions = description.era === 'modern' ? this.subscriptions(opened, description) : undefined;
      return { peer: opened, description, subscriptions, sinceMs: performance.now() };
    } catch (error) {
      const died = opened.isClosed;
      await opened.close();
      // Some servers end when the first thing they are asked is not what they expect. The next one is asked just that.
      if (!died || this.eras === 'legacy' || this.closing) throw error;
      this.eras = 'legacy';
      return this.start();
    }
  }

  /** Asks for the era; a server that says nothing to that is spoken to in the older one meanwhile, and its first answer counts. */
  private async negotiate(peer: ChannelPeer): Promise<UpstreamDescription> {
    if (this.eras === 'legacy') return this.initialize(peer);
    const discovering = this.discover(peer);
    let timer: NodeJS.Timeout | undefined;
    const silent = new Promise<'silent'>((resolve) => {
      timer = setTimeout(resolve, PROBE_MS, 'silent');
    });
    const first = await Promise.race([discovering, silent]);
    clearTimeout(timer);
    if (first === undefined) return this.initialize(peer);
    if (first !== 'silent') return first;
    const initializing = this.initialize(peer);
    initializing.catch(() => undefined);
    const discoveredAtLast = discovering.then((description) => description ?? initializing);
    return Promise.race([initializing, discoveredAtLast]);
  }

  /** Undefined when the server says that it is of the older era. */
  private async discover(peer: ChannelPeer): Promise<UpstreamDescription | undefined> {
    try {
      return readDiscovered((await peer.request('server/discover', { _meta: envelope(this.options.clientInfo) }, START_MS)).result);
    } catch (error) {
      if (error instanceof AnsweredWithError) return undefined;
      throw error;
    }
  }

  private async initialize(peer: ChannelPeer): Promise<UpstreamDescription> {
    const description = readInitialized((await peer.request('initialize', initializeParams(this.options.clientInfo, CAPABILITIES), START_MS)).result);
    if (!description) throw new UpstreamUnavailable('the server did not answer initialize');
    peer.tell(INITIALIZED);
    return description;
  }

  private subscriptions(peer: ChannelPeer, description: UpstreamDescription): Subscriptions {
    return new Subscriptions(description, this.watches.uris, {
      nextId: () => peer.nextId(),
      open: (id, params, events) => peer.subscribe(id, { ...params, _meta: envelope(this.options.clientInfo) }, events),
      heard: (method, params) => this.listening()?.notified(this.server, undefined, method, params),
      mended: () => tellChanged(this.listening, this.server, description),
    });
  }

  private async own(method: string, params: string): Promise<UpstreamAnswer> {
    const link = await this.connected().catch(() => undefined);
    if (!link) return { kind: 'not_sent', reason: 'unreachable' };
    return this.call(ownCall(link.peer.nextId(), method, params));
  }
}
