import { errorCatalogue, Refusal } from '#libs/contracts';
import type { Ids, Principal } from '#libs/ports';
import { Cancellation } from '../call/cancellation.ts';
import type { Call, CallAnswer } from '../call/call.ts';
import type { Calls } from '../call/calls.ts';
import type { CallMethod } from '../policy/facts.ts';
import { DESCRIPTION_AGE_MS, type Directory } from '../registry/directory.ts';
import type { Resolution, Visible } from '../registry/visible.ts';
import type { PeerAnswer } from '../upstream/upstreams.ts';
import { claimedClient, readCallMeta } from './call-meta.ts';
import { canBeAskedSomething, clientCapabilities } from './capabilities.ts';
import { metaOf } from './classify.ts';
import type { Exchange, McpRequest, RpcRequest } from './exchange.ts';
import type { HeldCall, HeldCalls } from './held-calls.ts';
import { answersFor, type InputAnswers } from './input-required.ts';
import { memberText, withMember, withMembers, withoutMember } from './json-text.ts';
import type { LiveSessions } from './live-sessions.ts';
import { mismatchedParamHeader } from './param-headers.ts';
import { isObject, type JsonObject, META_CLIENT_CAPABILITIES, META_CLIENT_INFO, META_SERVER_INFO, MODERN_VERSION } from './protocol.ts';
import { errorReply, type McpReply, refusedErrorReply, refusedResult, resultReply, upstreamErrorReply } from './reply.ts';
import type { SessionWords } from './session-words.ts';
import { clientOf } from './upstream-client.ts';

export interface CallRequestDependencies {
  readonly visible: Visible;
  readonly calls: Calls;
  readonly directory: Directory;
  readonly live: LiveSessions;
  readonly words: SessionWords;
  readonly held: HeldCalls;
  readonly ids: Ids;
  readonly digest: (text: string) => string;
}

/** What is asked for, read from the params of one method. */
interface Asked {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>> | undefined;
  readonly resolution: Resolution;
}

/** How often a server may ask a client of the older era for more before it gets no further answer. */
const MAX_ROUNDS = 10;
const MAX_ANSWERS = 100;
/** A client may say megabytes of itself, which would be remembered as the name of its session. */
const MAX_ABLE = 200;
/**
 * Members of params that end here. Tasks are not announced, and who does not announce them passes over the wish for one: a server that
 * only began a task would be taken for one that did it.
 */
const NOT_RELAYED: Readonly<Record<string, undefined>> = { _meta: undefined, task: undefined };
const CANNOT_FOLLOW = 'The upstream server answered in a way that this client cannot follow; whether it executed the call is unknown.';

/** The requests that are judged and recorded: `tools/call`, `prompts/get`, `resources/read`. */
export class CallRequests {
  constructor(private readonly deps: CallRequestDependencies) {}

  async tool(inbound: RpcRequest, exchange: Exchange): Promise<McpReply> {
    const asked = await this.named(inbound, exchange, 'tools');
    if (asked instanceof Refusal) return errorReply(asked, inbound.id, inbound.era === 'legacy');
    const { resolution, args } = asked;
    if (inbound.era === 'modern' && resolution.kind === 'offer' && resolution.offer.paramHeaders.length > 0) {
      const header = mismatchedParamHeader(resolution.offer.paramHeaders, args, exchange.request.header);
      if (header !== undefined) return errorReply(new Refusal('header_mismatch', `${header} is missing or contradicts the arguments`), inbound.id);
    }
    return this.run('tools/call', inbound, exchange, asked);
  }

  async prompt(inbound: RpcRequest, exchange: Exchange): Promise<McpReply> {
    const asked = await this.named(inbound, exchange, 'prompts');
    if (asked instanceof Refusal) return errorReply(asked, inbound.id, inbound.era === 'legacy');
    return this.run('prompts/get', inbound, exchange, asked);
  }

  async resource(inbound: RpcRequest, exchange: Exchange): Promise<McpReply> {
    const { uri } = inbound.params;
    if (typeof uri !== 'string') return errorReply(new Refusal('invalid_params', 'params.uri must be a string'), inbound.id, inbound.era === 'legacy');
    const resolution = await this.deps.visible.resource(exchange.view, uri);
    return this.run('resources/read', inbound, exchange, { name: uri, args: { uri }, resolution });
  }

  private async named({ params }: RpcRequest, { view }: Exchange, kind: 'tools' | 'prompts'): Promise<Asked | Refusal> {
    const { name, arguments: args } = params;
    if (typeof name !== 'string') return new Refusal('invalid_params', 'params.name must be a string');
    if (args !== undefined && !isObject(args)) return new Refusal('invalid_params', 'params.arguments must be an object');
    return { name, args, resolution: await this.deps.visible.resolve(view, kind, name) };
  }

