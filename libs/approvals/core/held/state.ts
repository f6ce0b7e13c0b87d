import type { Binding, BoundArguments } from './binding.ts';
import type { Delegation } from './delegation.ts';
import type { ApprovalEventData, SettledAs } from './events.ts';
import type { Flow } from './flow.ts';

export type Status = 'held' | 'approved' | 'claimed' | SettledAs | 'denied' | 'expired' | 'cancelled' | 'killed';

export type Vote = ApprovalEventData['approval.voted'] & {
  /** Of the approval once the vote was counted. */
  readonly version: number;
};

export interface StepState {
  /** Null while it has not been reached in this round. */
  readonly openedAt: number | null;
  readonly reminders: number;
  readonly remindedAt: number | null;
  readonly escalated: boolean;
}

/**
 * One held call and its approval. It is the fold of its events and nothing else, and plain JSON. Whoever stores it stores it with its
 * version and replaces it only where that version is still the one a decision was made on.
 */
export interface HeldCall {
  readonly id: string;
  readonly call: string;
  readonly rule: string;
  readonly status: Status;
  /** How many events it is made of. */
  readonly version: number;
  readonly binding: Binding;
  readonly flow: Flow;
  readonly agentOwners: readonly string[];
  /** Of the approval while it is held, of the grant once it is approved. */
  readonly expiresAt: number;
  /** What would be executed: the arguments of the binding, or those of the latest edit. */
  readonly args: BoundArguments;
  readonly edits: readonly ApprovalEventData['approval.edited'][];
  /** How often the arguments were edited. Approvals count in the round they were given in. */
  readonly round: number;
  /** The version that last changed what people are asked. Who saw an older one decides about something else. */
  readonly askedAnewAt: number;
  /** The step that is open, or was the last one. */
  readonly step: number;
  readonly steps: readonly StepState[];
  /** All of them, in order; {@link standingVotes} says which count. */
  readonly votes: readonly Vote[];
  readonly delegations: readonly Delegation[];
  readonly grant: ApprovalEventData['approval.granted'] | null;
  /** Who broke the glass; that person alone stands for the whole flow. */
  readonly brokenBy: string | null;
  readonly claim: ApprovalEventData['approval.claimed'] | null;
}

/** A person's later vote replaces the earlier one. An approval is of arguments and ends with them; a denial is of the call and stays. */
export function standingVotes(state: HeldCall): readonly Vote[] {
  const latest = new Map(state.votes.map((vote) => [vote.person, vote]));
  return [...latest.values()].filter((vote) => vote.verdict === 'deny' || vote.round === state.round);
}

/** Whether people or a switch can still change anything about it. */
export function isPending(state: HeldCall): boolean {
  return state.status === 'held' || state.status === 'approved';
}
