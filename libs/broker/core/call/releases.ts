import { type ErrorCode, errorCatalogue, type Refusal } from '#libs/contracts';
import type { Approvals, Clock, Held, Ids, Recorder, Ticket } from '#libs/ports';
import type { Decision } from '../policy/decide.ts';
import type { Offer } from '../registry/offer.ts';
import type { TenantRegistry } from '../registry/registry.ts';
import type { Resolution } from '../registry/visible.ts';
import type { Call, CallAnswer, RefusedCall } from './call.ts';
import { type ArgumentFacts, decidedDraft, notHeldDraft, notReleasedDraft } from './call-drafts.ts';
import type { Executed, Execution } from './execution.ts';
import { identityOf } from './held-request.ts';
import type { ArgumentValidator } from './ports.ts';
import { notExecuted } from './refused.ts';

export interface ReleaseDependencies {
  readonly approvals: Approvals;
  readonly execution: Execution;
  readonly recorder: Recorder;
  readonly validator: ArgumentValidator;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly digest: (text: string) => string;
  readonly admissionTimeoutMs: number;
  readonly decide: (call: Call, registry: TenantRegistry, tool: Offer, args: ArgumentFacts) => Decision;
  readonly facts: (call: Call, digest: (text: string) => string) => ArgumentFacts;
  /** Why the broker may not judge or send right now, if so. */
  readonly stale: () => Refusal | undefined;
  readonly stands: (principal: Call['principal']) => boolean;
  readonly onFault: (error: unknown, call: string) => void;
}

/** Refusals of tasks that are remembered, to be noted once. */
const MAX_NOTED = 10_000;

/** Held calls on their way out: what people approved is checked again, claimed once, and executed by whoever has the claim. */
export class Releases {
  private readonly noted = new Set<string>();

  constructor(private readonly deps: ReleaseDependencies) {}

  async run(ticket: Ticket, call: Call, registry: TenantRegistry, resolution: Resolution): Promise<CallAnswer> {
    const { clock, digest, approvals, recorder, ids } = this.deps;
    if (resolution.kind === 'unreachable') return this.refuse(call, 'upstream_unreachable');
    if (resolution.kind !== 'offer') return this.refuse(call, 'tool_changed');
    const tool = resolution.offer;
    const args = this.deps.facts(call, digest);
    const stale = this.deps.stale();
    if (stale) return notExecuted(call, stale.code, stale.message);
    // The claim would be of no use without a log, and it is the only one.
    if (!recorder.healthy) return notExecuted(call, 'journal_unavailable');
    const problem = tool.inputSchema && tool.hash !== null ? this.deps.validator.check(tool.hash, tool.inputSchema, call.args ?? {}) : null;
    if (problem) return this.refuse(call, 'arguments_invalid');
    const judgedFromUs = clock.monotonicUs();
    const decision = this.deps.decide(call, registry, tool, args);
    const judgedUs = clock.monotonicUs();
    const claimed = await approvals.claim(ticket.tenant, ticket.approval, {
      broker: recorder.instance,
      identity: identityOf(call, tool),
      args: { digest: args.digest, absent: call.args === undefined },
      requesterValid: this.deps.stands(call.principal),
      policy: { version: decision.policyVersion, effect: decision.effect, flow: decision.flow },
    });
    if (!claimed.ok) return this.refuse(call, claimed.code);
    // The right is used. Whatever comes now, nobody else executes this call, so its end is told to those who wait.
    const done = await this.claimed(call, tool, decision, claimed.journaled, ids.uuid(), { policyUs: judgedUs - judgedFromUs, fromUs: judgedUs });
    await this.settle(ticket, call, done);
    return done.answer;
  }

  /** A standing approval released the call before anybody was asked. */
  async standing(call: Call, registry: TenantRegistry, tool: Offer, args: ArgumentFacts, held: Extract<Held, { kind: 'released' }>): Promise<CallAnswer> {
    const released = { ...call, approval: held.standing };
    const decision = this.deps.decide(released, registry, tool, args);
    const { answer } = await this.claimed(released, tool, decision, held.journaled, this.deps.ids.uuid(), { policyUs: 0, fromUs: this.deps.clock.monotonicUs() });
    return answer;
  }

  /** The call needed people and was not held. */
  async notHeld(call: Call, decision: Decision, code: ErrorCode): Promise<RefusedCall> {
    await this.note(call, notHeldDraft(call, decision, code, this.deps.clock.now()));
    const hint = code === 'reason_required' ? ' Say why you call in params._meta["dev.holdfast/reason"].' : '';
    return { ...notExecuted(call, code, `${errorCatalogue[code].sentence}${hint} (${decision.reason})`), why: decision.reason };
  }

  private async claimed(call: Call, tool: Offer, decision: Decision, journaled: (timeoutMs: number) => Promise<boolean>, decided: string, spent: { policyUs: number; fromUs: number }): Promise<Executed> {
    const { execution, recorder, admissionTimeoutMs, clock } = this.deps;
    if (!(await journaled(admissionTimeoutMs))) return { answer: notExecuted(call, 'journal_unavailable'), outcome: 'failed' };
    const allowed = { ...decision, effect: 'allow', stage: 'approval' } as const;
    try {
      await recorder.record([decidedDraft(call, decided, undefined, allowed)], { timeoutMs: admissionTimeoutMs });
    } catch (error) {
      return { answer: execution.notRecorded(call, decided, true, error), outcome: 'failed' };
    }
    const stale = this.deps.stale();
    if (stale) return { answer: await execution.abandon(call, decided, stale), outcome: 'failed' };
    return execution.run(call, tool, decided, { policyUs: spent.policyUs, logUs: clock.monotonicUs() - spent.fromUs });
  }

  /** Without a durable outcome nothing is said here; the approval is settled from the log when it is there. */
  private async settle({ tenant, approval }: Ticket, call: Call, { answer, outcome }: Executed): Promise<void> {
    if (outcome === undefined) return;
    const settled = outcome === 'succeeded' ? 'executed' : outcome;
    try {
      await this.deps.approvals.settle(tenant, approval, settled, JSON.stringify(answer));
    } catch (error) {
      this.deps.onFault(error, call.id);
    }
  }

  private async refuse(call: Call, code: ErrorCode): Promise<RefusedCall> {
    if (!OTHERS.has(code) && this.isNews(call, code)) await this.note(call, notReleasedDraft(call, code, this.deps.clock.now()));
    return notExecuted(call, code);
  }

  /** A task is tried again and again; that it is refused for one reason is said once. */
  private isNews({ lane, approval, principal }: Call, code: ErrorCode): boolean {
    if (lane !== 'task') return true;
    const name = `${principal.tenant} ${approval} ${code}`;
    if (this.noted.has(name)) return false;
    if (this.noted.size >= MAX_NOTED) this.noted.clear();
    this.noted.add(name);
    return true;
  }

  private async note(call: Call, draft: Parameters<Recorder['record']>[0][number]): Promise<void> {
    try {
      await this.deps.recorder.record([draft], { timeoutMs: this.deps.admissionTimeoutMs });
    } catch (error) {
      this.deps.onFault(error, call.id);
    }
  }
}

/** Somebody else decided or was faster; the log says so already. */
const OTHERS: ReadonlySet<ErrorCode> = new Set(['approval_pending', 'approval_claimed', 'approval_denied', 'approval_expired', 'approval_cancelled', 'approval_killed', 'approval_not_found', 'decision_stale', 'upstream_unreachable']);
