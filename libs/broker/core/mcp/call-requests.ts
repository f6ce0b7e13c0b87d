import { errorCatalogue, Refusal } from '#libs/contracts';
import type { Approvals, Clock, Ids, Principal, Ticket } from '#libs/ports';
import { Cancellation } from '../call/cancellation.ts';
import type { Call, CallAnswer, HeldAnswer, RefusedCall } from '../call/call.ts';
import type { Calls } from '../call/calls.ts';
import { heldCall } from '../call/held-request.ts';
import { notExecuted } from '../call/refused.ts';
import type { CallMethod } from '../policy/facts.ts';
import { DESCRIPTION_AGE_MS, type Directory } from '../registry/directory.ts';
import type { Resolution, View, Visible } from '../registry/visible.ts';
import type { PeerAnswer } from '../upstream/upstreams.ts';
import { type CallMeta, claimedClient, readCallMeta } from './call-meta.ts';
import { createdTask } from '../tasks/task-view.ts';
import { canBeAsked, canBeAskedSomething, clientCapabilities, followsTasks, NEEDS_TASKS } from './capabilities.ts';
import { notification } from './channel.ts';
import { metaOf } from './classify.ts';
import { inEra } from './eras.ts';
import type { Exchange, McpRequest, RpcRequest } from './exchange.ts';
import type { HeldCall, HeldCalls } from './held-calls.ts';
import { answersFor, type InputAnswers } from './input-required.ts';
import { memberText, withMembers } from './json-text.ts';
import type { Lanes } from './lanes.ts';
import type { LiveSessions } from './live-sessions.ts';
import { mismatchedParamHeader } from './param-headers.ts';
import { relayedParams } from './relayed-params.ts';
import { isObject, type JsonObject, META_CLIENT_CAPABILITIES, META_CLIENT_INFO, MODERN_VERSION } from './protocol.ts';
import { approvedResult, errorReply, type McpReply, refusedErrorReply, refusedResult, resultReply, upstreamErrorReply } from './reply.ts';
import type { RequesterReason } from './requester-reason.ts';
import type { SessionWords } from './session-words.ts';
import { clientOf } from './upstream-client.ts';

export interface CallRequestDependencies {
  readonly visible: Visible;
  readonly calls: Calls;
  readonly directory: Directory;
  readonly live: LiveSessions;
  readonly words: SessionWords;
  readonly held: HeldCalls;
  readonly approvals: Approvals;
  readonly lanes: Lanes;
  readonly reasons: RequesterReason;
  /** What a caller sees now; a call may have waited long. */
  readonly viewNow: (principal: Principal, path: string) => View | undefined;
  /** Under which name a server of the older era knows a client without a session. */
  readonly conversationOf: (principal: Principal, capabilities: JsonObject) => string;
  /** Answers calls of Holdfast's own tools; undefined for all others. */
  readonly ownTool: (inbound: RpcRequest, exchange: Exchange) => Promise<McpReply | undefined>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly digest: (text: string) => string;
}

/** A request whose call may have to wait. */
interface Waiting {
  readonly inbound: RpcRequest;
  readonly exchange: Exchange;
  readonly method: CallMethod;
  /** The params without what ends here. */
  readonly own: string;
  /** Names what is called, with its arguments. */
  readonly named: () => string;
  readonly said: CallMeta;
  readonly capabilities: JsonObject;
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
/** Somebody else has the call, or what was known of it is out of date. */
const ELSEWHERE: ReadonlySet<string> = new Set(['approval_claimed', 'approval_pending', 'decision_stale', 'approval_denied', 'approval_expired', 'approval_cancelled', 'approval_killed']);
const CANNOT_FOLLOW = 'The upstream server answered in a way that this client cannot follow; whether it executed the call is unknown.';

/** The requests that are judged and recorded: `tools/call`, `prompts/get`, `resources/read`. */
export class CallRequests {
  constructor(private readonly deps: CallRequestDependencies) {}

