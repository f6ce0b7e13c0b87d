import { canonicalJson, CanonicalText, type ErrorCode, errorCatalogue, type EventData, Refusal } from '#libs/contracts';
import { type Clock, type Ids, type Recorder, RecorderRefusal, RecorderTimeout } from '#libs/ports';
import { withMembers } from '../mcp/json-text.ts';
import { outgoingParamHeaders } from '../mcp/param-headers.ts';
import { decide, type Decision, EVALUATOR } from '../policy/decide.ts';
import type { Offer } from '../registry/offer.ts';
import type { TenantRegistry } from '../registry/registry.ts';
import type { Resolution } from '../registry/visible.ts';
import type { UpstreamAnswer, Upstreams } from '../upstream/upstreams.ts';
import type { Call, CallAnswer, RefusedCall } from './call.ts';
import { abandonedDraft, type ArgumentFacts, completedDraft, decidedDraft, requestedDraft } from './call-drafts.ts';
import type { CallsInFlight } from './calls-in-flight.ts';
import { type Outcome, readAnswer } from './outcome.ts';
import type { ArgumentValidator, Freshness } from './ports.ts';

export interface CallDependencies {
  readonly recorder: Recorder;
  readonly upstreams: Pick<Upstreams, 'call'>;
  readonly validator: ArgumentValidator;
  readonly freshness: Freshness;
  readonly clock: Clock;
  readonly ids: Ids;
  /** base64url SHA-256 of a text. */
  readonly digest: (text: string) => string;
  readonly inFlight: CallsInFlight;
  /** How long a call waits for its records before, and after, it is executed. */
  readonly admissionTimeoutMs: number;
  readonly outcomeTimeoutMs: number;
  /** A fault of Holdfast itself, for the operators' log. */
  readonly onFault: (error: unknown, call: string) => void;
}

/** How a call was settled before anything was sent. */
interface Verdict {
  readonly decision: EventData<'policy.decided'>;
  /** Why the agent is refused; undefined when the call goes ahead. */
  readonly refusal?: { readonly code: ErrorCode; readonly sentence: string };
}

/**
 * The life of a call, in the order that the promises I1 to I3 ask for: it is judged, the request and the decision become durable, it
 * is sent once, its outcome becomes durable, and only then it is answered. A call that is refused leaves the same two records.
 */
export class Calls {
  constructor(private readonly deps: CallDependencies) {}

  async run(call: Call, registry: TenantRegistry, resolution: Resolution): Promise<CallAnswer> {
    const entered = this.deps.inFlight.enter(
      { call: call.id, tenant: call.principal.tenant, tool: call.name, sinceUs: call.receivedUs },
      call.cancellation,
    );
    if (typeof entered === 'string') return notExecuted(call, entered);
    try {
      return await this.admit(call, registry, resolution);
    } catch (error) {
      // Nothing was sent: from the moment of dispatch on, no exception leaves `execute`.
      this.deps.onFault(error, call.id);
      return notExecuted(call, 'internal');
    } finally {
      entered.leave();
    }
  }

