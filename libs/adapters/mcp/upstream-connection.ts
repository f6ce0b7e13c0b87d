import { Pool } from 'undici';
import {
  encodeHeader,
  isObject,
  type JsonObject,
  LEGACY_VERSIONS,
  type Definition,
  type ListKind,
  LISTS,
  memberText,
  META_CLIENT_CAPABILITIES,
  META_CLIENT_INFO,
  META_PROTOCOL_VERSION,
  META_SERVER_INFO,
  MODERN_VERSION,
  type UpstreamAnswer,
  type UpstreamCall,
  type UpstreamDescription,
  type UpstreamServer,
  UpstreamUnavailable,
  withMember,
} from '#libs/broker/core';
import { type Exchange, exchange } from './exchange.ts';

/** How the server wants to be spoken to, found out once. */
type Link = { readonly era: 'modern' } | { readonly era: 'legacy'; readonly protocol: string; readonly session: string | undefined };

/** A link, and what the server said of itself when it was made. */
type Opened = Link & { readonly description: UpstreamDescription };

export interface ConnectionOptions {
  readonly clientInfo: { readonly name: string; readonly version: string };
  /** The secret that a `secretRef` names; throws when there is none. */
  readonly resolveSecret: (secretRef: string) => string | Promise<string>;
}

/** Statuses that somebody in between may give after the server has begun: a request that took too long, or that met itself. */
const IN_DOUBT: ReadonlySet<number> = new Set([408, 409, 425]);

const CONNECT_TIMEOUT_MS = 5_000;
const HANDSHAKE_TIMEOUT_MS = 5_000;
const LIST_TIMEOUT_MS = 10_000;
const LIST_PAGE_BYTES = 16 << 20;
const HANDSHAKE_BYTES = 1 << 20;
const MAX_PAGES = 100;
const MAX_TOOLS = 10_000;
/** Calls that wait for a connection, for each one that has one. */
const WAITING_PER_CONNECTION = 4;
/** After a failed handshake the server is left alone this long; calls fail at once meanwhile. */
const RETRY_AFTER_MS = 1_000;

/**
 * One HTTP server. Which era it speaks is asked first (`server/discover`), then remembered with the session of the older era; both
 * are found out again when the server no longer knows the session, or when its tool list cannot be read.
 */
export class UpstreamConnection {
  private readonly pool: Pool;
  private readonly path: string;
  private link: Promise<Opened> | undefined;
  private failedMs = Number.NEGATIVE_INFINITY;
  private credentials: Promise<readonly string[]> | undefined;
  private calls = 0;
  private ids = 0;
  private readonly envelope: JsonObject;

  constructor(
    private readonly server: UpstreamServer,
    url: URL,
    private readonly options: ConnectionOptions,
  ) {
    this.pool = new Pool(url.origin, {
      connections: server.limits.concurrency,
      pipelining: 1,
      keepAliveTimeout: 30_000,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      maxHeaderSize: 32 * 1024,
    });
    this.path = `${url.pathname}${url.search}`;
    this.envelope = { [META_PROTOCOL_VERSION]: MODERN_VERSION, [META_CLIENT_INFO]: options.clientInfo, [META_CLIENT_CAPABILITIES]: {} };
  }

  async call(call: UpstreamCall): Promise<UpstreamAnswer> {
    if (this.calls >= this.server.limits.concurrency * (1 + WAITING_PER_CONNECTION)) return { kind: 'not_sent', reason: 'busy' };
    this.calls++;
    try {
      return await this.send(call, true);
    } finally {
      this.calls--;
    }
  }

  /** Throws {@link UpstreamUnavailable}. */
  async describe(): Promise<UpstreamDescription> {
    return (await this.connected()).description;
  }

  /** Throws {@link UpstreamUnavailable}. */
  async list(kind: ListKind): Promise<readonly Definition[]> {
    try {
      return await this.allPages(kind);
    } catch (error) {
      this.link = undefined;
      throw error instanceof UpstreamUnavailable ? error : new UpstreamUnavailable('the tool list could not be read');
    }
  }

