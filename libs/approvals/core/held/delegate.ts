import { type Decided, type Delegate, type Facts, nothingNew } from './commands.ts';
import { delegationsInForce, neverCounts, seatsOf, seatsUsableBy } from './eligibility.ts';
import { whyLate } from './lateness.ts';
import { refused } from './refusals.ts';
import type { HeldCall } from './state.ts';

const MOST_DELEGATIONS = 50;

/** Hands a right of one's own on, for this approval. Who did so may still decide instead. */
export function delegate(state: HeldCall, command: Delegate, facts: Facts): Decided {
  const { from, to, until, step } = command;
  const late = whyLate(state, facts.now) ?? (state.status === 'approved' ? 'approval_granted' : undefined);
  if (late) return refused(late);
  const scope = step === undefined ? {} : { step };
  if (state.delegations.some((made) => made.from === from && made.to === to && made.until === until && made.scope.step === step)) return nothingNew;
  const steps = state.flow.steps.flatMap(({ name }, at) => (step === undefined || name === step ? [at] : []));
  if (steps.length === 0) return refused('step_unknown');
  if (until <= facts.now) return refused('delegation_over');
  if (neverCounts(state, from, facts.directory) || neverCounts(state, to, facts.directory)) return refused('never_counts');
  if (!steps.some((at) => seatsOf(state, at, facts.directory).has(from))) {
    return refused(steps.some((at) => seatsUsableBy(state, at, from, facts).length > 0) ? 'delegation_chain' : 'not_eligible');
  }
  if (to === from || !facts.directory.isActive(to)) return refused('delegate_unknown');
  // Somebody who has handed on the own right is away; a right given to them would wait for nobody.
  if (steps.some((at) => delegationsInForce(state, at, facts).some((made) => made.from === to))) return refused('delegation_chain');
  if (state.delegations.length >= MOST_DELEGATIONS) return refused('too_many_delegations');
  return { ok: true, events: [{ type: 'approval.delegated', actor: { user: from, via: command.via }, data: { at: facts.now, from, to, until, scope } }] };
}