  private async admit(call: Call, registry: TenantRegistry, resolution: Resolution): Promise<CallAnswer> {
    const { clock, ids, digest } = this.deps;
    const canonical = canonicalJson(call.args ?? {});
    const args: ArgumentFacts = { canonical: new CanonicalText(canonical), digest: digest(canonical), bytes: call.argsBytes };
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
      return this.notRecorded(call, decided, allowed !== undefined, error);
    }
    if (!allowed) return notExecuted(call, verdict.refusal?.code ?? 'internal', verdict.refusal?.sentence);
    // The wait for the journal may have been long: a broker that lost touch meanwhile, or was given up, sends nothing any more.
    const stale = this.stale();
    if (stale) return this.abandon(call, decided, stale);
    return this.execute(call, allowed, decided, { policyUs: judgedUs - judgedFromUs, logUs: clock.monotonicUs() - judgedUs });
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
        },
        now: this.deps.clock.now(),
      },
      this.deps.digest,
    );
  }

  /** The records did not become durable in time, or at all: nothing is sent, whatever the decision was. */
  private notRecorded(call: Call, decided: string, allowed: boolean, error: unknown): RefusedCall {
    if (error instanceof RecorderTimeout) {
      // The allowing decision will still reach the log; this says what became of it. Nobody waits: the agent is told either way.
      if (allowed) {
        this.deps.recorder
          .record([abandonedDraft(call, decided, 'journal_late')], { mustKeep: true })
          .catch((reason: unknown) => this.deps.onFault(reason, call.id));
      }
      return notExecuted(call, 'journal_unavailable');
    }
    if (error instanceof RecorderRefusal) return notExecuted(call, REFUSED_BY_RECORDER[error.reason]);
    this.deps.onFault(error, call.id);
    return notExecuted(call, 'journal_unavailable');
  }

  /** The call was allowed and is on record, and is not sent after all. */
  private async abandon(call: Call, decided: string, reason: Refusal): Promise<RefusedCall> {
    try {
      await this.deps.recorder.record([abandonedDraft(call, decided, 'state_stale')], { mustKeep: true, timeoutMs: this.deps.outcomeTimeoutMs });
    } catch (error) {
      if (!(error instanceof RecorderTimeout)) this.deps.onFault(error, call.id);
    }
    return notExecuted(call, reason.code, reason.message);
  }

  /** From here on the call may have happened. Every way out of this function has tried to record what is known of it. */
  private async execute(
    call: Call,
    tool: Offer,
    decided: string,
    spent: { policyUs: number; logUs: number },
  ): Promise<CallAnswer> {
    const { clock } = this.deps;
    const sentUs = clock.monotonicUs();
    const outcome = await this.dispatch(call, tool);
    const answeredUs = clock.monotonicUs();
    const data: EventData<'call.completed'> = {
      outcome: outcome.outcome,
      class: tool.class,
      ...(outcome.errorClass === undefined ? {} : { errorClass: outcome.errorClass }),
      upstream: { server: tool.server.id, requestId: call.id },
      ...(outcome.resultDigest === undefined ? {} : { resultDigest: outcome.resultDigest }),
      resultBytes: outcome.resultBytes,
      latency: {
        totalUs: us(answeredUs - call.receivedUs),
        policyUs: us(spent.policyUs),
        logUs: us(spent.logUs),
        upstreamUs: us(answeredUs - sentUs),
      },
      rollback: rollback(tool),
    };
    try {
      await this.recordOutcome(call, decided, data, outcome.seal);
      return outcome.answer;
    } catch (error) {
      if (!(error instanceof RecorderTimeout)) this.deps.onFault(error, call.id);
      return beingRecorded(call, outcome);
    }
  }

  private async dispatch(call: Call, tool: Offer): Promise<Outcome> {
    let answer: UpstreamAnswer;
    try {
      answer = await this.deps.upstreams.call(tool.registered.upstream, {
        requestId: call.id,
        method: call.method,
        named: tool.name,
        params: call.name === tool.name ? call.params : withMembers(call.params, { name: JSON.stringify(tool.name) }),
        meta: call.upstreamMeta,
        paramHeaders: tool.paramHeaders.length === 0 ? {} : outgoingParamHeaders(tool.paramHeaders, call.args),
        timeoutMs: tool.registered.upstream.limits.timeoutMs,
        cancellation: call.cancellation,
        ...(call.client === undefined ? {} : { client: call.client }),
      });
      return readAnswer(call, answer, this.deps.digest, (result) => this.contradiction(tool, result));
    } catch (error) {
      this.deps.onFault(error, call.id);
      return readAnswer(call, { kind: 'lost', reason: 'broken' }, this.deps.digest);
    }
  }

  /** How a result contradicts what its server says of it; the rules only. Undefined when it does not, or when the schema is of no use. */
  private contradiction({ hash, outputSchema }: Offer, structured: unknown): string | undefined {
    if (!outputSchema || hash === null) return undefined;
    if (structured === undefined) return 'there is no structured content';
    const problem = this.deps.validator.check(`${hash} result`, outputSchema, structured);
    return problem && !problem.unusable ? problem.recorded : undefined;
  }

  private async recordOutcome(
    call: Call,
    decided: string,
    data: EventData<'call.completed'>,
    seal: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const options = { mustKeep: true, timeoutMs: this.deps.outcomeTimeoutMs };
    try {
      await this.deps.recorder.record([completedDraft(call, decided, data, seal)], options);
    } catch (error) {
      if (error instanceof RecorderTimeout || error instanceof RecorderRefusal) throw error;
      // The value could not be sealed. That the call happened, and how it ended, is recorded all the same.
      this.deps.onFault(error, call.id);
      await this.deps.recorder.record([completedDraft(call, decided, data, {})], options);
    }
  }
}

const NOT_FOUND = {
  'tools/call': { code: 'tool_not_found', noun: 'tool' },
  'prompts/get': { code: 'prompt_not_found', noun: 'prompt' },
  'resources/read': { code: 'resource_not_found', noun: 'resource' },
} as const;
const REFUSED_BY_RECORDER = { full: 'overloaded', down: 'journal_unavailable', stopped: 'stopping' } as const;

function judged(decision: Decision): Verdict {
  if (decision.effect === 'allow') return { decision: { ...decision, stage: 'policy' } };
  if (decision.effect === 'require_approval') {
    const code = 'approval_unavailable';
    const sentence = `${errorCatalogue[code].sentence} (${decision.reason})`;
    return { decision: { ...decision, stage: 'approval', code }, refusal: { code, sentence } };
  }
  const code = decision.code ?? 'policy_denied';
  const why = code === 'policy_denied' && decision.rule !== null ? ` (${decision.reason})` : '';
  return { decision: { ...decision, stage: 'policy', code }, refusal: { code, sentence: `${errorCatalogue[code].sentence}${why}` } };
}

function notExecuted(call: Call, code: ErrorCode, sentence: string = errorCatalogue[code].sentence): RefusedCall {
  return { kind: 'refused', call: call.id, code, sentence, disposition: 'not_executed' };
}

/** The outcome is on its way into the log but not there yet, so the agent may not have the result; it must not repeat the call either. */
function beingRecorded(call: Call, outcome: Outcome): CallAnswer {
  const { answer } = outcome;
  if (answer.kind === 'refused' && answer.disposition !== 'executed') return answer;
  const code = 'outcome_being_recorded';
  // An error or a question of the server does not say that it did what it was asked.
  const told = answer.kind === 'refused' || outcome.outcome === 'succeeded' || outcome.errorClass === 'tool_error';
  const sentence = told ? errorCatalogue[code].sentence : 'The server answered, and its answer is being recorded; do not repeat the call.';
  return { kind: 'refused', call: call.id, code, sentence, disposition: told ? 'executed' : 'unknown' };
}

function rollback(tool: Offer): EventData<'call.completed'>['rollback'] {
  if (tool.class === 'read' || tool.class === 'read-sensitive') return 'not-needed';
  return tool.compensated ? 'available' : 'none-declared';
}

function us(duration: number): number {
  return Math.max(0, Math.round(duration));
}
