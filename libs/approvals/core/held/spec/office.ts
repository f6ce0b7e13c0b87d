import type { Binding } from '../binding.ts';
import type { Accepted, Claim, Command, Facts, Open } from '../commands.ts';
import { decide } from '../decide.ts';
import { type DirectoryFacts, directoryOf } from '../directory.ts';
import type { ApprovalEvent } from '../events.ts';
import { evolve } from '../evolve.ts';
import type { Flow, FlowStep } from '../flow.ts';
import type { HeldCall } from '../state.ts';

/** What the specs of held calls share: one call of one agent, a flow of two steps, and the people of an office. */

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
/** When every call of these specs is held. */
export const T0 = 1_800_000_000_000;

export const original = { digest: 'A'.repeat(43), absent: false } as const;
export const edited = { digest: 'B'.repeat(43), absent: false } as const;

export const binding: Binding = {
  tenant: 'acme',
  user: 'rita',
  client: 'claude-code',
  agent: 'billing-bot',
  server: 'billing',
  method: 'tools/call',
  tool: 'refund',
  toolHash: 'H'.repeat(43),
  args: original,
  policyVersion: 7,
  createdAt: T0,
};

export const step = (more: Partial<FlowStep> = {}): FlowStep => ({ name: 'finance', approvers: { groups: ['finance'] }, need: 1, deny: 1, reminders: null, escalation: null, ...more });

export const flow = (more: Partial<Flow> = {}): Flow => ({
  id: 'two-steps',
  digest: 'F'.repeat(43),
  expiresInMs: HOUR,
  grantForMs: 30 * MINUTE,
  requesterReason: 'optional',
  approverReason: 'optional',
  breakGlass: null,
  steps: [step({ need: 2 }), step({ name: 'lead', approvers: { users: ['lena'] } })],
  ...more,
});

const person = (id: string, groups: readonly string[] = [], roles: readonly string[] = []): DirectoryFacts['people'][number] => ({ id, groups, roles, active: true });

/** rita asks; olga owns her agent; ada, ben and cleo decide about finance, with rita and olga in the same group. */
export const people = [
  person('rita', ['finance']),
  person('olga', ['finance']),
  person('ada', ['finance']),
  person('ben', ['finance']),
  person('cleo', ['finance'], ['approver']),
  person('lena', ['leads']),
  person('otto', [], ['operator']),
  person('dora'),
  person('emil'),
];

export const office: DirectoryFacts = { people, agentOwners: { 'billing-bot': 'olga' }, serverOwners: { billing: 'team-billing' } };

export const without = (...left: string[]): DirectoryFacts => ({ ...office, people: people.map((one) => ({ ...one, active: one.active && !left.includes(one.id) })) });

export const facts = (now: number = T0, directory: DirectoryFacts = office): Facts => ({ now, directory: directoryOf(directory) });

export const openCommand = (more: Partial<Open> = {}): Open => ({
  type: 'open',
  id: 'ap-1',
  call: 'call-1',
  rule: 'refunds-need-two',
  binding,
  flow: flow(),
  held: { agent: 0, tenant: 0 },
  limits: { agent: null, tenant: null },
  stopped: false,
  ...more,
});

export const claimCommand = (more: Partial<Claim> = {}): Claim => ({
  type: 'claim',
  broker: 'broker-1',
  call: binding,
  args: original,
  requesterValid: true,
  stopped: false,
  policy: { version: 7, effect: 'require_approval', flow: flow() },
  ...more,
});

/** An approval in a spec: what was accepted so far. `does` must be accepted, `asks` may be refused and changes nothing. */
export class Approval {
  state: HeldCall | null = null;
  readonly events: ApprovalEvent[] = [];
  now = T0;
  directory: DirectoryFacts = office;

  constructor(more: Partial<Open> = {}) {
    this.does(openCommand(more));
  }

  get held(): HeldCall {
    return this.state!;
  }

  /** A code, or the types of the events that would follow. */
  asks(command: Command): string | string[] {
    const decided = decide(this.state, command, facts(this.now, this.directory));
    return decided.ok ? decided.events.map((event) => event.type.replace('approval.', '')) : decided.code;
  }

  does(command: Command): Accepted {
    const decided = decide(this.state, command, facts(this.now, this.directory));
    if (!decided.ok) throw new Error(`${command.type} was refused: ${decided.code}`);
    for (const event of decided.events) {
      this.events.push(event);
      this.state = evolve(this.state, event);
    }
    return decided;
  }

  at(now: number): this {
    this.now = now;
    return this;
  }

  with(directory: DirectoryFacts): this {
    this.directory = directory;
    return this;
  }

  approve = (who: string, more: { reason?: string; version?: number } = {}): Command => ({ type: 'vote', person: who, verdict: 'approve', version: this.held.version, via: 'console', ...more });
  deny = (who: string, more: { reason?: string; version?: number } = {}): Command => ({ type: 'vote', person: who, verdict: 'deny', reason: 'no', version: this.held.version, via: 'console', ...more });
  edit = (who: string, more: Partial<Extract<Command, { type: 'edit' }>> = {}): Command => ({ type: 'edit', person: who, args: edited, value: { amount: 1 }, valid: true, version: this.held.version, via: 'console', ...more });
  breakGlass = (who: string, more: { reason?: string; version?: number } = {}): Command => ({ type: 'break_glass', person: who, reason: 'the plant is on fire', version: this.held.version, via: 'console', ...more });
  delegate = (from: string, to: string, more: { until?: number; step?: string } = {}): Command => ({ type: 'delegate', from, to, until: T0 + HOUR, via: 'console', ...more });
  cancel = (who: string, operator = false): Command => ({ type: 'cancel', person: who, operator, via: 'api' });

  /** The whole flow, by ada, ben and lena. */
  approved(): this {
    for (const who of ['ada', 'ben', 'lena']) this.does(this.approve(who));
    return this;
  }
}
