import type { Facts } from './commands.ts';
import type { Directory } from './directory.ts';
import { isStillEligible, neverCounts, seatsOf } from './eligibility.ts';
import { type HeldCall, standingVotes } from './state.ts';

/** Whether enough people who are eligible now approved these arguments in this step. */
export function isStepMet(state: HeldCall, step: number, facts: Facts): boolean {
  const approvals = standingVotes(state).filter((vote) => vote.verdict === 'approve' && vote.step === step && isStillEligible(state, vote, facts));
  return approvals.length >= state.flow.steps[step]!.need;
}

/** A denial counts also when the person who gave it has left. */
export function isStepDenied(state: HeldCall, step: number): boolean {
  return standingVotes(state).filter((vote) => vote.verdict === 'deny' && vote.step === step).length >= state.flow.steps[step]!.deny;
}

/** Whether what granted the call would grant it now. */
export function isStillApproved(state: HeldCall, facts: Facts): boolean {
  const { brokenBy, flow } = state;
  if (brokenBy !== null) {
    return flow.breakGlass !== null && facts.directory.matching(flow.breakGlass, state.binding).has(brokenBy) && !neverCounts(state, brokenBy, facts.directory);
  }
  return flow.steps.every((_, step) => isStepMet(state, step, facts) && !isStepDenied(state, step));
}

/**
 * Whether the people there are could complete the flow at all, each of them counting once. People who would be added by an escalation
 * count if it comes before the end.
 */
export function canBeMet(asked: Pick<HeldCall, 'binding' | 'flow' | 'agentOwners' | 'steps'>, directory: Directory): boolean {
  const { flow } = asked;
  const seats = flow.steps.map(({ escalation }, step) => [...seatsOf(asked, step, directory, escalation !== null && escalation.afterMs < flow.expiresInMs)]);
  const stepOf = new Map<string, number>();
  // A person who is already counted elsewhere is free for this step when that other step finds somebody else.
  const takeOne = (step: number, tried: Set<string>): boolean =>
    seats[step]!.some((person) => {
      if (tried.has(person)) return false;
      tried.add(person);
      const elsewhere = stepOf.get(person);
      if (elsewhere !== undefined && !takeOne(elsewhere, tried)) return false;
      stepOf.set(person, step);
      return true;
    });
  return flow.steps.length > 0 && flow.steps.every(({ need }, step) => need <= seats[step]!.length && Array.from({ length: need }).every(() => takeOne(step, new Set())));
}
