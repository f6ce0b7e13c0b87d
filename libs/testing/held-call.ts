import type { EventData, EventDraft } from '#libs/contracts';
import type { JournalRecord } from '#libs/ports';
import { callAbandoned, callCompleted, callOutcomeUnknown, callRequested, type Outcome, policyDecided } from './call-drafts.ts';
import { EventWriter } from './event-writer.ts';
import { digestOf, uuidOf } from './named-ids.ts';

type Flow = EventData<'approval.requested'>['flow'];
type ApprovalType = Extract<EventDraft['type'], `approval.${string}`>;
type BoundArguments = EventData<'approval.granted'>['args'];

/** An event before it has bytes, and the name of the process that writes it. Specs change these and then have them written. */
export interface Told {
  readonly by: string;
  readonly draft: EventDraft;
}

const MINUTE = 60_000;
const APPROVALS = 'approvals';
const POLICY = { rule: 'refunds-need-two', policyVersion: 7 };

/** Two of finance, then lena; otto may break the glass. An hour to decide, half an hour to use the grant. */
export const twoSteps: Flow = {
  id: 'two-steps', digest: digestOf('two-steps'), expiresInMs: 60 * MINUTE, grantForMs: 30 * MINUTE,
  requesterReason: 'optional', approverReason: 'optional', breakGlass: { users: ['otto'] },
  steps: [
    { name: 'finance', approvers: { groups: ['finance'] }, need: 2, deny: 2, reminders: { everyMs: 5 * MINUTE, most: 3 }, escalation: { afterMs: 10 * MINUTE, to: { users: ['grace'] } } },
    { name: 'lead', approvers: { users: ['lena'] }, need: 1, deny: 1, reminders: null, escalation: { afterMs: 10 * MINUTE, to: { users: ['grace'] } } },
  ],
};

export interface HeldCallOptions {
  readonly call?: string;
  /** Name of the broker that claims and executes. */
  readonly broker?: string;
  readonly flow?: Flow;
  readonly tenant?: string;
}

/**
 * A call of rita's billing-bot that is held, and everything that is said of it, in the words of those who say it: each method is one
 * event, a minute later than the one before, or together with it where the one is the consequence of the other. olga owns the agent.
 */
export class HeldCall {
  readonly tenant: string;
  readonly call: string;
  readonly approval: string;
  readonly flow: Flow;
  readonly broker: string;
  readonly args: BoundArguments;
  now = 1_800_000_000_000;
  /** When the last event was decided. */
  last = this.now;

  constructor({ call = 'a', broker = 'broker', flow = twoSteps, tenant = 'acme' }: HeldCallOptions = {}) {
    this.tenant = tenant;
    this.call = call;
    this.broker = broker;
    this.flow = flow;
    this.approval = uuidOf(`approval of ${call}`);
    this.args = { digest: digestOf(call), absent: false };
  }

  after(minutes: number): this {
    this.now += minutes * MINUTE;
    return this;
  }

  asked(): Told[] {
    const requested = callRequested(this.tenant, this.call);
    return [
      { by: this.broker, draft: { ...requested, actor: { ...requested.actor, user: 'rita' } } },
      { by: this.broker, draft: policyDecided(this.tenant, this.call, 'require_approval', { ...POLICY, stage: 'approval', code: 'approval_pending', flow: this.flow.id }) },
    ];
  }

  held(): Told[] {
    return [...this.asked(), this.requested(), this.opened(0)];
  }

  requested(data: Partial<EventData<'approval.requested'>> = {}): Told {
    const binding = {
      tenant: this.tenant, user: 'rita', client: 'claude-code', agent: 'billing-bot', server: 'billing', method: 'tools/call' as const, tool: 'refund', toolHash: digestOf('refund'),
      args: this.args, policyVersion: POLICY.policyVersion, createdAt: this.now,
    };
    const { approval, call, flow } = this;
    return this.says('approval.requested', { approval, call, rule: POLICY.rule, binding, flow, agentOwners: ['olga'], expiresAt: this.now + flow.expiresInMs, ...data }, 'rita');
  }