  /** Lets calls under way end. */
  close(): void {
    this.pool.close().catch(() => undefined);
  }

  private async send(call: UpstreamCall, mayReopen: boolean): Promise<UpstreamAnswer> {
    const used = this.connected();
    let link: Link;
    let credentials: readonly string[];
    try {
      [link, credentials] = await Promise.all([used, this.secret()]);
    } catch {
      return { kind: 'not_sent', reason: 'unreachable' };
    }
    if (call.cancellation.reason) return { kind: 'not_sent', reason: call.cancellation.reason };
    const exchanged = await exchange(this.pool, {
      path: this.path,
      headers: [...COMMON_HEADERS, ...credentials, ...callHeaders(link, call)],
      body: this.callBody(link, call),
      timeoutMs: call.timeoutMs,
      maxBytes: this.server.limits.maxResultBytes + ENVELOPE_BYTES,
      isAnswer: (message) => isAnswerTo(message, call.requestId),
      cancellation: call.cancellation,
    });
    if (exchanged.kind === 'answered') return this.read(exchanged, call, used, link, mayReopen);
    if (exchanged.kind === 'not_sent') return { kind: 'not_sent', reason: 'unreachable' };
    if (exchanged.kind === 'waited') return { kind: 'not_sent', reason: 'busy' };
    if (exchanged.kind === 'too_large') return exchanged.answering ? { kind: 'too_large' } : { kind: 'lost', reason: 'protocol' };
    return exchanged;
  }

  private async read(
    answered: Extract<Exchange, { kind: 'answered' }>,
    call: UpstreamCall,
    used: Promise<Link>,
    link: Link,
    mayReopen: boolean,
  ): Promise<UpstreamAnswer> {
    const { status, text } = answered;
    const message = answered.json ? parse(text) : undefined;
    if (isObject(message) && message['id'] === call.requestId) {
      if (isObject(message['result'])) return this.sized(memberText(text, 'result')!, message['result']['isError'] === true);
      if (isRpcError(message['error'])) return { kind: 'error', text: memberText(text, 'error')! };
    }
    if (status < 300 || status >= 500 || IN_DOUBT.has(status)) return { kind: 'lost', reason: 'protocol' };
    if (status === 401) this.credentials = undefined;
    const sessionGone = link.era === 'legacy' && link.session !== undefined && (status === 404 || (status === 400 && refusesRequest(message)));
    if (!sessionGone || !mayReopen) return { kind: 'rejected', status };
    // The server does not know the session, so it cannot have looked at the call: in a new session it is sent for the first time.
    if (this.link === used) this.link = undefined;
    return this.send(call, false);
  }

  private sized(text: string, isError: boolean): UpstreamAnswer {
    const { maxResultBytes } = this.server.limits;
    if (text.length <= maxResultBytes && Buffer.byteLength(text) <= maxResultBytes) return { kind: 'result', text };
    return isError ? { kind: 'too_large', isError } : { kind: 'too_large' };
  }

  private callBody(link: Link, { requestId, method, params, meta }: UpstreamCall): string {
    const shown = link.era === 'modern' ? { ...meta, ...this.envelope } : meta;
    const all = Object.keys(shown).length === 0 ? params : withMember(params, '_meta', JSON.stringify(shown));
    return `{"jsonrpc":"2.0","id":${JSON.stringify(requestId)},"method":${JSON.stringify(method)},"params":${all}}`;
  }

  private async allPages(kind: ListKind): Promise<readonly Definition[]> {
    const link = await this.connected();
    const member = LISTS[kind];
    const tools: Definition[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const params: Record<string, unknown> = {
        ...(cursor === undefined ? {} : { cursor }),
        ...(link.era === 'modern' ? { _meta: this.envelope } : {}),
      };
      const result = await this.request(link, METHODS[kind], params, LIST_TIMEOUT_MS, LIST_PAGE_BYTES);
      const listed = result[kind];
      if (!Array.isArray(listed)) throw new UpstreamUnavailable('the tool list is not a list');
      tools.push(...listed.filter((entry) => isNamed(entry, member)));
      if (tools.length > MAX_TOOLS) throw new UpstreamUnavailable(`the server has more than ${MAX_TOOLS} tools`);
      const next = result['nextCursor'];
      if (typeof next !== 'string' || next === cursor) return tools;
      cursor = next;
    }
    throw new UpstreamUnavailable(`the tool list has more than ${MAX_PAGES} pages`);
  }

