import type { ApprovalEvent } from './events.ts';
import type { HeldCall, StepState } from './state.ts';

const UNOPENED: StepState = { openedAt: null, reminders: 0, remindedAt: null, escalated: false };

/** The state after an event. It judges nothing: what is in the log has happened. A history that starts elsewhere is a fault. */
export function evolve(state: HeldCall | null, event: ApprovalEvent): HeldCall {
  if (event.type === 'approval.requested') {
    if (state) throw new Error('an approval is requested once');
    const { approval, call, rule, binding, flow, agentOwners, expiresAt } = event.data;
    return {
      id: approval,
      call,
      rule,
      status: 'held',
      version: 1,
      binding,
      flow,
      agentOwners,
      expiresAt,
      args: binding.args,
      edits: [],
      round: 0,
      askedAnewAt: 1,
      step: 0,
      steps: flow.steps.map(() => UNOPENED),
      votes: [],
      delegations: [],
      grant: null,
      brokenBy: null,
      claim: null,
    };
  }
  if (!state) throw new Error('the history of an approval begins with its request');
  const next = { ...state, version: state.version + 1 };
  switch (event.type) {
    case 'approval.step_opened':
      return { ...next, step: event.data.step, askedAnewAt: next.version, steps: withStep(state, event.data.step, { openedAt: event.data.at, remindedAt: null }) };
    case 'approval.voted':
      return { ...next, votes: [...state.votes, { ...event.data, version: next.version }] };
    case 'approval.reminded':
      return { ...next, steps: withStep(state, event.data.step, { reminders: event.data.number, remindedAt: event.data.at }) };
    case 'approval.escalated':
      return { ...next, steps: withStep(state, event.data.step, { escalated: true }) };
    case 'approval.delegated': {
      const { from, to, until, scope } = event.data;
      return { ...next, delegations: [...state.delegations, { from, to, until, scope }] };
    }
    case 'approval.edited':
      return { ...next, args: event.data.to, round: event.data.round, edits: [...state.edits, event.data], askedAnewAt: next.version, steps: state.steps.map((step) => ({ ...step, openedAt: null })) };
    case 'approval.broke_glass':
      return { ...next, brokenBy: event.data.person };
    case 'approval.granted':
      return { ...next, status: 'approved', grant: event.data, expiresAt: event.data.claimUntil };
    case 'approval.denied':
      return { ...next, status: 'denied' };
    case 'approval.expired':
      return { ...next, status: 'expired' };
    case 'approval.cancelled':
      return { ...next, status: 'cancelled' };
    case 'approval.killed':
      return { ...next, status: 'killed' };
    case 'approval.claimed':
      return { ...next, status: 'claimed', claim: event.data };
    case 'approval.settled':
      return { ...next, status: event.data.outcome };
  }
}

/** The state that a history makes; null when there is none. */
export function replay(events: readonly ApprovalEvent[]): HeldCall | null {
  let state: HeldCall | null = null;
  for (const event of events) state = evolve(state, event);
  return state;
}

function withStep(state: HeldCall, index: number, change: Partial<StepState>): readonly StepState[] {
  return state.steps.map((step, at) => (at === index ? { ...step, ...change } : step));
}