  private async run(method: CallMethod, inbound: RpcRequest, exchange: Exchange, asked: Asked): Promise<McpReply> {
    const { era, id, params, version } = inbound;
    const { request, view, session } = exchange;
    const meta = metaOf(params);
    let said;
    try {
      said = readCallMeta(meta);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return errorReply(error, id, era === 'legacy');
    }
    const { name, args, resolution } = asked;
    const own = withMembers(memberText(request.body, 'params') ?? '{}', NOT_RELAYED);
    const named = (): string => this.deps.digest(`${view.endpoint.path} ${method} ${name} ${memberText(own, 'arguments') ?? ''}`);
    if (era === 'modern' && typeof params['requestState'] === 'string') {
      const back = await this.comeBack(inbound, exchange, method, own, named(), resolution);
      if (back) return back;
    }
    const live = session && this.deps.live.of(session);
    const cancellation = new Cancellation();
    const callId = this.deps.ids.uuid();
    const capabilities = session ? session.capabilities : clientCapabilities(meta?.[META_CLIENT_CAPABILITIES]);
    const held = session ? undefined : await this.hold(callId, request, resolution, named, capabilities, cancellation);
    const client = clientOf(held ?? request.channel, said, capabilities, session && live && { session, live, newId: () => this.deps.ids.uuid() });
    const call: Call = {
      id: callId,
      method,
      principal: request.principal,
      name,
      args,
      argsBytes: Buffer.byteLength(memberText(own, method === 'resources/read' ? 'uri' : 'arguments') ?? ''),
      params: own,
      endpoint: view.endpoint.path,
      protocol: session?.protocol ?? version ?? MODERN_VERSION,
      ip: request.ip,
      claimedClient: session ? session.claimedClient : claimedClient(meta?.[META_CLIENT_INFO]),
      reason: said.reason,
      run: said.run,
      idempotencyKey: said.idempotencyKey,
      traceparent: said.traceparent,
      upstreamMeta: said.upstream,
      client: held ? { ...client, conversation: this.conversationOf(request.principal, capabilities), ask: (question, until) => held.ask(question, until) } : client,
      cancellation,
      receivedUs: exchange.receivedUs,
    };
    if (held) {
      void this.deps.calls.run(call, view.registry, resolution).then((answer) => held.end(answer));
      return this.turn(inbound, method, held);
    }
    // A modern client that hangs up has cancelled; a legacy one says so, and may come back for the answer.
    const forget = live ? live.running(JSON.stringify(id), cancellation) : request.channel.onGone(() => cancellation.cancel('cancelled'));
    try {
      return this.reply(inbound, method, await this.settled(call, exchange, resolution));
    } finally {
      forget();
    }
  }

  /** A call of a client that can be asked, to a server that may ask while it works. */
  private async hold(id: string, { principal, channel }: McpRequest, resolution: Resolution, named: () => string, capabilities: JsonObject, cancellation: Cancellation): Promise<HeldCall | undefined> {
    if (resolution.kind !== 'offer' || !canBeAskedSomething(capabilities)) return undefined;
    const { upstream } = resolution.offer.registered;
    await this.deps.directory.refresh(upstream, 'description', DESCRIPTION_AGE_MS);
    if (this.deps.directory.description(upstream)?.era !== 'legacy') return undefined;
    return this.deps.held.begin(id, principal, named(), capabilities, channel, cancellation);
  }

  /** A request that brings answers to a call that waits for them; undefined when its state is the server's own. */
  private async comeBack(inbound: RpcRequest, { request }: Exchange, method: CallMethod, own: string, named: string, resolution: Resolution): Promise<McpReply | undefined> {
    const { id, params } = inbound;
    const found = this.deps.held.find(params['requestState'], request.principal, named);
    if (found === undefined) return undefined;
    if (found === 'foreign') {
      // A server of the 2026 era may be another Holdfast, whose state looks like ours. One of the older era would begin anew.
      const era = resolution.kind === 'offer' ? this.deps.directory.description(resolution.offer.registered.upstream)?.era : undefined;
      return era === 'modern' ? undefined : errorReply(new Refusal('invalid_params', 'Invalid or expired requestState'), id, true);
    }
    if ('gone' in found) {
      const { sentence } = errorCatalogue.no_longer_waiting;
      return this.reply(inbound, method, { kind: 'refused', call: found.gone, code: 'no_longer_waiting', sentence, disposition: 'unknown' });
    }
    const responses = params['inputResponses'];
    const answers = isObject(responses) ? Object.keys(responses).slice(0, MAX_ANSWERS) : [];
    const answerOf = (name: string): PeerAnswer => ({ result: memberText(own, 'inputResponses', name)! });
    if ('elsewhere' in found) {
      for (const name of answers) this.deps.words.heldAnswered(found.elsewhere, name, answerOf(name));
      return resultReply(id, JSON.stringify({ resultType: 'input_required', requestState: found.state }));
    }
    const call = found.here;
    call.resume(request.channel, found.strayed > 0);
    for (const name of answers) call.settle(name, answerOf(name));
    return this.turn(inbound, method, call);
  }

