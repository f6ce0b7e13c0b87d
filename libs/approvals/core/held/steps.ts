import type { Facts } from './commands.ts';
import type { ApprovalEvent } from './events.ts';
import { evolve } from './evolve.ts';
import { isStepDenied, isStepMet } from './quorum.ts';
import type { HeldCall } from './state.ts';

const system = { via: 'system' } as const;

export function stepOpened(state: HeldCall, step: number, now: number): ApprovalEvent {
  const { name, need, deny } = state.flow.steps[step]!;
  return { type: 'approval.step_opened', actor: system, data: { at: now, step, name, round: state.round, need, deny } };
}

export function granted(state: HeldCall, by: 'quorum' | 'break_glass', now: number): ApprovalEvent {
  return {
    type: 'approval.granted',
    actor: system,
    data: { at: now, by, args: state.args, claimUntil: now + state.flow.grantForMs, postReview: by === 'break_glass' },
  };
}

/** What follows once a vote has been counted: the end by denial, the next steps as far as they are met already, or the grant. */
export function whatFollows(counted: HeldCall, facts: Facts): readonly ApprovalEvent[] {
  if (isStepDenied(counted, counted.step)) return [{ type: 'approval.denied', actor: system, data: { at: facts.now, step: counted.step } }];
  const events: ApprovalEvent[] = [];
  let state = counted;
  const take = (event: ApprovalEvent): void => {
    events.push(event);
    state = evolve(state, event);
  };
  while (state.status === 'held' && isStepMet(state, state.step, facts)) {
    take(state.step + 1 < state.flow.steps.length ? stepOpened(state, state.step + 1, facts.now) : granted(state, 'quorum', facts.now));
  }
  return events;
}