  opened(step: number, round = 0): Told {
    const { name, need, deny } = this.flow.steps[step]!;
    return this.says('approval.step_opened', { step, name, round, need, deny });
  }

  voted(step: number, person: string, more: Partial<EventData<'approval.voted'>> = {}): Told {
    return this.says('approval.voted', { step, round: 0, person, seat: person, verdict: 'approve', argsDigest: this.args.digest, ...more }, person);
  }

  granted(more: Partial<EventData<'approval.granted'>> = {}): Told {
    return this.says('approval.granted', { by: 'quorum', args: this.args, claimUntil: this.last + this.flow.grantForMs, postReview: false, ...more });
  }

  claimed(args = this.args): Told {
    return this.says('approval.claimed', { broker: uuidOf(this.broker), args, toolHash: digestOf('refund'), policyVersion: POLICY.policyVersion });
  }

  settled(outcome: EventData<'approval.settled'>['outcome'] = 'executed'): Told {
    return this.says('approval.settled', { outcome });
  }

  allowed(): Told {
    const draft = policyDecided(this.tenant, this.call, 'allow', { ...POLICY, stage: 'approval' });
    return { by: this.broker, draft: { ...draft, links: { ...draft.links, approval: this.approval } } };
  }

  completed(outcome: Outcome = 'succeeded'): Told {
    return { by: this.broker, draft: callCompleted(this.tenant, this.call, outcome) };
  }

  abandoned(): Told {
    return { by: this.broker, draft: callAbandoned(this.tenant, this.call) };
  }

  /** The broker was lost. */
  unknown(): Told {
    return { by: APPROVALS, draft: callOutcomeUnknown(this.tenant, this.call, uuidOf(this.broker)) };
  }

  /** Another call that repeats this one. */
  joinedBy(call: string): Told[] {
    const again = new HeldCall({ call, broker: this.broker, flow: this.flow, tenant: this.tenant });
    const asked = again.asked().map(({ by, draft }): Told => ({ by, draft: draft.type === 'call.requested' ? { ...draft, data: { ...draft.data, argsDigest: this.args.digest } } : draft }));
    const joined = this.says('approval.joined', { call });
    return [...asked, { by: this.broker, draft: { ...joined.draft, corr: call, links: { call, approval: this.approval } } }];
  }

  /** Up to the grant, as its flow wants it. */
  approved(): Told[] {
    return [...this.held(), this.voted(0, 'ben'), this.voted(0, 'cleo'), this.opened(1), this.voted(1, 'lena'), this.granted()];
  }

  /** The right that was granted, used. */
  executed(): Told[] {
    return [this.claimed(), this.allowed(), this.completed(), this.settled()];
  }

  /** Any event of the approval; by a person, or by the system. */
  says<T extends ApprovalType>(type: T, data: Omit<EventData<T>, 'at'> & { readonly at?: number }, person?: string): Told {
    const follows = CONSEQUENCES.has(type);
    this.last = data.at ?? (follows ? this.last : this.now);
    if (!follows) this.after(1);
    const draft = {
      tenant: this.tenant, corr: this.call, links: { call: this.call, approval: this.approval }, type, data: { ...data, at: this.last },
      actor: person === undefined ? { via: 'system' } : { user: person, via: 'console' },
    };
    return { by: APPROVALS, draft: draft as unknown as EventDraft };
  }
}

const CONSEQUENCES: ReadonlySet<ApprovalType> = new Set(['approval.step_opened', 'approval.granted', 'approval.denied']);

/** Has each event written by its process, in this order. */
export function written(told: readonly Told[]): JournalRecord[] {
  const writers = new Map<string, EventWriter>();
  return told.map(({ by, draft }) => {
    const writer = writers.get(by) ?? new EventWriter(by);
    writers.set(by, writer);
    return writer.write(draft);
  });
}