  private async turn(inbound: RpcRequest, method: CallMethod, held: HeldCall): Promise<McpReply> {
    const turn = await held.next();
    if (turn.kind === 'answered') return this.reply(inbound, method, turn.answer);
    const questions = turn.questions.map(({ name, request }) => `${JSON.stringify(name)}:{"method":${JSON.stringify(request.method)},"params":${request.params}}`);
    return resultReply(inbound.id, `{"resultType":"input_required","inputRequests":{${questions.join(',')}},"requestState":${JSON.stringify(turn.state)}}`);
  }

  /**
   * Runs the call. Where a server of the 2026 era wants more input from a client of the older one, the client is asked here, and the
   * server is called again with what it said: a call of its own, judged and recorded like the first.
   */
  private async settled(call: Call, exchange: Exchange, resolution: Resolution): Promise<CallAnswer> {
    const { session, view, request } = exchange;
    const live = session && this.deps.live.of(session);
    for (let round = 0; ; round++) {
      const answer = await this.deps.calls.run(call, view.registry, resolution);
      if (!live || answer.kind !== 'result' || answer.resultType === undefined || answer.resultType === 'complete') return answer;
      const refused = (sentence: string): CallAnswer => ({ kind: 'refused', call: call.id, code: 'input_unavailable', sentence, disposition: 'not_executed' });
      if (answer.resultType !== 'input_required') return { kind: 'refused', call: call.id, code: 'upstream_protocol', sentence: CANNOT_FOLLOW, disposition: 'unknown' };
      if (round === MAX_ROUNDS) return refused(`The upstream server asked for more input ${MAX_ROUNDS} times.`);
      const input: InputAnswers = await answersFor(answer.text, (question) =>
        live.ask(this.deps.ids.uuid(), question, request.channel, call.cancellation),
      );
      if ('refused' in input) return refused(input.refused);
      call = { ...call, id: this.deps.ids.uuid(), params: withMembers(call.params, input.members) };
    }
  }

  /** Servers of the older era know a client by its session: one for each credential and what it can do there. */
  private conversationOf({ tenant, key }: Principal, capabilities: JsonObject): string {
    const able = JSON.stringify(capabilities);
    return `stateless ${tenant} ${key} ${able.length > MAX_ABLE ? this.deps.digest(able) : able}`;
  }

  private reply({ id, era }: RpcRequest, method: CallMethod, answer: CallAnswer): McpReply {
    switch (answer.kind) {
      case 'refused':
        return method === 'tools/call' ? resultReply(id, refusedResult(answer, era)) : refusedErrorReply(id, answer, era);
      case 'error':
        return upstreamErrorReply(id, answer.text, era);
      case 'result':
        return resultReply(id, inEra(answer.text, answer.resultType, era, method));
    }
  }
}

/** An upstream result in the form of the client's era: the modern one says that a result is complete, the legacy one has no word for it. */
export function inEra(text: string, resultType: string | undefined, era: 'legacy' | 'modern', method: string): string {
  if (era === 'legacy') return resultType === undefined ? text : inLegacyWords(text, method);
  const complete = resultType === undefined ? withMember(text, 'resultType', '"complete"') : text;
  if (method !== 'resources/read' || (resultType ?? 'complete') !== 'complete' || memberText(complete, 'ttlMs') !== undefined) return complete;
  // What may be kept, and for how long, only its server could say.
  return withMembers(complete, { ttlMs: '0', cacheScope: '"private"' });
}

/** Takes out what a server of the modern era adds in words that the legacy one does not have. */
function inLegacyWords(text: string, method: string): string {
  const meta = memberText(text, '_meta');
  const kept = meta && withoutMember(meta, META_SERVER_INFO);
  return withMembers(text, {
    resultType: undefined,
    ...(method === 'resources/read' ? { ttlMs: undefined, cacheScope: undefined } : {}),
    ...(kept === undefined || kept === meta ? {} : { _meta: kept === '{}' ? undefined : kept }),
  });
}
