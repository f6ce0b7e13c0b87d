import fc from 'fast-check';
import { type ApprovalEvent, type Command, decide, type Directory, directoryOf, evolve, type Flow, type HeldCall as HeldState, isPending } from '#libs/approvals/core';
import { canonicalJson, type EventDraft } from '#libs/contracts';
import { digestOf, HeldCall, type Told, twoSteps, uuidOf } from '#libs/testing';

/** Histories as the code that decides about approvals makes them, and what it says of histories that others made. */

const MINUTE = 60_000;
const PEOPLE = ['ben', 'cleo', 'dan', 'lena', 'rita', 'olga', 'grace', 'otto', 'emil'] as const;
const call = new HeldCall();
const [requested] = call.asked();
const binding = (call.requested().draft as unknown as Extract<ApprovalEvent, { type: 'approval.requested' }>).data.binding;
const ARGUMENTS = [binding.args, ...['one', 'two'].map((name) => ({ digest: digestOf(name), absent: false }))];

/** One event of an approval and the directory it was decided with; or one of its call, which the core does not make. */
export type Step = { readonly event: ApprovalEvent; readonly directory: Directory } | { readonly of: Told };

export type Move =
  | { readonly do: 'vote'; readonly who: number; readonly deny: boolean }
  | { readonly do: 'edit'; readonly who: number; readonly args: number }
  | { readonly do: 'delegate'; readonly who: number; readonly to: number; readonly minutes: number; readonly step: number }
  | { readonly do: 'break_glass' | 'cancel' | 'leave' | 'return'; readonly who: number }
  | { readonly do: 'remind' | 'escalate' | 'expire' | 'kill' | 'claim' }
  | { readonly do: 'wait'; readonly minutes: number };

const who = fc.oneof({ weight: 4, arbitrary: fc.nat(3) }, { weight: 2, arbitrary: fc.nat(PEOPLE.length - 1) });
const moves: readonly [number, fc.Arbitrary<Move>][] = [
  [30, fc.record({ do: fc.constant('vote' as const), who, deny: fc.integer({ min: 0, max: 7 }).map((n) => n === 0) })],
  [3, fc.record({ do: fc.constant('edit' as const), who, args: fc.nat(2) })],
  [4, fc.record({ do: fc.constant('delegate' as const), who, to: who, minutes: fc.integer({ min: 1, max: 50 }), step: fc.integer({ min: -1, max: 1 }) })],
  [2, fc.record({ do: fc.constantFrom('leave' as const, 'return' as const), who })],
  [1, fc.record({ do: fc.constant('cancel' as const), who })],
  [2, fc.record({ do: fc.constant('break_glass' as const), who: fc.constantFrom(PEOPLE.indexOf('otto'), PEOPLE.indexOf('rita'), 0) })],
  [8, fc.record({ do: fc.constantFrom('remind' as const, 'escalate' as const, 'expire' as const) })],
  [1, fc.record({ do: fc.constant('kill' as const) })],
  [10, fc.record({ do: fc.constant('claim' as const) })],
  [5, fc.record({ do: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 40 }) })],
];

const flows = fc.record({ need: fc.integer({ min: 1, max: 2 }), deny: fc.integer({ min: 1, max: 2 }), second: fc.boolean(), glass: fc.boolean() }).map(({ need, deny, second, glass }): Flow => {
  const [finance, lead] = twoSteps.steps as Flow['steps'];
  return { ...(twoSteps as Flow), breakGlass: glass ? { users: ['otto', 'rita'] } : null, steps: [{ ...finance!, need, deny }, ...(second ? [lead!] : [])] };
});

/** How the released call went on. */
type Ending = 'succeeded' | 'failed' | 'abandoned' | 'lost' | 'late truth' | 'never allowed' | 'running';
const endings = fc.constantFrom<Ending>('succeeded', 'succeeded', 'failed', 'abandoned', 'lost', 'late truth', 'never allowed', 'running');

