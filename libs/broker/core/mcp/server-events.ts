import type { Cancellation } from '../call/cancellation.ts';
import type { Directory, Topic } from '../registry/directory.ts';
import type { PeerAnswer, PeerRequest, UpstreamAnswer, UpstreamListener, UpstreamServer, Upstreams } from '../upstream/upstreams.ts';
import type { LiveSessions } from './live-sessions.ts';
import { memberText } from './json-text.ts';
import { loudEnough } from './protocol.ts';

/** A change that clients can ask to hear of. */
export type Change = 'tools' | 'prompts' | 'resources';

const CHANGES: Readonly<Record<string, { readonly change: Change; readonly topics: readonly Topic[] }>> = {
  'notifications/tools/list_changed': { change: 'tools', topics: ['tools'] },
  'notifications/prompts/list_changed': { change: 'prompts', topics: ['prompts'] },
  'notifications/resources/list_changed': { change: 'resources', topics: ['resources', 'resourceTemplates'] },
};

const MAX_URI_CHARS = 8_000;
const MAX_WATCHED_BY_ONE = 1_000;

/** Somebody who hears what servers say on their own. */
export interface Subscriber {
  /** Whether this server, and this resource of it, is one of those the client may reach, under the configuration in force. */
  reaches(server: UpstreamServer, uri?: string): boolean;
  readonly changes: ReadonlySet<Change>;
  /** The session that log messages go to; undefined: none are wanted. */
  readonly session: string | undefined;
  deliver(method: string, params: string): void;
}

/** How long changes are collected before they are told. */
const TOGETHER_MS = 50;

/** One client's interest in one resource of one server. */
interface Watch {
  readonly server: UpstreamServer;
  readonly uri: string;
  readonly watchers: Set<Subscriber>;
  /** What the server said to it. */
  readonly answer: Promise<UpstreamAnswer>;
}

/**
 * What servers say outside of requests, brought to those who want to hear it. A resource is watched at its server once, however many
 * clients watch it here.
 */
export class ServerEvents implements UpstreamListener {
  /** Everybody who hears, with the keys of what they watch. */
  private readonly subscribers = new Map<Subscriber, Set<string>>();
  private readonly watches = new Map<string, Watch>();
  /** Changes that will be told in a moment, with their params. */
  private readonly changed = new Map<string, string>();

  constructor(
    private readonly directory: Directory,
    private readonly upstreams: Pick<Upstreams, 'watch' | 'unwatch'>,
    private readonly live: LiveSessions,
    private readonly newId: () => string,
    private readonly timer: (ms: number, callback: () => void) => () => void,
  ) {}

  /** Returns how to stop. */
  subscribe(subscriber: Subscriber): () => void {
    const own = new Set<string>();
    this.subscribers.set(subscriber, own);
    return () => {
      this.subscribers.delete(subscriber);
      for (const key of own) {
        const watch = this.watches.get(key);
        if (watch) this.leave(key, watch, subscriber);
      }
    };
  }

  /** What the server says to the first watcher is what everybody hears; undefined when the resource is watched. */
  async watch(server: UpstreamServer, uri: string, subscriber: Subscriber): Promise<string | undefined> {
    const own = this.subscribers.get(subscriber);
    // Who asked for it may be gone by now.
    if (!own) return JSON.stringify({ code: -32600, message: 'Nobody listens any more.' });
    if (uri.length > MAX_URI_CHARS) return JSON.stringify({ code: -32602, message: `The URI has more than ${MAX_URI_CHARS} characters.` });
    if (own.size >= MAX_WATCHED_BY_ONE) return JSON.stringify({ code: -32602, message: `More than ${MAX_WATCHED_BY_ONE} resources are watched.` });
    const key = `${server.key} ${uri}`;
    const watch: Watch = this.watches.get(key) ?? { server, uri, watchers: new Set(), answer: this.upstreams.watch(server, uri) };
    this.watches.set(key, watch);
    watch.watchers.add(subscriber);
    own.add(key);
    const answer = await watch.answer;
    if (answer.kind === 'result') return undefined;
    this.leave(key, watch, subscriber, false);
    return answer.kind === 'error' ? answer.text : JSON.stringify({ code: -32014, message: 'The upstream server could not be reached.' });
  }

