import { type ErrorCode, Refusal } from '#libs/contracts';
import { type Clock, type Ids, type Principal, type Recorder, RecorderRefusal, RecorderTimeout } from '#libs/ports';
import type { Calls } from '../call/calls.ts';
import type { Registry, TenantRegistry } from '../registry/registry.ts';
import { type Endpoint, reachable, type VisibleTools } from '../registry/visible-tools.ts';
import { claimedClient, readCallMeta } from './call-meta.ts';
import { classify, type HeaderOf, type Inbound, metaOf } from './classify.ts';
import { memberText, withMember, withoutMember } from './json-text.ts';
import { listPage } from './list-page.ts';
import { mismatchedParamHeader } from './param-headers.ts';
import { isObject, LEGACY_VERSIONS, META_CLIENT_INFO, META_SERVER_INFO, MODERN_VERSIONS } from './protocol.ts';
import { readBody } from './read-body.ts';
import { empty, errorReply, type McpReply, refusedResult, resultReply, upstreamErrorReply } from './reply.ts';
import type { Session, Sessions } from './sessions.ts';

/** An HTTP request to an MCP path, after Host, Origin and credentials were checked. */
export interface McpRequest {
  readonly method: string;
  /** The server's id for `/mcp/s/<server>`, undefined for `/mcp`. */
  readonly server: string | undefined;
  readonly header: HeaderOf;
  readonly body: string;
  readonly principal: Principal;
  readonly ip: string | undefined;
}

export interface McpEndpointDependencies {
  /** The registry in force right now. */
  readonly registry: () => Registry;
  readonly tools: VisibleTools;
  readonly calls: Calls;
  readonly sessions: Sessions;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly serverInfo: { readonly name: string; readonly version: string };
  readonly recordTimeoutMs: number;
}

type Request = Extract<Inbound, { kind: 'request' }>;

/** What is known of a message before its method is looked at. */
interface Exchange {
  readonly request: McpRequest;
  readonly tenant: TenantRegistry;
  readonly endpoint: Endpoint;
  /** Absent in the modern era and before `initialize`. */
  readonly session: Session | undefined;
  readonly receivedUs: number;
}

/**
 * The MCP edge: both protocol eras on one endpoint, plain JSON in and out. It decides nothing about calls; it reads them, has them run,
 * and writes down what came of it. Never throws for anything a client can send.
 */
export class McpEndpoint {
  constructor(private readonly deps: McpEndpointDependencies) {}

  async handle(request: McpRequest): Promise<McpReply> {
    const receivedUs = this.deps.clock.monotonicUs();
    const tenant = this.deps.registry().tenants.get(request.principal.tenant);
    const endpoint = tenant && endpointOf(tenant, request);
    if (!tenant || !endpoint) return errorReply(new Refusal('not_found'), null);
    if (request.method === 'DELETE') return this.endSession(request, endpoint);
    if (request.method !== 'POST') return errorReply(new Refusal('method_not_allowed'), null, false, { allow: 'POST, DELETE' });
    const problem = mediaProblem(request.header);
    if (problem) return errorReply(new Refusal(problem), null);
    const read = readBody(request.body);
    if ('refusal' in read) return errorReply(read.refusal, read.id);
    let inbound: Inbound;
    try {
      inbound = classify(read.value, request.header);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return errorReply(error, isObject(read.value) && typeof read.value['method'] === 'string' ? idOf(read.value['id']) : null);
    }
    return this.answer(inbound, { request, tenant, endpoint, session: undefined, receivedUs });
  }

  private async answer(inbound: Inbound, exchange: Exchange): Promise<McpReply> {
    if (inbound.kind === 'request' && inbound.era === 'modern') return this.modern(inbound, exchange);
    if (inbound.kind === 'request' && inbound.method === 'initialize') return this.initialize(inbound, exchange);
    if (inbound.kind === 'notification' && inbound.era === 'modern') return empty(202);
    const id = inbound.kind === 'request' ? inbound.id : null;
    const version = exchange.request.header('mcp-protocol-version')?.trim();
    if (version !== undefined && !LEGACY_VERSIONS.includes(version)) {
      return errorReply(new Refusal('unsupported_version', undefined, { supported: [...LEGACY_VERSIONS, ...MODERN_VERSIONS] }), id);
    }
    const session = this.sessionOf(exchange.request, exchange.endpoint);
    if (typeof session === 'string') return errorReply(new Refusal(session), id);
    if (inbound.kind !== 'request') return empty(202);
    return this.legacy(inbound, { ...exchange, session });
  }

