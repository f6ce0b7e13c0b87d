import { canonicalJson, CanonicalText, type ErrorCode, errorCatalogue, type EventData, Refusal } from '#libs/contracts';
import type { Approvals, Clock, Held, Ids, Recorder, Ticket } from '#libs/ports';
import { memberText } from '../mcp/json-text.ts';
import { judgedParams } from '../mcp/relayed-params.ts';
import { decide, type Decision, EVALUATOR } from '../policy/decide.ts';
import type { Offer } from '../registry/offer.ts';
import type { TenantRegistry } from '../registry/registry.ts';
import type { Resolution } from '../registry/visible.ts';
import type { Call, CallAnswer, HeldAnswer } from './call.ts';
import { type ArgumentFacts, decidedDraft, joinedDraft, requestedDraft } from './call-drafts.ts';
import type { CallsInFlight } from './calls-in-flight.ts';
import { Execution, type ExecutionDependencies } from './execution.ts';
import { holdRequest } from './held-request.ts';
import type { Freshness } from './ports.ts';
import { notExecuted } from './refused.ts';
import { Releases } from './releases.ts';

export interface CallDependencies extends ExecutionDependencies {
  readonly freshness: Freshness;
  readonly approvals: Approvals;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly inFlight: CallsInFlight;
  /** How long a call waits for its records before it is executed. */
  readonly admissionTimeoutMs: number;
  /** Whether who asked for a call could ask for it now. */
  readonly stands: (principal: Call['principal']) => boolean;
}

/** How a call was settled before anything was sent. */
interface Verdict {
  readonly decision: EventData<'policy.decided'>;
  /** Why the agent is refused; undefined when the call goes ahead, or is held. */
  readonly refusal?: { readonly code: ErrorCode; readonly sentence: string };
  /** Policy asks for people. */
  readonly hold?: Decision;
}

/**
 * The life of a call, in the order that the promises I1 to I3 ask for: it is judged, the request and the decision become durable, it
 * is sent once, its outcome becomes durable, and only then it is answered. A call that is refused leaves the same two records.
 */
export class Calls {
  private readonly execution: Execution;
  private readonly releases: Releases;

  constructor(private readonly deps: CallDependencies) {
    this.execution = new Execution(deps);
    this.releases = new Releases({ ...deps, execution: this.execution, decide: (call, registry, tool, args) => this.decide(call, registry, tool, args), stale: () => this.stale(), facts: factsOf });
  }

  run(call: Call, registry: TenantRegistry, resolution: Resolution): Promise<CallAnswer | HeldAnswer> {
    return this.inFlight(call, () => this.admit(call, registry, resolution));
  }

  /** Executes a held call that people approved, for whoever waits for it now: once, and only if everything is as they were told. */
  release(ticket: Ticket, call: Call, registry: TenantRegistry, resolution: Resolution): Promise<CallAnswer> {
    return this.inFlight(call, () => this.releases.run(ticket, call, registry, resolution));
  }

  /** Why a released call whose server asked for input may not go on, though it was released; null when it may. */
  whyNotOn(call: Call, registry: TenantRegistry, resolution: Resolution, released: string | null): ErrorCode | null {
    const stale = this.stale();
    if (stale) return stale.code;
    if (resolution.kind !== 'offer' || resolution.offer.hash !== released) return 'tool_changed';
    if (!this.deps.stands(call.principal)) return 'requester_invalid';
    return this.decide(call, registry, resolution.offer, factsOf(call, this.deps.digest)).effect === 'deny' ? 'policy_denied' : null;
  }

  private async inFlight<A>(call: Call, work: () => Promise<A>): Promise<A | CallAnswer> {
    const entered = this.deps.inFlight.enter(
      { call: call.id, tenant: call.principal.tenant, tool: call.name, sinceUs: call.receivedUs },
      call.cancellation,
    );
    if (typeof entered === 'string') return notExecuted(call, entered);
    try {
      return await work();
    } catch (error) {
      // Nothing was sent: from the moment of dispatch on, no exception leaves `execute`.
      this.deps.onFault(error, call.id);
      return notExecuted(call, 'internal');
    } finally {
      entered.leave();
    }
  }

  private async admit(call: Call, registry: TenantRegistry, resolution: Resolution): Promise<CallAnswer | HeldAnswer> {
    const { clock, ids } = this.deps;
    const args = factsOf(call, this.deps.digest);
    const judgedFromUs = clock.monotonicUs();
    const verdict = this.judge(call, registry, resolution, args);
    const judgedUs = clock.monotonicUs();
    const requested = ids.uuid();
    const decided = ids.uuid();
    const allowed = verdict.refusal === undefined && resolution.kind === 'offer' ? resolution.offer : undefined;
    try {
      await this.deps.recorder.record(
        [requestedDraft(call, requested, resolution, args), decidedDraft(call, decided, requested, verdict.decision)],
        { timeoutMs: this.deps.admissionTimeoutMs },
      );
    } catch (error) {
      return this.execution.notRecorded(call, decided, allowed !== undefined && !verdict.hold, error);
    }
    if (!allowed) return notExecuted(call, verdict.refusal?.code ?? 'internal', verdict.refusal?.sentence);
    if (verdict.hold) return this.hold(call, registry, allowed, args, verdict.hold);
    // The wait for the journal may have been long: a broker that lost touch meanwhile, or was given up, sends nothing any more.
    const stale = this.stale();
    if (stale) return this.execution.abandon(call, decided, stale);
    const { answer } = await this.execution.run(call, allowed, decided, { policyUs: judgedUs - judgedFromUs, logUs: clock.monotonicUs() - judgedUs });
    return answer;
  }

