import { type ErrorCode, Refusal } from '#libs/contracts';
import type { Clock, Ids } from '#libs/ports';
import { Cancellation } from '../call/cancellation.ts';
import type { CallsInFlight } from '../call/calls-in-flight.ts';
import { NOT_SENT } from '../call/outcome.ts';
import { DESCRIPTION_AGE_MS, type Directory } from '../registry/directory.ts';
import { serversOf, type Resolution, type Visible } from '../registry/visible.ts';
import type { UpstreamAnswer, UpstreamServer, Upstreams } from '../upstream/upstreams.ts';
import { type CallMeta, readCallMeta } from './call-meta.ts';
import { inEra } from './eras.ts';
import { clientCapabilities } from './capabilities.ts';
import { metaOf } from './classify.ts';
import type { Exchange, RpcRequest } from './exchange.ts';
import { memberText, withMembers, withoutMember } from './json-text.ts';
import type { LiveSessions } from './live-sessions.ts';
import { isLogLevel, isObject, type JsonObject, META_CLIENT_CAPABILITIES } from './protocol.ts';
import { errorReply, type McpReply, resultReply, upstreamErrorReply } from './reply.ts';
import type { SessionWords } from './session-words.ts';
import { clientOf } from './upstream-client.ts';

export interface QuestionDependencies {
  readonly visible: Visible;
  readonly directory: Directory;
  readonly upstreams: Pick<Upstreams, 'call'>;
  readonly live: LiveSessions;
  readonly words: SessionWords;
  readonly inFlight: CallsInFlight;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Requests that go to a server without reading or changing anything of it: completions, and how much it should log. */
export class Questions {
  constructor(private readonly deps: QuestionDependencies) {}

  /** `completion/complete`, for a prompt or a resource that the caller may see. */
  async complete(inbound: RpcRequest, exchange: Exchange): Promise<McpReply> {
    const { id, params, era } = inbound;
    const { ref } = params;
    const legacy = era === 'legacy';
    const said = saidIn(params);
    if (said instanceof Refusal) return errorReply(said, id, legacy);
    if (!isObject(ref)) return errorReply(new Refusal('invalid_params', 'params.ref must be an object'), id, legacy);
    const resolution = await this.referred(ref, exchange);
    if (!resolution) return errorReply(new Refusal('invalid_params', 'params.ref must name a prompt or a resource'), id, legacy);
    if (resolution.kind === 'unreachable') return errorReply(new Refusal('upstream_unreachable'), id, legacy);
    if (resolution.kind !== 'offer') return errorReply(new Refusal('invalid_params', 'There is no such prompt or resource, or you may not see it.'), id, legacy);
    const { offer } = resolution;
    const own = withoutMember(memberText(exchange.request.body, 'params')!, '_meta');
    const named = ref['type'] === 'ref/prompt' && ref['name'] !== offer.name;
    const text = named ? withMembers(own, { ref: withMembers(memberText(own, 'ref')!, { name: JSON.stringify(offer.name) }) }) : own;
    const answer = await this.send(offer.registered.upstream, inbound, exchange, said, text);
    if ('code' in answer) return errorReply(new Refusal(answer.code), id, legacy);
    return answer.kind === 'error' ? upstreamErrorReply(id, answer.text, era) : resultReply(id, inEra(answer.text, typeOf(answer.text), era, inbound.method));
  }

