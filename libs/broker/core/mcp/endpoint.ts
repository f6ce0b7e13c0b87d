import { type ErrorCode, Refusal } from '#libs/contracts';
import { type Approvals, type Clock, type Ids, type Peers, type Principal, type Recorder, RecorderRefusal, RecorderTimeout } from '#libs/ports';
import type { Calls } from '../call/calls.ts';
import type { CallsInFlight } from '../call/calls-in-flight.ts';
import { DESCRIPTION_AGE_MS, type Directory } from '../registry/directory.ts';
import type { Registry, TenantRegistry } from '../registry/registry.ts';
import { type Endpoint, reachable, type View, Visible } from '../registry/visible.ts';
import type { UpstreamDescription, Upstreams } from '../upstream/upstreams.ts';
import { RunningTasks } from '../tasks/running-tasks.ts';
import { mayHold, TaskRequests } from '../tasks/task-requests.ts';
import { TaskRunner } from '../tasks/task-runner.ts';
import { ApprovalTools } from './approval-tools.ts';
import { ApprovalWaits } from './approval-waits.ts';
import { CallRequests } from './call-requests.ts';
import { claimedClient } from './call-meta.ts';
import { ALL_CAPABILITIES, clientCapabilities, followsTasks, NEEDS_TASKS, relayedCapabilities, withTasks } from './capabilities.ts';
import { classify, type HeaderOf, metaOf } from './classify.ts';
import type { Exchange, McpRequest, RpcRequest } from './exchange.ts';
import { HeldCalls } from './held-calls.ts';
import { memberText } from './json-text.ts';
import { Listening } from './listening.ts';
import { Lanes } from './lanes.ts';
import { LIST_METHODS, Lists } from './lists.ts';
import { LiveSessions } from './live-sessions.ts';
import { isModern, isObject, isRpcId, type JsonObject, LEGACY_VERSIONS, META_CLIENT_CAPABILITIES, META_SERVER_INFO, MODERN_VERSIONS } from './protocol.ts';
import { Questions } from './questions.ts';
import { readBody } from './read-body.ts';
import { empty, errorReply, type McpReply, resultReply } from './reply.ts';
import { RequesterReason } from './requester-reason.ts';
import { ServerEvents } from './server-events.ts';
import { SessionWords } from './session-words.ts';
import { conversationOf } from './upstream-client.ts';
import type { Session, Sessions, SessionSealer } from './sessions.ts';

export interface McpEndpointDependencies {
  /** The registry in force right now. */
  readonly registry: () => Registry;
  readonly directory: Directory;
  readonly upstreams: Upstreams;
  readonly calls: Calls;
  readonly inFlight: CallsInFlight;
  readonly sessions: Sessions;
  readonly sealer: SessionSealer;
  readonly timer: (ms: number, callback: () => void) => () => void;
  readonly digest: (text: string) => string;
  readonly recorder: Recorder;
  readonly peers: Peers;
  readonly approvals: Approvals;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly serverInfo: { readonly name: string; readonly version: string };
  readonly recordTimeoutMs: number;
  /** A caller as its credential says it is now. */
  readonly callerNow: (principal: Principal) => Principal | undefined;
  readonly onFault: (error: unknown, call?: string) => void;
}

/** Both protocol eras have these. */
const IN_BOTH: ReadonlySet<string> = new Set([...Object.keys(LIST_METHODS), 'tools/call', 'prompts/get', 'resources/read', 'completion/complete']);

const TASK_METHODS: ReadonlySet<string> = new Set(['tasks/get', 'tasks/update', 'tasks/cancel']);

/**
 * The MCP edge: both protocol eras on one endpoint, plain JSON in and out, an event stream where something precedes the answer. It
 * decides nothing about calls; it reads them, has them run, and writes down what came of it. Never throws for anything a client can send.
 */
export class McpEndpoint {
  readonly listening: Listening;
  readonly events: ServerEvents;
  private readonly live = new LiveSessions();
  private readonly words: SessionWords;
  private readonly held: HeldCalls;
  private readonly waits: ApprovalWaits;
  private readonly calls: CallRequests;
  private readonly lists: Lists;
  private readonly tasks: TaskRequests;
  private readonly runner: TaskRunner;
  private readonly questions: Questions;