export const histories: fc.Arbitrary<readonly Step[]> = fc
  .tuple(flows, fc.array(fc.oneof(...moves.map(([weight, arbitrary]) => ({ weight, arbitrary }))), { minLength: 4, maxLength: 40, size: 'max' }), endings)
  .map(([flow, some, ending]) => live(flow, some, ending));

export function toldOf(steps: readonly Step[]): Told[] {
  return steps.map((step) => {
    if ('of' in step) return step.of;
    const { type, actor, data, seal } = step.event;
    const draft = { type, actor, data, ...(seal ? { seal } : {}), tenant: call.tenant, corr: call.call, links: { call: call.call, approval: call.approval } };
    return { by: 'approvals', draft: draft as unknown as EventDraft };
  });
}

function live(flow: Flow, some: readonly Move[], ending: Ending): Step[] {
  const steps: Step[] = [{ of: requested! }, { of: call.asked()[1]! }];
  let state: HeldState | null = null;
  let now = call.now;
  const left = new Set<string>();
  const does = (command: Command): void => {
    const directory = office(left);
    const decided = decide(state, command, { now, directory });
    if (!decided.ok) return;
    for (const event of decided.events) {
      state = evolve(state, event);
      steps.push({ event, directory });
    }
  };
  does({ type: 'open', id: call.approval, call: call.call, rule: 'refunds-need-two', binding, flow, held: { agent: 0, tenant: 0 }, limits: { agent: null, tenant: null }, stopped: false });
  for (const move of some) {
    const held = state as HeldState | null;
    if (!held || !isPending(held)) break;
    now += move.do === 'wait' ? move.minutes * MINUTE : 1_000;
    if (move.do === 'leave') left.add(PEOPLE[move.who]!);
    if (move.do === 'return') left.delete(PEOPLE[move.who]!);
    const command = commandOf(move, held, now);
    if (command) does(command);
  }
  if ((state as HeldState | null)?.status === 'claimed') end(steps, ending, (outcome) => does({ type: 'settle', outcome }));
  return steps;
}

function end(steps: Step[], ending: Ending, settle: (outcome: 'executed' | 'failed' | 'unknown') => void): void {
  const of = (...told: Told[]): void => void steps.push(...told.map((one) => ({ of: one })));
  if (ending !== 'never allowed') of(call.allowed());
  if (ending === 'succeeded' || ending === 'failed') of(call.completed(ending));
  if (ending === 'abandoned') of(call.abandoned());
  if (ending === 'lost' || ending === 'late truth') of(call.unknown());
  if (ending !== 'running') settle(ending === 'succeeded' ? 'executed' : ending === 'lost' || ending === 'late truth' ? 'unknown' : 'failed');
  if (ending === 'late truth') of(call.completed());
}

/** rita asks and olga owns her agent; both are of those who decide. lena is away, and emil decides for her, which is not in the log. */
function office(left: ReadonlySet<string>): Directory {
  const people = PEOPLE.map((id) => ({ id, groups: ['ben', 'cleo', 'dan', 'rita', 'olga'].includes(id) ? ['finance'] : [], roles: [], active: !left.has(id) }));
  return directoryOf({ people, agentOwners: { 'billing-bot': 'olga' }, delegations: [{ from: 'lena', to: 'emil', until: Number.MAX_SAFE_INTEGER, scope: {} }] });
}

function commandOf(move: Move, held: HeldState, now: number): Command | null {
  const by = { version: held.version, reason: 'because', via: 'console' } as const;
  switch (move.do) {
    case 'vote':
      return { type: 'vote', person: PEOPLE[move.who]!, verdict: move.deny ? 'deny' : 'approve', ...by };
    case 'edit':
      return { type: 'edit', person: PEOPLE[move.who]!, args: ARGUMENTS[move.args]!, value: {}, valid: true, ...by };
    case 'break_glass':
      return { type: 'break_glass', person: PEOPLE[move.who]!, ...by };
    case 'delegate':
      return { type: 'delegate', from: PEOPLE[move.who]!, to: PEOPLE[move.to]!, until: now + move.minutes * MINUTE, via: 'console', ...(move.step < 0 ? {} : { step: ['finance', 'lead'][move.step]! }) };
    case 'cancel':
      return { type: 'cancel', person: PEOPLE[move.who]!, operator: PEOPLE[move.who] === 'dan', via: 'api' };
    case 'kill':
      return { type: 'kill', kill: 'k' };
    case 'claim':
      return { type: 'claim', broker: uuidOf(call.broker), call: held.binding, args: held.args, requesterValid: true, stopped: false, policy: { version: held.binding.policyVersion, effect: 'allow', flow: null } };
    case 'remind':
    case 'escalate':
    case 'expire':
      return { type: move.do };
    default:
      return null;
  }
}