  private connected(): Promise<Opened> {
    if (this.link) return this.link;
    if (performance.now() - this.failedMs < RETRY_AFTER_MS)
      return Promise.reject(new UpstreamUnavailable('the server did not answer a moment ago'));
    const link = this.handshake();
    this.link = link;
    link.catch(() => {
      this.failedMs = performance.now();
      if (this.link === link) this.link = undefined;
    });
    return link;
  }

  private async handshake(): Promise<Opened> {
    const modern: Link = { era: 'modern' };
    const probe = await this.post(modern, 'server/discover', { _meta: this.envelope }, HANDSHAKE_TIMEOUT_MS, HANDSHAKE_BYTES);
    if (probe.kind !== 'answered') throw unavailable(probe);
    if (probe.status === 401 || probe.status === 403) throw this.denied(probe.status);
    const discovered = resultOf(probe);
    const versions = discovered?.['supportedVersions'];
    if (Array.isArray(versions) && versions.includes(MODERN_VERSION)) {
      const meta = discovered!['_meta'];
      const info = isObject(meta) ? meta[META_SERVER_INFO] : undefined;
      return { ...modern, description: described('modern', MODERN_VERSION, { serverInfo: info, ...discovered }) };
    }
    return this.initialize();
  }

  private async initialize(): Promise<Opened> {
    const params = { protocolVersion: LEGACY_VERSIONS[0], capabilities: {}, clientInfo: this.options.clientInfo };
    const opening: Link = { era: 'legacy', protocol: '', session: undefined };
    const opened = await this.post(opening, 'initialize', params, HANDSHAKE_TIMEOUT_MS, HANDSHAKE_BYTES);
    if (opened.kind !== 'answered') throw unavailable(opened);
    if (opened.status === 401 || opened.status === 403) throw this.denied(opened.status);
    const result = resultOf(opened);
    const protocol = result?.['protocolVersion'];
    if (typeof protocol !== 'string' || !/^[0-9-]{1,32}$/.test(protocol))
      throw new UpstreamUnavailable(`the server did not answer initialize (HTTP ${opened.status})`);
    const link = { era: 'legacy', protocol, session: opened.session, description: described('legacy', protocol, result!) } as const;
    const body = '{"jsonrpc":"2.0","method":"notifications/initialized"}';
    const told = await exchange(this.pool, {
      path: this.path,
      headers: [...COMMON_HEADERS, ...(await this.secret()), ...sessionHeaders(link)],
      body,
      timeoutMs: HANDSHAKE_TIMEOUT_MS,
      maxBytes: HANDSHAKE_BYTES,
      isAnswer: () => false,
    });
    if (told.kind !== 'answered' || told.status >= 300)
      throw new UpstreamUnavailable('the server did not accept notifications/initialized');
    return link;
  }

  private async request(link: Link, method: string, params: JsonObject, timeoutMs: number, maxBytes: number): Promise<JsonObject> {
    const answered = await this.post(link, method, params, timeoutMs, maxBytes);
    if (answered.kind !== 'answered') throw unavailable(answered);
    if (answered.status === 401 || answered.status === 403) throw this.denied(answered.status);
    const result = resultOf(answered);
    if (!result) throw new UpstreamUnavailable(`the server did not answer ${method} (HTTP ${answered.status})`);
    return result;
  }

  private async post(link: Link, method: string, params: JsonObject, timeoutMs: number, maxBytes: number): Promise<Exchange> {
    const id = `holdfast-${++this.ids}`;
    const headers = link.era === 'modern' ? [...MODERN_HEADERS, 'mcp-method', method] : sessionHeaders(link);
    return exchange(this.pool, {
      path: this.path,
      headers: [...COMMON_HEADERS, ...(await this.secret()), ...headers],
      body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
      timeoutMs,
      maxBytes,
      isAnswer: (message) => isAnswerTo(message, id),
    });
  }