  unwatch(server: UpstreamServer, uri: string, subscriber: Subscriber): void {
    const key = `${server.key} ${uri}`;
    const watch = this.watches.get(key);
    if (watch) this.leave(key, watch, subscriber);
  }

  notified(server: UpstreamServer, conversation: string | undefined, method: string, params: string): void {
    const changed = Object.hasOwn(CHANGES, method) ? CHANGES[method] : undefined;
    if (changed) {
      for (const topic of changed.topics) this.directory.outdated(server, topic);
      this.tellSoon(server, changed.change, method, params);
      return;
    }
    if (method === 'notifications/resources/updated') {
      const uri: unknown = parsed(memberText(params, 'uri'));
      const watch = typeof uri === 'string' ? this.watches.get(`${server.key} ${uri}`) : undefined;
      for (const subscriber of watch?.watchers ?? []) if (subscriber.reaches(server, watch!.uri)) subscriber.deliver(method, params);
      return;
    }
    for (const subscriber of this.subscribers.keys()) {
      if (subscriber.session === undefined || (conversation !== undefined && subscriber.session !== conversation)) continue;
      if (!subscriber.reaches(server)) continue;
      if (method === 'notifications/message' && !this.wants(subscriber.session, params)) continue;
      subscriber.deliver(method, params);
    }
  }

  async asked(
    _server: UpstreamServer,
    conversation: string | undefined,
    request: PeerRequest,
    cancellation: Cancellation,
  ): Promise<PeerAnswer> {
    const live = conversation === undefined ? undefined : this.live.find(conversation);
    if (!live) return { error: JSON.stringify({ code: -32601, message: 'Holdfast: there is no client that could be asked' }) };
    return live.askAside(this.newId(), request, cancellation);
  }

  /** A configuration came into force: anything may have changed for anybody. What is watched at a server is, too, when it is reached otherwise now. */
  configurationChanged(serverNow: (server: UpstreamServer) => UpstreamServer | undefined): void {
    for (const [key, { server, uri, watchers }] of this.watches) {
      const now = serverNow(server);
      if (now?.key === server.key) continue;
      this.watches.delete(key);
      for (const watcher of watchers) this.subscribers.get(watcher)?.delete(key);
      if (now) for (const watcher of watchers) void this.watch(now, uri, watcher).catch(() => undefined);
    }
    for (const subscriber of this.subscribers.keys()) {
      for (const [method, { change }] of Object.entries(CHANGES)) if (subscriber.changes.has(change)) subscriber.deliver(method, '{}');
    }
  }

  /** A server tells each of its sessions of a change, and there may be one for each client: what comes together is told once. */
  private tellSoon(server: UpstreamServer, change: Change, method: string, params: string): void {
    const key = `${server.key} ${method}`;
    const waiting = this.changed.has(key);
    this.changed.set(key, params);
    if (waiting) return;
    this.timer(TOGETHER_MS, () => {
      const latest = this.changed.get(key) ?? params;
      this.changed.delete(key);
      for (const subscriber of this.subscribers.keys()) {
        if (subscriber.changes.has(change) && subscriber.reaches(server)) subscriber.deliver(method, latest);
      }
    });
  }

  private wants(session: string, params: string): boolean {
    const level = this.live.find(session)?.logLevel;
    return level === undefined || loudEnough(parsed(memberText(params, 'level')), level);
  }

  private leave(key: string, watch: Watch, subscriber: Subscriber, tell = true): void {
    this.subscribers.get(subscriber)?.delete(key);
    if (!watch.watchers.delete(subscriber) || watch.watchers.size > 0) return;
    if (this.watches.get(key) === watch) this.watches.delete(key);
    if (tell) void this.upstreams.unwatch(watch.server, watch.uri);
  }
}

function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}