/**
 * Why the core would not have made these events in this order, each with the directory of its time; undefined when it would have.
 * Of the call it is only asked that it was allowed by who had claimed it. A decision that the log has not all of yet is none the worse.
 */
export function whyNotOfCore(steps: readonly Step[]): string | undefined {
  const claim = steps.findIndex((step) => 'event' in step && step.event.type === 'approval.claimed');
  const allow = steps.findIndex((step) => 'of' in step && step.of.draft.type === 'policy.decided' && step.of.draft.data.effect === 'allow');
  if (allow !== -1 && (claim === -1 || claim > allow)) return 'allowed without a claim';
  const events = steps.flatMap((step) => ('event' in step ? [step] : []));
  let state: HeldState | null = null;
  for (let i = 0; i < events.length; ) {
    const { event, directory } = events[i]!;
    const command = causeOf(event, state);
    if (!command) return `${event.type} by itself`;
    const decided = decide(state, command, { now: event.data.at, directory });
    if (!decided.ok) return decided.code;
    if (decided.events.length === 0) return 'decided before';
    for (const made of decided.events) {
      const found = events[i++]?.event;
      if (!found) return undefined;
      if (plain(found) !== plain(made)) return `${made.type} otherwise`;
      state = evolve(state, made);
    }
  }
  return undefined;
}

function plain({ type, actor, data }: ApprovalEvent): string {
  return canonicalJson({ type, actor, data }, 40);
}

/** The command that an event is the first answer to. */
function causeOf(event: ApprovalEvent, state: HeldState | null): Command | null {
  const by = { version: state?.version ?? 0, reason: 'because', via: event.actor.via };
  switch (event.type) {
    case 'approval.requested':
      return { type: 'open', id: call.approval, call: call.call, rule: event.data.rule, binding, flow: event.data.flow, held: { agent: 0, tenant: 0 }, limits: { agent: null, tenant: null }, stopped: false };
    case 'approval.voted':
      return { type: 'vote', person: event.data.person, verdict: event.data.verdict, ...by };
    case 'approval.edited':
      return { type: 'edit', person: event.data.person, args: event.data.to, value: {}, valid: true, ...by };
    case 'approval.broke_glass':
      return { type: 'break_glass', person: event.data.person, ...by };
    case 'approval.delegated':
      return { type: 'delegate', from: event.data.from, to: event.data.to, until: event.data.until, via: event.actor.via, ...(event.data.scope.step === undefined ? {} : { step: event.data.scope.step }) };
    case 'approval.reminded':
      return { type: 'remind' };
    case 'approval.escalated':
      return { type: 'escalate' };
    case 'approval.expired':
      return { type: 'expire' };
    case 'approval.cancelled':
      return { type: 'cancel', person: event.data.person, operator: event.data.person === 'dan', via: event.actor.via };
    case 'approval.killed':
      return { type: 'kill', kill: event.data.kill };
    case 'approval.claimed':
      return { type: 'claim', broker: uuidOf(call.broker), call: { ...binding, toolHash: event.data.toolHash }, args: event.data.args, requesterValid: true, stopped: false, policy: { version: event.data.policyVersion, effect: 'allow', flow: null } };
    case 'approval.settled':
      return { type: 'settle', outcome: event.data.outcome };
    default:
      return null;
  }
}
