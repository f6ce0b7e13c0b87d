import type { EventData } from '#libs/contracts';
import type { Binding } from './asked.ts';

type Requested = EventData<'approval.requested'>;
type Flow = Requested['flow'];
type People = Flow['steps'][number]['approvers'];
export type Vote = EventData<'approval.voted'>;

/** What counting votes needs to know of an approval. */
export interface Ballot {
  readonly binding: Binding;
  readonly flow: Flow;
  readonly agentOwners: readonly string[];
  args: Binding['args'];
  round: number;
  /** The step that is open, or was the last one. */
  step: number;
  /** Whoever edited approves, once, in the step that was open before everybody was asked anew. */
  editor: { readonly person: string; readonly step: number } | null;
  readonly escalated: Set<number>;
  readonly delegations: EventData<'approval.delegated'>[];
  /** The last vote of each person. */
  readonly votes: Map<string, Vote>;
}

/** Who asked for the call and who owned its agent then. */
export function neverDecides({ binding, agentOwners }: Pick<Ballot, 'binding' | 'agentOwners'>, person: string): boolean {
  return person === binding.user || agentOwners.includes(person);
}

/** Whether a person is meant; undefined where groups or roles decide, because who was in them is not in the log. */
export function isMeant(person: string, ...those: readonly People[]): boolean | undefined {
  if (those.some(({ users }) => users?.includes(person))) return true;
  return those.some(({ groups = [], roles = [] }) => groups.length > 0 || roles.length > 0) ? undefined : false;
}

/** Why a vote counts for nothing, if so. */
export function whyNotCounted(ballot: Ballot, vote: Vote): string | undefined {
  const { person, seat, step, round, verdict, argsDigest } = vote;
  const asked = ballot.editor?.person === person ? ballot.editor.step : ballot.step;
  if (round !== ballot.round || step !== asked) return `in step ${step} of round ${round}, while step ${asked} of round ${ballot.round} was open`;
  if (argsDigest !== ballot.args.digest) return 'about other arguments';
  if (neverDecides(ballot, person) || neverDecides(ballot, seat)) return 'and asked for the call or owned its agent';
  const own = ballot.votes.get(person);
  if (own?.round === round) return 'a second time';
  if (standing(ballot).some((other) => other.person !== person && other.seat === seat)) return `by the right of ${seat}, which was used already`;
  const { approvers, escalation } = ballot.flow.steps[step]!;
  const those = escalation && ballot.escalated.has(step) ? [approvers, escalation.to] : [approvers];
  if (isMeant(seat, ...those) === false) return `by the right of ${seat}, who is not among the approvers of that step`;
  return ballot.editor !== null && verdict === 'deny' ? 'against the own edit' : undefined;
}

/** Whether the log has a delegation in force by which this vote could be cast; those of the directory are not in it. */
export function isDelegated({ flow, binding, delegations }: Ballot, { person, seat, step }: Vote, now: number): boolean {
  return delegations.some(
    ({ from, to, until, scope }) =>
      from === seat && to === person && now < until && (scope.flow ?? flow.id) === flow.id && (scope.server ?? binding.server) === binding.server && (scope.step ?? flow.steps[step]?.name) === flow.steps[step]?.name,
  );
}

/** The votes that count: approvals of these arguments, and every denial, because a denial is of the call. */
export function standing({ votes, round }: Pick<Ballot, 'votes' | 'round'>): Vote[] {
  return [...votes.values()].filter((vote) => vote.verdict === 'deny' || vote.round === round);
}

export function count(ballot: Ballot, step: number, verdict: Vote['verdict']): number {
  return standing(ballot).filter((vote) => vote.step === step && vote.verdict === verdict).length;
}

/** Why these steps are not approved, if so. Who of those who voted was still there at the time is not in the log. */
export function whyNotApproved(ballot: Ballot, steps: number): string | undefined {
  for (const [step, { name, need, deny }] of ballot.flow.steps.slice(0, steps).entries()) {
    const [approvals, denials] = [count(ballot, step, 'approve'), count(ballot, step, 'deny')];
    if (approvals < need) return `with ${approvals} of ${need} approvals in step ${name}`;
    if (denials >= deny) return `with ${denials} denials in step ${name}`;
  }
  return undefined;
}