  private async modern(request: Request, exchange: Exchange): Promise<McpReply> {
    switch (request.method) {
      case 'server/discover':
        return resultReply(
          request.id,
          JSON.stringify({ ...CACHEABLE, supportedVersions: MODERN_VERSIONS, capabilities: CAPABILITIES, ...this.identity() }),
        );
      case 'tools/list':
        return this.list(request, exchange);
      case 'tools/call':
        return this.call(request, exchange);
      default:
        return errorReply(new Refusal('method_not_found'), request.id);
    }
  }

  private async legacy(request: Request, exchange: Exchange): Promise<McpReply> {
    switch (request.method) {
      case 'ping':
        return resultReply(request.id, '{}');
      case 'tools/list':
        return this.list(request, exchange);
      case 'tools/call':
        return this.call(request, exchange);
      default:
        return errorReply(new Refusal('method_not_found'), request.id, true);
    }
  }

  private async initialize({ id, params }: Request, { request, endpoint }: Exchange): Promise<McpReply> {
    const asked = params['protocolVersion'];
    if (typeof asked !== 'string') return errorReply(new Refusal('invalid_params', 'protocolVersion must be a string'), id, true);
    const protocol = LEGACY_VERSIONS.includes(asked) ? asked : LEGACY_VERSIONS[0]!;
    const session: Session = { id: this.deps.ids.uuid(), protocol, claimedClient: claimedClient(params['clientInfo']) };
    // The session exists when its record does: a client that cannot be recorded is told to come back.
    const refused = await this.recordSession(request, session, 'auth.session_opened', endpoint);
    if (refused) return errorReply(refused, id);
    const sealed = this.deps.sessions.open(session, request.principal, endpoint.path, this.deps.clock.now());
    const result = JSON.stringify({ protocolVersion: protocol, capabilities: CAPABILITIES, serverInfo: this.deps.serverInfo });
    return resultReply(id, result, { 'content-type': 'application/json', 'mcp-session-id': sealed });
  }

  private async endSession(request: McpRequest, endpoint: Endpoint): Promise<McpReply> {
    const session = this.sessionOf(request, endpoint);
    if (typeof session === 'string') return errorReply(new Refusal(session), null);
    const refused = await this.recordSession(request, session, 'auth.session_closed', endpoint);
    if (refused) return errorReply(refused, null);
    this.deps.sessions.end(session);
    return empty(204);
  }

  private async list({ id, params, era }: Request, { request, tenant, endpoint }: Exchange): Promise<McpReply> {
    const { cursor } = params;
    if (cursor !== undefined && typeof cursor !== 'string')
      return errorReply(new Refusal('invalid_params', 'cursor must be a string'), id, era === 'legacy');
    const tools = await this.deps.tools.list(tenant, request.principal, endpoint);
    const page = listPage(tools, 'server' in endpoint ? 'own' : 'exposed', era, cursor);
    if (page === null)
      return errorReply(new Refusal('invalid_params', 'this cursor is not one of ours, or the list has changed'), id, era === 'legacy');
    const extra = era === 'modern' ? `,${JSON.stringify({ ...CACHEABLE, ...this.identity() }).slice(1, -1)}` : '';
    const next = page.next === undefined ? '' : `,"nextCursor":${JSON.stringify(page.next)}`;
    return resultReply(id, `{"tools":[${page.tools.join(',')}]${next}${extra}}`);
  }