  /** People are asked, or an equal call is joined; what could not be held is on record like a denial. */
  private async hold(asked: Call, registry: TenantRegistry, tool: Offer, args: ArgumentFacts, decision: Decision): Promise<CallAnswer | HeldAnswer> {
    const call = { ...asked, params: judgedParams(asked.method, asked.params) };
    const rule = registry.policy.rules.find(({ id }) => id === decision.rule);
    if (rule?.onlyTasks && call.lane !== 'task') return this.releases.notHeld(call, decision, 'tasks_not_declared');
    // What was answered to the server belongs to the call as much as its arguments, which alone are compared.
    const plain = !bringsInput(call);
    const joins = (rule?.joins ?? true) && plain;
    let held: Held;
    try {
      held = await this.deps.approvals.hold(holdRequest(call, tool, args, decision, { joins, standing: plain }));
    } catch (error) {
      // It may be held all the same: the log says nothing that nobody knows, and the same call finds it.
      this.deps.onFault(error, call.id);
      return notExecuted(call, 'database_unavailable');
    }
    if (held.kind === 'released') return this.releases.standing(call, tool, decision, held);
    if (held.kind === 'refused') return this.releases.notHeld(call, decision, held.code);
    if (held.kind === 'joined') {
      const joined = await this.recordJoined(call, held.ticket);
      if (joined) return joined;
    }
    return { kind: 'held', call: call.id, ticket: held.ticket, why: decision.reason };
  }

  /** Why nobody may wait for an approval that was joined; undefined once that is on record. */
  private async recordJoined(call: Call, { approval }: Ticket): Promise<CallAnswer | undefined> {
    try {
      await this.deps.recorder.record([joinedDraft(call, approval, this.deps.clock.now())], { timeoutMs: this.deps.admissionTimeoutMs });
      return undefined;
    } catch (error) {
      return this.execution.notRecorded(call, '', false, error);
    }
  }

  /** The checks in their order; the first that speaks against the call settles it. */
  private judge(call: Call, registry: TenantRegistry, resolution: Resolution, args: ArgumentFacts): Verdict {
    const { policy } = registry;
    const against = (stage: EventData<'policy.decided'>['stage'], code: ErrorCode, reason: string, sentence: string): Verdict => ({
      decision: {
        effect: 'deny',
        stage,
        code,
        rule: null,
        matched: [],
        reason,
        policyVersion: policy.version,
        policyDigest: policy.digest,
        inputsDigest: this.deps.digest(canonicalJson({ tenant: policy.tenant, name: call.name, argsDigest: args.digest, stage })),
        evaluator: EVALUATOR,
      },
      refusal: { code, sentence },
    });
    if (resolution.kind === 'unreachable') {
      const { sentence } = errorCatalogue.upstream_unreachable;
      return against('resolve', 'upstream_unreachable', 'the server has not told its tools', sentence);
    }
    if (resolution.kind !== 'offer') {
      const { code, noun } = NOT_FOUND[call.method];
      const reason = resolution.kind === 'hidden' ? `the ${noun} is not visible to this caller` : `there is no such ${noun}`;
      return against('resolve', code, reason, errorCatalogue[code].sentence);
    }
    const tool = resolution.offer;
    const problem = tool.inputSchema && tool.hash !== null ? this.deps.validator.check(tool.hash, tool.inputSchema, call.args ?? {}) : null;
    if (problem)
      return against('arguments', 'arguments_invalid', problem.recorded, `${errorCatalogue.arguments_invalid.sentence} ${problem.told}`);
    const stale = this.stale();
    if (stale) return against('policy', stale.code, stale.message, stale.message);
    return judged(this.decide(call, registry, tool, args));
  }

  /** Why the broker may not judge or send right now, if so. */
  private stale(): Refusal | undefined {
    try {
      this.deps.freshness.assertFresh();
      return undefined;
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  }

  private decide(call: Call, registry: TenantRegistry, tool: Offer, args: ArgumentFacts): Decision {
    return decide(
      registry.policy,
      {
        principal: call.principal,
        tool,
        args: call.args ?? {},
        argsDigest: args.digest,
        argsBytes: args.bytes,
        context: {
          endpoint: call.endpoint,
          protocol: call.protocol,
          ...(call.ip === undefined ? {} : { ip: call.ip }),
          ...(call.run === undefined ? {} : { run: call.run }),
          ...(bringsInput(call) ? { input: 'given' as const } : {}),
        },
        now: this.deps.clock.now(),
      },
      this.deps.digest,
    );
  }
}

/** Whether a request brings what its server asked for before. */
function bringsInput({ params }: Call): boolean {
  return memberText(params, 'inputResponses') !== undefined || memberText(params, 'requestState') !== undefined;
}

const NOT_FOUND = {
  'tools/call': { code: 'tool_not_found', noun: 'tool' },
  'prompts/get': { code: 'prompt_not_found', noun: 'prompt' },
  'resources/read': { code: 'resource_not_found', noun: 'resource' },
} as const;
function judged(decision: Decision): Verdict {
  if (decision.effect === 'allow') return { decision: { ...decision, stage: 'policy' } };
  if (decision.effect === 'require_approval') {
    return { decision: { ...decision, stage: 'approval' }, hold: decision };
  }
  const code = decision.code ?? 'policy_denied';
  const why = code === 'policy_denied' && decision.rule !== null ? ` (${decision.reason})` : '';
  return { decision: { ...decision, stage: 'policy', code }, refusal: { code, sentence: `${errorCatalogue[code].sentence}${why}` } };
}

function factsOf(call: Call, digest: (text: string) => string): ArgumentFacts {
  const canonical = canonicalJson(call.args ?? {});
  return { canonical: new CanonicalText(canonical), digest: digest(canonical), bytes: call.argsBytes };
}
