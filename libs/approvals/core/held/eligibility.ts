import type { Facts } from './commands.ts';
import { type Delegation, isInForce } from './delegation.ts';
import type { Directory } from './directory.ts';
import type { HeldCall, Vote } from './state.ts';

type Asked = Pick<HeldCall, 'binding' | 'flow' | 'agentOwners' | 'steps'>;

/** Who asked for the call and who owns its agent, then or now, decides nothing about it: not by vote, delegation or emergency. */
export function neverCounts({ binding, agentOwners }: Pick<HeldCall, 'binding' | 'agentOwners'>, person: string, directory: Directory): boolean {
  return person === binding.user || agentOwners.includes(person) || (binding.agent !== null && directory.ownersOf(binding.agent).has(person));
}

/** Whose own right it is to decide about a step, at this moment. */
export function seatsOf(asked: Asked, step: number, directory: Directory, escalated = asked.steps[step]?.escalated ?? false): ReadonlySet<string> {
  const { approvers, escalation } = asked.flow.steps[step]!;
  const meant = [directory.matching(approvers, asked.binding), ...(escalated && escalation ? [directory.matching(escalation.to, asked.binding)] : [])];
  return new Set(meant.flatMap((people) => [...people]).filter((person) => !neverCounts(asked, person, directory)));
}

/** The rights that a person may use in a step: the own one first, then those that others handed on. */
export function seatsUsableBy(state: HeldCall, step: number, person: string, { now, directory }: Facts): readonly string[] {
  if (neverCounts(state, person, directory) || !directory.isActive(person)) return [];
  const seats = seatsOf(state, step, directory);
  const handedOn = delegationsInForce(state, step, { now, directory }).flatMap(({ from, to }) => (to === person && seats.has(from) ? [from] : []));
  return seats.has(person) ? [person, ...handedOn] : handedOn;
}

export function delegationsInForce(state: HeldCall, step: number, { now, directory }: Facts): readonly Delegation[] {
  const at = { flow: state.flow.id, server: state.binding.server, step: state.flow.steps[step]!.name };
  return [...state.delegations, ...directory.delegations].filter((delegation) => isInForce(delegation, at, now));
}

/** Whether the person who voted could cast the same vote now. */
export function isStillEligible(state: HeldCall, vote: Vote, facts: Facts): boolean {
  return seatsUsableBy(state, vote.step, vote.person, facts).includes(vote.seat);
}