  constructor(private readonly deps: McpEndpointDependencies) {
    const { directory, upstreams, ids } = deps;
    const { live } = this;
    const visible = new Visible(directory);
    this.held = new HeldCalls({ sealer: deps.sealer, newId: () => ids.uuid(), timer: deps.timer });
    const words = (this.words = new SessionWords(deps.peers, deps.sessions, live, this.held));
    this.events = new ServerEvents(directory, upstreams, live, () => ids.uuid(), deps.timer);
    const { approvals } = deps;
    this.waits = new ApprovalWaits(approvals, deps.timer);
    const running = new RunningTasks({ newId: () => ids.uuid(), now: () => deps.clock.now(), timer: deps.timer, tell: (tenant, approval, word) => words.task(tenant, approval, word) });
    words.onTask = (tenant, approval, word) => running.heard(tenant, approval, word);
    this.tasks = new TaskRequests({ approvals, running, now: () => deps.clock.now() });
    const viewNow = (principal: Principal, path: string): View | undefined => this.viewOf(principal, path === '/mcp' ? undefined : path.slice('/mcp/s/'.length));
    const lanes = new Lanes({ waits: this.waits, sealer: deps.sealer, now: () => deps.clock.now(), find: (tenant, approval) => approvals.find(tenant, approval), answer: (tenant, approval) => approvals.answer(tenant, approval) });
    const conversation = (principal: Principal, capabilities: JsonObject): string => conversationOf(principal, capabilities, deps.digest);
    const own = new ApprovalTools(approvals, this.waits);
    const ownTool = (inbound: RpcRequest, exchange: Exchange): Promise<McpReply | undefined> => own.call(inbound, exchange);
    this.calls = new CallRequests({ visible, directory, calls: deps.calls, live, words, held: this.held, approvals, lanes, reasons: new RequesterReason(deps.sealer, () => deps.clock.now()), viewNow, conversationOf: conversation, ownTool, clock: deps.clock, ids, digest: deps.digest });
    this.runner = new TaskRunner({ ...deps, visible, running, viewNow, conversationOf: conversation });
    approvals.changes((change) => {
      this.waits.changed(change);
      this.runner.changed(change);
    });
    this.lists = new Lists(visible, (view) => own.list(view), ({ view }) => ({ ...CACHEABLE, ...this.identity(view) }));
    this.questions = new Questions({ ...deps, visible, live, words });
    this.listening = new Listening({
      visible,
      directory,
      live,
      words,
      events: this.events,
      timer: deps.timer,
      viewNow,
      identity: (view) => this.identity(view),
    });
  }

  /** There is a configuration to judge by: what was approved while nobody was there is executed from now on. */
  start(): void {
    this.runner.start();
  }

  /** The broker stops: streams end in order, and nobody is asked any more. */
  close(): void {
    this.runner.close();
    this.listening.close();
    this.held.close();
    this.waits.close();
  }

  async handle(request: McpRequest): Promise<McpReply> {
    const receivedUs = this.deps.clock.monotonicUs();
    const view = this.viewOf(request.principal, request.server);
    if (!view) return errorReply(new Refusal('not_found'), null);
    if (request.method !== 'POST') return this.sessionRequest({ request, view, session: undefined, receivedUs });
    const exchange: Exchange = { request, view, session: undefined, receivedUs };
    const problem = mediaProblem(request.header);
    if (problem) return errorReply(new Refusal(problem), null);
    const read = readBody(request.body);
    if ('refusal' in read) return errorReply(read.refusal, read.id, read.id !== null && request.header('mcp-session-id') !== undefined);
    const id = isObject(read.value) && typeof read.value['method'] === 'string' ? idOf(read.value['id']) : null;
    try {
      return await this.answer(read.value, exchange);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return errorReply(error, id);
    }
  }