  private async call(
    { id, params, era, version }: Request,
    { request, tenant, endpoint, session, receivedUs }: Exchange,
  ): Promise<McpReply> {
    const { name, arguments: args } = params;
    if (typeof name !== 'string') return errorReply(new Refusal('invalid_params', 'params.name must be a string'), id, era === 'legacy');
    if (args !== undefined && !isObject(args))
      return errorReply(new Refusal('invalid_params', 'params.arguments must be an object'), id, era === 'legacy');
    const meta = metaOf(params);
    let said;
    try {
      said = readCallMeta(meta);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return errorReply(error, id, era === 'legacy');
    }
    const resolution = await this.deps.tools.resolve(tenant, request.principal, endpoint, name);
    if (era === 'modern' && resolution.kind === 'tool' && resolution.tool.paramHeaders.length > 0) {
      const header = mismatchedParamHeader(resolution.tool.paramHeaders, args, request.header);
      if (header !== undefined) return errorReply(new Refusal('header_mismatch', `${header} is missing or contradicts the arguments`), id);
    }
    const answer = await this.deps.calls.run(
      {
        id: this.deps.ids.uuid(),
        principal: request.principal,
        name,
        args,
        argsText: args === undefined ? undefined : memberText(request.body, 'params', 'arguments'),
        endpoint: endpoint.path,
        protocol: session?.protocol ?? version ?? MODERN_VERSIONS[0]!,
        ip: request.ip,
        claimedClient: session ? session.claimedClient : claimedClient(meta?.[META_CLIENT_INFO]),
        reason: said.reason,
        run: said.run,
        idempotencyKey: said.idempotencyKey,
        traceparent: said.traceparent,
        upstreamMeta: said.upstream,
        receivedUs,
      },
      tenant,
      resolution,
    );
    switch (answer.kind) {
      case 'refused':
        return resultReply(id, refusedResult(answer, era));
      case 'error':
        return upstreamErrorReply(id, answer.text);
      case 'result':
        return resultReply(id, inEra(answer.text, answer.resultType, era));
    }
  }

  private sessionOf(request: McpRequest, endpoint: Endpoint): Session | Extract<ErrorCode, 'session_required' | 'session_unknown'> {
    const sealed = request.header('mcp-session-id');
    if (sealed === undefined) return 'session_required';
    return this.deps.sessions.find(sealed, request.principal, endpoint.path, this.deps.clock.now()) ?? 'session_unknown';
  }

  private async recordSession(
    { principal, ip }: McpRequest,
    session: Session,
    type: 'auth.session_opened' | 'auth.session_closed',
    endpoint: Endpoint,
  ): Promise<Refusal | undefined> {
    const actor = {
      user: principal.user,
      client: principal.client,
      ...(principal.agent === undefined ? {} : { agent: principal.agent }),
      via: 'mcp' as const,
      ...(ip === undefined ? {} : { ip }),
    };
    const frame = { tenant: principal.tenant, actor, corr: session.id, links: {} };
    const claimed = session.claimedClient === undefined ? {} : { claimedClient: session.claimedClient };
    try {
      await this.deps.recorder.record(
        [
          type === 'auth.session_opened'
            ? { ...frame, type, data: { session: session.id, protocol: session.protocol, endpoint: endpoint.path, ...claimed } }
            : { ...frame, type, data: { session: session.id } },
        ],
        { timeoutMs: this.deps.recordTimeoutMs },
      );
      return undefined;
    } catch (error) {
      if (error instanceof RecorderTimeout) return new Refusal('journal_unavailable');
      if (!(error instanceof RecorderRefusal)) throw error;
      return new Refusal(error.reason === 'full' ? 'overloaded' : error.reason === 'down' ? 'journal_unavailable' : 'stopping');
    }
  }

  /** The members that name this server in answers of its own. */
  private identity(): { readonly _meta: Readonly<Record<string, unknown>> } {
    return { _meta: { [META_SERVER_INFO]: this.deps.serverInfo } };
  }
}

const CAPABILITIES = { tools: {} };
/** Lists depend on the caller and may change with the next configuration. */
const CACHEABLE = { resultType: 'complete', ttlMs: 5_000, cacheScope: 'private' } as const;

function endpointOf(tenant: TenantRegistry, { principal, server }: McpRequest): Endpoint | undefined {
  if (server === undefined) return { path: '/mcp' };
  const registered = reachable(tenant, principal, server);
  return registered && { path: `/mcp/s/${server}`, server: registered };
}

function mediaProblem(header: HeaderOf): 'unsupported_media_type' | 'not_acceptable' | undefined {
  const type = header('content-type')?.toLowerCase();
  if (type === undefined || !(type === 'application/json' || /^application\/json\s*;/.test(type))) return 'unsupported_media_type';
  const accept = header('accept')?.toLowerCase();
  if (accept === undefined || accept.includes('application/json') || accept.includes('*/*') || accept.includes('application/*'))
    return undefined;
  return 'not_acceptable';
}

function idOf(id: unknown): string | number | null {
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}

/** An upstream result in the form of the client's era: the modern one says that a result is complete, the legacy one has no word for it. */
function inEra(text: string, resultType: string | undefined, era: 'legacy' | 'modern'): string {
  if (era === 'modern') return resultType === undefined ? withMember(text, 'resultType', '"complete"') : text;
  return resultType === undefined ? text : withoutMember(text, 'resultType');
}