  async tool(inbound: RpcRequest, exchange: Exchange): Promise<McpReply> {
    const own = await this.deps.ownTool(inbound, exchange);
    if (own) return own;
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

  /** `told` is the reason that the caller gave when it was asked; null when it was asked and gave none. */
  private async run(method: CallMethod, inbound: RpcRequest, exchange: Exchange, asked: Asked, told?: string | null): Promise<McpReply> {
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
    let own = relayedParams(memberText(request.body, 'params') ?? '{}');
    const named = (): string => this.deps.digest(`${view.endpoint.path} ${method} ${name} ${memberText(own, 'arguments') ?? ''}`);
    const capabilities = session ? session.capabilities : clientCapabilities(meta?.[META_CLIENT_CAPABILITIES]);
    const reason = era === 'modern' ? this.deps.reasons.answered(params['requestState'], own, request.principal, named()) : undefined;
    if (reason === 'foreign') return errorReply(new Refusal('invalid_params', 'Invalid or expired requestState'), id, true);
    if (reason !== undefined) own = this.deps.reasons.without(own);
    const given = told === undefined && reason !== undefined ? (reason === 'declined' ? null : reason.reason) : told;
    const waiting: Waiting = { inbound, exchange, method, own, named, said, capabilities };
    if (era === 'modern' && reason === undefined && typeof params['requestState'] === 'string') {
      const leg = await this.deps.lanes.leg(params['requestState'], request.principal, named());
      if (leg === 'foreign') return errorReply(new Refusal('invalid_params', 'Invalid or expired requestState'), id, true);
      if (leg) return this.wait(waiting, leg, leg.leg);
      const back = await this.comeBack(waiting, resolution);
      if (back) return back;
    }
    const call: Call = {
      id: this.deps.ids.uuid(),
      lane: method === 'tools/call' && era === 'modern' && followsTasks(meta?.[META_CLIENT_CAPABILITIES]) ? 'task' : 'wait',
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
      reason: given ?? said.reason,
      run: said.run,
      idempotencyKey: said.idempotencyKey,
      traceparent: said.traceparent,
      upstreamMeta: said.upstream,
      client: undefined,
      cancellation: new Cancellation(),
      receivedUs: exchange.receivedUs,
    };
    const answer = await this.perform(waiting, call, resolution, (one) => this.deps.calls.run(one, view.registry, resolution));
    if ('status' in answer) return answer;
    if (answer.kind === 'held') return this.held(waiting, answer, call);
    const wanted = answer.kind === 'refused' && answer.code === 'reason_required' && given === undefined && canBeAsked(capabilities, 'elicitation/create');
    return wanted ? this.askWhy(waiting, asked, answer) : this.reply(inbound, method, answer);
  }

  /** People want to know why, and the caller can be asked: then the call is made once more, with what it says. */
  private async askWhy({ inbound, exchange, method, named }: Waiting, asked: Asked, { why = '' }: RefusedCall): Promise<McpReply> {
    const { session, request } = exchange;
    const { reasons, live, ids } = this.deps;
    if (!session) return reasons.ask(inbound.id, request.principal, named(), why);
    const answer = await live.of(session).ask(ids.uuid(), reasons.question(why), request.channel, new Cancellation());
    return this.run(method, inbound, exchange, asked, reasons.reasonIn(answer) ?? null);
  }

  /** A task is answered at once: what it stands for is kept already. Everybody else waits. */
  private held(waiting: Waiting, answer: HeldAnswer, { lane }: Pick<Call, 'lane'>): McpReply | Promise<McpReply> {
    if (lane === 'task') return resultReply(waiting.inbound.id, createdTask(answer.ticket, this.deps.clock.now()));
    return this.wait(waiting, answer, 1);
  }

  /** Has a call run for a client that is there: it can be asked, it hears of progress, and it can cancel. */
  private async perform(asked: Waiting, base: Call, resolution: Resolution, run: (call: Call) => Promise<CallAnswer | HeldAnswer>): Promise<CallAnswer | HeldAnswer | McpReply> {
    const { inbound, exchange, named, said, capabilities } = asked;
    const { request, session } = exchange;
    const { cancellation } = base;
    const live = session && this.deps.live.of(session);
    const held = session ? undefined : await this.hold(base.id, request, resolution, named, capabilities, cancellation);
    const client = clientOf(held ?? request.channel, said, capabilities, session && live && { session, live, newId: () => this.deps.ids.uuid() });
    const call: Call = {
      ...base,
      client: held ? { ...client, conversation: this.deps.conversationOf(request.principal, capabilities), ask: (question, until) => held.ask(question, until) } : client,
    };
    if (held) {
      void run(call).then((answer) => held.end(answer));
      return this.turn(inbound, held);
    }
    // A modern client that hangs up has cancelled; a legacy one says so, and may come back for the answer.
    const forget = live ? live.running(JSON.stringify(inbound.id), cancellation) : request.channel.onGone(() => cancellation.cancel('cancelled'));
    try {
      return await this.settled(call, exchange, run);
    } finally {
      forget();
    }
  }

  /** Waits for people, and has the call executed when they approve while its client is there. */
  private async wait(asked: Waiting, held: Pick<HeldAnswer, 'ticket' | 'why'>, leg: number): Promise<McpReply> {
    const { inbound, exchange, method, named, said } = asked;
    const { request, view } = exchange;
    const token = said.progressToken;
    const progress = token === undefined ? undefined : (params: string): void => void request.channel.send(notification('notifications/progress', withMembers(params, { progressToken: JSON.stringify(token) })));
    let { ticket } = held;
    for (;;) {
      const end = await this.deps.lanes.wait(inbound, exchange, { ...held, ticket }, named, leg, progress);
      if (end.kind === 'reply') return end.reply;
      if (end.kind === 'answer') return this.reply(inbound, method, end.answer, end.ticket);
      const asHeld = await this.deps.approvals.request(end.ticket.tenant, end.ticket.approval);
      if (!asHeld) return this.reply(inbound, method, notExecuted({ id: end.ticket.call }, 'approval_not_found'), end.ticket);
      const now = this.deps.viewNow(request.principal, asHeld.endpoint) ?? view;
      const resolution = await this.deps.visible.anew(now, method, asHeld.name);
      const call = heldCall(end.ticket, { ...asHeld, principal: request.principal }, { client: undefined, cancellation: new Cancellation(), receivedUs: exchange.receivedUs });
      const input = this.inputFor(call, exchange, resolution);
      const answer = await this.perform(asked, call, resolution, (one) => this.deps.calls.release(end.ticket, input ? { ...one, input } : one, now.registry, resolution));
      if ('status' in answer) return answer;
      const later = answer.kind === 'refused' && ELSEWHERE.has(answer.code) ? await this.deps.approvals.find(end.ticket.tenant, end.ticket.approval) : null;
      // Where it still looks approved, asking again would be refused again: its time may be over, and nobody has said so yet.
      if (answer.kind !== 'held' && (!later || later.status === 'approved')) return this.reply(inbound, method, answer, end.ticket);
      ticket = later ?? end.ticket;
    }
  }

  /**
   * What a server of the 2026 era wants to know before it does what people approved, asked of a client of the older one. The approval is
   * used once, so all of it is one call; what allowed it must allow it still when the answers are there.
   */
  private inputFor(call: Call, { session, request, view }: Exchange, released: Resolution): Call['input'] {
    if (!session) return undefined;
    const live = this.deps.live.of(session);
    const hash = released.kind === 'offer' ? released.offer.hash : null;
    return async (wanted) => {
      const given = await answersFor(wanted, (question) => live.ask(this.deps.ids.uuid(), question, request.channel, call.cancellation));
      if ('refused' in given) return given;
      const now = this.deps.viewNow(request.principal, call.endpoint) ?? view;
      const code = this.deps.calls.whyNotOn(call, now.registry, await this.deps.visible.anew(now, call.method, call.name), hash);
      return code === null ? given : { refused: errorCatalogue[code].sentence, code };
    };
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
  private async comeBack(asked: Waiting, resolution: Resolution): Promise<McpReply | undefined> {
    const { inbound, exchange, method, own, named } = asked;
    const { id, params } = inbound;
    const { request } = exchange;
    const found = this.deps.held.find(params['requestState'], request.principal, named());
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
    const answer = await this.turn(inbound, call);
    if ('status' in answer) return answer;
    return answer.kind === 'held' ? this.wait(asked, answer, 1) : this.reply(inbound, method, answer);
  }

  /** The end of a call that can ask its client, or a reply with its questions. */
  private async turn(inbound: RpcRequest, held: HeldCall): Promise<CallAnswer | HeldAnswer | McpReply> {
    const turn = await held.next();
    if (turn.kind === 'answered') return turn.answer;
    const questions = turn.questions.map(({ name, request }) => `${JSON.stringify(name)}:{"method":${JSON.stringify(request.method)},"params":${request.params}}`);
    return resultReply(inbound.id, `{"resultType":"input_required","inputRequests":{${questions.join(',')}},"requestState":${JSON.stringify(turn.state)}}`);
  }

  /**
   * Runs the call. Where a server of the 2026 era wants more input from a client of the older one, the client is asked here, and the
   * server is called again with what it said: a call of its own, judged and recorded like the first.
   */
  private async settled(call: Call, { session, request }: Exchange, run: (call: Call) => Promise<CallAnswer | HeldAnswer>): Promise<CallAnswer | HeldAnswer> {
    const live = session && this.deps.live.of(session);
    for (let round = 0; ; round++) {
      const answer = await run(call);
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

  private reply({ id, era }: RpcRequest, method: CallMethod, answer: CallAnswer, approved?: Ticket): McpReply {
    switch (answer.kind) {
      case 'refused':
        if (answer.code === 'tasks_not_declared' && era === 'modern') return errorReply(new Refusal(answer.code, undefined, { ...NEEDS_TASKS, callId: answer.call }), id);
        return method === 'tools/call' ? resultReply(id, refusedResult(answer, era, approved)) : refusedErrorReply(id, answer, era);
      case 'error':
        return upstreamErrorReply(id, answer.text, era);
      case 'result':
        return resultReply(id, approvedResult(inEra(answer.text, answer.resultType, era, method), approved));
    }
  }
}