  private async answer(body: unknown, exchange: Exchange): Promise<McpReply> {
    const { request, view } = exchange;
    const inbound = classify(body, request.header);
    if (inbound.kind === 'request' && inbound.era === 'modern') return this.modern(inbound, exchange);
    if (inbound.kind === 'request' && inbound.method === 'initialize') return this.initialize(inbound, exchange);
    if (inbound.kind === 'notification' && inbound.era === 'modern') return empty(202);
    const id = inbound.kind === 'request' ? inbound.id : null;
    const unknown = this.unknownVersion(request);
    if (unknown) return errorReply(unknown, id);
    const session = this.sessionOf(request, view.endpoint);
    if (typeof session === 'string') return errorReply(new Refusal(session), id);
    if (inbound.kind === 'request') return this.legacy(inbound, session, { ...exchange, session });
    if (inbound.kind === 'response') {
      const result = memberText(request.body, 'result');
      const said = result === undefined ? { error: memberText(request.body, 'error') ?? '{}' } : { result };
      this.words.answered(session.id, String(inbound.id), said);
    } else if (inbound.method === 'notifications/cancelled') {
      const { requestId } = inbound.params;
      if (isRpcId(requestId)) this.words.cancelled(session.id, JSON.stringify(requestId));
    }
    return empty(202);
  }

  private async modern(request: RpcRequest, exchange: Exchange): Promise<McpReply> {
    if (IN_BOTH.has(request.method)) return this.common(request, exchange);
    if (TASK_METHODS.has(request.method)) return this.tasks.answer(request, exchange);
    if (request.method === 'subscriptions/listen') return this.listen(request, exchange);
    if (request.method !== 'server/discover') return errorReply(new Refusal('method_not_found'), request.id);
    const described = await this.describe(exchange.view);
    if (described === null) return errorReply(new Refusal('upstream_unreachable'), request.id);
    const { instructions } = described;
    const capabilities = mayHold(exchange.view) ? withTasks(described.capabilities) : described.capabilities;
    const about = { capabilities, ...(instructions === undefined ? {} : { instructions }) };
    return resultReply(request.id, JSON.stringify({ ...CACHEABLE, supportedVersions: MODERN_VERSIONS, ...about, ...this.identity(exchange.view) }));
  }

  /** Nobody hears of tasks without asking; who wants to must be able to follow them all the same. */
  private async listen(request: RpcRequest, exchange: Exchange): Promise<McpReply> {
    const { notifications } = request.params;
    const wantsTasks = isObject(notifications) && notifications['taskIds'] !== undefined;
    if (wantsTasks && mayHold(exchange.view) && !followsTasks(metaOf(request.params)?.[META_CLIENT_CAPABILITIES])) return errorReply(new Refusal('tasks_not_declared', undefined, NEEDS_TASKS), request.id);
    return this.listening.listen(request, exchange);
  }

  private async legacy(request: RpcRequest, session: Session, exchange: Exchange): Promise<McpReply> {
    if (IN_BOTH.has(request.method)) return this.common(request, exchange);
    switch (request.method) {
      case 'ping':
        return resultReply(request.id, '{}');
      case 'logging/setLevel':
        return this.questions.setLevel(request, exchange);
      case 'resources/subscribe':
      case 'resources/unsubscribe':
        return this.listening.subscription(request, session, exchange);
      default:
        return errorReply(new Refusal('method_not_found'), request.id, true);
    }
  }

  private common(request: RpcRequest, exchange: Exchange): Promise<McpReply> {
    switch (request.method) {
      case 'tools/call':
        return this.calls.tool(request, exchange);
      case 'prompts/get':
        return this.calls.prompt(request, exchange);
      case 'resources/read':
        return this.calls.resource(request, exchange);
      case 'completion/complete':
        return this.questions.complete(request, exchange);
      default:
        return this.lists.answer(request, exchange);
    }
  }