  /** `logging/setLevel`: kept with the session, and told to every server behind the endpoint that logs. */
  async setLevel(inbound: RpcRequest, exchange: Exchange): Promise<McpReply> {
    const { id, params } = inbound;
    const { level } = params;
    const said = saidIn(params);
    if (said instanceof Refusal) return errorReply(said, id, true);
    if (!isLogLevel(level)) return errorReply(new Refusal('invalid_params', 'params.level is no log level'), id, true);
    this.deps.words.level(exchange.session!.id, level);
    const { endpoint } = exchange.view;
    const text = `{"level":${JSON.stringify(level)}}`;
    const servers = serversOf(exchange.view);
    await Promise.all(servers.map(({ upstream }) => this.deps.directory.refresh(upstream, 'description', DESCRIPTION_AGE_MS)));
    const logging = servers.filter(({ upstream }) => {
      const description = this.deps.directory.description(upstream);
      // A server of the modern era hears of it with each request.
      return description?.era === 'legacy' && description.capabilities['logging'] !== undefined;
    });
    const told = logging.map(({ upstream }) => this.send(upstream, inbound, exchange, said, text));
    // Nobody waits for most of them.
    for (const each of told) each.catch(() => undefined);
    if (!('server' in endpoint) || told.length === 0) return resultReply(id, '{}');
    const answer = await told[0]!;
    if ('code' in answer) return errorReply(new Refusal(answer.code), id, true);
    return answer.kind === 'error' ? upstreamErrorReply(id, answer.text) : resultReply(id, answer.text);
  }

  private async referred(ref: Readonly<Record<string, unknown>>, { view }: Exchange): Promise<Resolution | undefined> {
    if (ref['type'] === 'ref/prompt' && typeof ref['name'] === 'string') return this.deps.visible.resolve(view, 'prompts', ref['name']);
    if (ref['type'] === 'ref/resource' && typeof ref['uri'] === 'string') return this.deps.visible.resource(view, ref['uri']);
    return undefined;
  }

  private async send(
    server: UpstreamServer,
    { method, params, id, era }: RpcRequest,
    { request, session }: Exchange,
    said: CallMeta,
    text: string,
  ): Promise<Extract<UpstreamAnswer, { kind: 'result' | 'error' }> | { readonly code: ErrorCode }> {
    const meta = metaOf(params);
    const requestId = this.deps.ids.uuid();
    const cancellation = new Cancellation();
    const live = session && this.deps.live.of(session);
    const entered = this.deps.inFlight.enter(
      { call: requestId, tenant: request.principal.tenant, tool: method, sinceUs: this.deps.clock.monotonicUs() },
      cancellation,
    );
    if (typeof entered === 'string') return { code: entered };
    const forget =
      era === 'modern' ? request.channel.onGone(() => cancellation.cancel('cancelled')) : live?.running(JSON.stringify(id), cancellation);
    try {
      const answer = await this.deps.upstreams.call(server, {
        requestId,
        method,
        named: undefined,
        params: text,
        meta: said.upstream,
        paramHeaders: {},
        timeoutMs: Math.min(server.limits.timeoutMs, MAX_WAIT_MS),
        cancellation,
        client: clientOf(request.channel, said, session ? session.capabilities : clientCapabilities(meta?.[META_CLIENT_CAPABILITIES]), session && live && { session, live, newId: () => this.deps.ids.uuid() }),
      });
      return answer.kind === 'result' || answer.kind === 'error' ? answer : { code: codeOf(answer) };
    } finally {
      forget?.();
      entered.leave();
    }
  }
}

/** Nobody waits longer than this for a suggestion. */
const MAX_WAIT_MS = 30_000;

/** What the client says about its request, or why that cannot be. */
function saidIn(params: JsonObject): CallMeta | Refusal {
  try {
    return readCallMeta(metaOf(params));
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

const LOST = { timeout: 'upstream_timeout', broken: 'upstream_broken', protocol: 'upstream_protocol', cancelled: 'cancelled', stopped: 'stopping' } as const;

function codeOf(answer: Exclude<UpstreamAnswer, { kind: 'result' | 'error' }>): ErrorCode {
  switch (answer.kind) {
    case 'too_large':
      return 'result_too_large';
    case 'rejected':
      return 'upstream_protocol';
    case 'not_sent':
      return NOT_SENT[answer.reason];
    case 'lost':
      return LOST[answer.reason];
  }
}

function typeOf(text: string): string | undefined {
  const type = memberText(text, 'resultType');
  return type === undefined ? undefined : (JSON.parse(type) as string);
}
