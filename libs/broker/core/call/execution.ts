import type { EventData, Refusal } from '#libs/contracts';
import { type Clock, type Recorder, RecorderRefusal, RecorderTimeout } from '#libs/ports';
import { withMembers } from '../mcp/json-text.ts';
import { outgoingParamHeaders } from '../mcp/param-headers.ts';
import type { Offer } from '../registry/offer.ts';
import type { UpstreamAnswer, Upstreams } from '../upstream/upstreams.ts';
import type { Call, CallAnswer, RefusedCall } from './call.ts';
import { abandonedDraft, completedDraft } from './call-drafts.ts';
import { noInput, type Outcome, readAnswer } from './outcome.ts';
import type { ArgumentValidator } from './ports.ts';
import { beingRecorded, notExecuted, REFUSED_BY_RECORDER } from './refused.ts';

export interface ExecutionDependencies {
  readonly recorder: Recorder;
  readonly upstreams: Pick<Upstreams, 'call'>;
  readonly validator: ArgumentValidator;
  readonly clock: Clock;
  /** base64url SHA-256 of a text. */
  readonly digest: (text: string) => string;
  /** How long a call waits for its outcome's record. */
  readonly outcomeTimeoutMs: number;
  /** A fault of Holdfast itself, for the operators' log. */
  readonly onFault: (error: unknown, call: string) => void;
}

/** How often a server may ask for input before one call. */
const MAX_ROUNDS = 10;

/** The answer to a call, and how it ended when its record is durable. */
export interface Executed {
  readonly answer: CallAnswer;
  readonly outcome?: Outcome['outcome'];
}

/** From an allowing decision on: the call is sent once, its outcome becomes durable, and only then it is answered. */
export class Execution {
  constructor(private readonly deps: ExecutionDependencies) {}

  /** From here on the call may have happened. Every way out of this function has tried to record what is known of it. */
  async run(call: Call, tool: Offer, decided: string, spent: { policyUs: number; logUs: number }): Promise<Executed> {
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
      return { answer: outcome.answer, outcome: outcome.outcome };
    } catch (error) {
      if (!(error instanceof RecorderTimeout)) this.deps.onFault(error, call.id);
      return { answer: beingRecorded(call, outcome) };
    }
  }

  /** The records did not become durable in time, or at all: nothing is sent, whatever the decision was. */
  notRecorded(call: Call, decided: string, allowed: boolean, error: unknown): RefusedCall {
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
  async abandon(call: Call, decided: string, reason: Refusal): Promise<RefusedCall> {
    try {
      await this.deps.recorder.record([abandonedDraft(call, decided, 'state_stale')], { mustKeep: true, timeoutMs: this.deps.outcomeTimeoutMs });
    } catch (error) {
      if (!(error instanceof RecorderTimeout)) this.deps.onFault(error, call.id);
    }
    return notExecuted(call, reason.code, reason.message);
  }

  /**
   * Sends the call, and again with what its server wants to know first, where somebody can be asked for it. A server that asks has done
   * nothing yet, so all of it is one call with one outcome; each leg is sent once.
   */
  private async dispatch(call: Call, tool: Offer): Promise<Outcome> {
    let leg = call;
    for (let round = 1; ; round++) {
      const outcome = await this.send(leg, tool, round === 1 ? call.id : `${call.id}.${round}`);
      const { answer } = outcome;
      if (!call.input || answer.kind !== 'result' || answer.resultType !== 'input_required') return outcome;
      if (round === MAX_ROUNDS) return noInput(call, `The upstream server asked for more input ${MAX_ROUNDS} times.`);
      const given = await call.input(answer.text);
      if ('refused' in given) return noInput(call, given.refused, given.code);
      leg = { ...call, params: withMembers(call.params, { requestState: undefined, inputResponses: undefined, ...given.members }) };
    }
  }

  private async send(call: Call, tool: Offer, requestId: string): Promise<Outcome> {
    let answer: UpstreamAnswer;
    try {
      answer = await this.deps.upstreams.call(tool.registered.upstream, {
        requestId,
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

  private async recordOutcome(call: Call, decided: string, data: EventData<'call.completed'>, seal: Readonly<Record<string, unknown>>): Promise<void> {
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

function rollback(tool: Offer): EventData<'call.completed'>['rollback'] {
  if (tool.class === 'read' || tool.class === 'read-sensitive') return 'not-needed';
  return tool.compensated ? 'available' : 'none-declared';
}

function us(duration: number): number {
  return Math.max(0, Math.round(duration));
}