  private denied(status: number): UpstreamUnavailable {
    this.credentials = undefined;
    return new UpstreamUnavailable(`the server does not accept our credentials (HTTP ${status})`);
  }

  /** Headers with the server's own credentials; read again after the server refused them. */
  private secret(): Promise<readonly string[]> {
    this.credentials ??= this.readSecret();
    return this.credentials;
  }

  private async readSecret(): Promise<readonly string[]> {
    const { auth } = this.server;
    if (auth.type === 'none') return [];
    try {
      const value = await this.options.resolveSecret((auth.type === 'bearer' ? auth.token : auth.value).secretRef);
      if (!/^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(value)) throw new Error('not a header value');
      return auth.type === 'bearer' ? ['authorization', `Bearer ${value}`] : [auth.name.toLowerCase(), value];
    } catch {
      this.credentials = undefined;
      throw new UpstreamUnavailable('the credentials for the server cannot be read');
    }
  }
}

/** What a result may be wrapped in without counting against its bound. */
const ENVELOPE_BYTES = 64 * 1024;
const METHODS: Readonly<Record<ListKind, string>> = {
  tools: 'tools/list',
  prompts: 'prompts/list',
  resources: 'resources/list',
  resourceTemplates: 'resources/templates/list',
};
const COMMON_HEADERS = ['content-type', 'application/json', 'accept', 'application/json, text/event-stream'];
const MODERN_HEADERS = ['mcp-protocol-version', MODERN_VERSION];

function sessionHeaders(link: Extract<Link, { era: 'legacy' }>): string[] {
  return [
    ...(link.protocol === '' ? [] : ['mcp-protocol-version', link.protocol]),
    ...(link.session === undefined ? [] : ['mcp-session-id', link.session]),
  ];
}

function callHeaders(link: Link, { method, named, paramHeaders }: UpstreamCall): string[] {
  if (link.era === 'legacy') return sessionHeaders(link);
  return [...MODERN_HEADERS, 'mcp-method', method, ...(named === undefined ? [] : ['mcp-name', encodeHeader(named)]), ...Object.entries(paramHeaders).flat()];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAnswerTo(message: string, id: string): boolean {
  const parsed = parse(message);
  return isObject(parsed) && parsed['id'] === id && ('result' in parsed || 'error' in parsed);
}

function isRpcError(error: unknown): boolean {
  return isObject(error) && typeof error['code'] === 'number' && typeof error['message'] === 'string';
}

/**
 * Some servers say 400 instead of 404 for a session that they do not know, with an error that belongs to no request. Any other 400 may
 * come from somebody who did look at the call.
 */
function refusesRequest(message: unknown): boolean {
  return isObject(message) && (message['id'] === null || message['id'] === undefined) && isRpcError(message['error']);
}

function resultOf(answered: Extract<Exchange, { kind: 'answered' }>): JsonObject | undefined {
  const message = answered.status < 300 && answered.json ? parse(answered.text) : undefined;
  const result = isObject(message) ? message['result'] : undefined;
  return isObject(result) ? result : undefined;
}

function isNamed(entry: unknown, member: string): entry is Definition {
  return isObject(entry) && typeof entry[member] === 'string' && entry[member] !== '';
}

function described(era: 'legacy' | 'modern', protocol: string, said: JsonObject): UpstreamDescription {
  const { capabilities, serverInfo, instructions } = said;
  return {
    era,
    protocol,
    capabilities: isObject(capabilities) ? capabilities : {},
    serverInfo: isObject(serverInfo) ? serverInfo : {},
    instructions: typeof instructions === 'string' ? instructions : undefined,
  };
}

function unavailable(exchanged: Exchange): UpstreamUnavailable {
  if (exchanged.kind === 'not_sent') return new UpstreamUnavailable(`the server cannot be reached (${exchanged.error})`);
  if (exchanged.kind === 'lost') return new UpstreamUnavailable(`the server did not answer (${exchanged.reason})`);
  return new UpstreamUnavailable('the server did not answer');
}