  private async initialize({ id, params }: RpcRequest, { request, view }: Exchange): Promise<McpReply> {
    const asked = params['protocolVersion'];
    if (typeof asked !== 'string') return errorReply(new Refusal('invalid_params', 'protocolVersion must be a string'), id, true);
    const described = await this.describe(view);
    if (described === null) return errorReply(new Refusal('upstream_unreachable'), id);
    const protocol = LEGACY_VERSIONS.includes(asked) ? asked : LEGACY_VERSIONS[0]!;
    const capabilities = clientCapabilities(params['capabilities']);
    const session: Session = { id: this.deps.ids.uuid(), protocol, claimedClient: claimedClient(params['clientInfo']), capabilities };
    // The session exists when its record does: a client that cannot be recorded is told to come back.
    const refused = await this.recordSession(request, session, 'auth.session_opened', view.endpoint);
    if (refused) return errorReply(refused, id);
    const sealed = this.deps.sessions.open(session, request.principal, view.endpoint.path, this.deps.clock.now());
    const { instructions } = described;
    const result = {
      protocolVersion: protocol,
      capabilities: described.capabilities,
      serverInfo: described.serverInfo,
      ...(instructions === undefined ? {} : { instructions }),
    };
    return resultReply(id, JSON.stringify(result), { 'content-type': 'application/json', 'mcp-session-id': sealed });
  }

  /** Everything but POST is about a session of the legacy era: its stream, and its end. */
  private async sessionRequest(exchange: Exchange): Promise<McpReply> {
    const { request, view } = exchange;
    const { method } = request;
    if (method !== 'GET' && method !== 'DELETE') return errorReply(new Refusal('method_not_allowed'), null, false, { allow: 'POST, GET, DELETE' });
    if (this.namesModern(request)) return errorReply(new Refusal('method_not_allowed'), null, false, { allow: 'POST' });
    const unknown = this.unknownVersion(request);
    if (unknown) return errorReply(unknown, null);
    const session = this.sessionOf(request, view.endpoint);
    if (typeof session === 'string') return errorReply(new Refusal(session), null);
    return method === 'GET' ? this.listening.session(session, { ...exchange, session }) : this.endSession(session, exchange);
  }

  private async endSession(session: Session, { request, view }: Exchange): Promise<McpReply> {
    const refused = await this.recordSession(request, session, 'auth.session_closed', view.endpoint);
    if (refused) return errorReply(refused, null);
    this.words.ended(session.id);
    this.deps.upstreams.endConversation(session.id);
    return empty(204);
  }

  private namesModern(request: McpRequest): boolean {
    const version = request.header('mcp-protocol-version')?.trim();
    return version !== undefined && isModern(version);
  }

  private unknownVersion(request: McpRequest): Refusal | undefined {
    const version = request.header('mcp-protocol-version')?.trim();
    if (version === undefined || LEGACY_VERSIONS.includes(version)) return undefined;
    return new Refusal('unsupported_version', undefined, { supported: [...LEGACY_VERSIONS, ...MODERN_VERSIONS] });
  }

  /** What stands behind an endpoint: one server as it describes itself, or all of them as we do. Null when the server says nothing. */
  private async describe({ endpoint }: View): Promise<Pick<UpstreamDescription, 'capabilities' | 'serverInfo' | 'instructions'> | null> {
    if (!('server' in endpoint)) return { capabilities: ALL_CAPABILITIES, serverInfo: this.deps.serverInfo, instructions: undefined };
    const { upstream } = endpoint.server;
    await this.deps.directory.refresh(upstream, 'description', DESCRIPTION_AGE_MS);
    const description = this.deps.directory.description(upstream);
    return description ? { ...description, capabilities: relayedCapabilities(description.capabilities) } : null;
  }

  /** The members that name the server in answers of the modern era. */
  private identity({ endpoint }: View): JsonObject {
    const own = 'server' in endpoint ? this.deps.directory.description(endpoint.server.upstream)?.serverInfo : undefined;
    return { _meta: { [META_SERVER_INFO]: own ?? this.deps.serverInfo } };
  }

  private viewOf(principal: Principal, server: string | undefined): View | undefined {
    const registry = this.deps.registry().tenants.get(principal.tenant);
    const endpoint = registry && endpointOf(registry, principal, server);
    return endpoint && { registry, principal, endpoint };
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
}

/** Lists depend on the caller and may change with the next configuration. */
const CACHEABLE = { resultType: 'complete', ttlMs: 5_000, cacheScope: 'private' } as const;

function endpointOf(tenant: TenantRegistry, principal: Principal, server: string | undefined): Endpoint | undefined {
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
