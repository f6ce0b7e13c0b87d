import type { CallIdentity } from '#libs/ports';
import type { Facts } from '../held/commands.ts';
import type { Directory } from '../held/directory.ts';
import { neverCounts, seatsOf, seatsUsableBy } from '../held/eligibility.ts';
import { type HeldCall, isPending, standingVotes, type Status } from '../held/state.ts';
import type { StoredApproval } from './approval-store.ts';
import { progressOf } from './records.ts';

/** An approval as people see it, without what is sealed: the same in the API, on pages, in Slack and in mails. */
export interface ApprovalView {
  readonly id: string;
  readonly call: string;
  readonly status: Status;
  readonly version: number;
  readonly caller: Pick<CallIdentity, 'user' | 'client' | 'agent'>;
  readonly server: string;
  readonly method: CallIdentity['method'];
  readonly tool: string;
  readonly toolHash: string | null;
  readonly impactClass: string;
  readonly rule: string;
  /** Why policy asks. */
  readonly why: string;
  readonly flow: string;
  readonly steps: readonly StepView[];
  /** The open step, or the last one. */
  readonly step: number;
  readonly progress: string;
  readonly votes: readonly VoteView[];
  readonly argsDigest: string;
  readonly argsAbsent: boolean;
  readonly edits: readonly { readonly person: string; readonly at: string; readonly from: string; readonly to: string }[];
  readonly createdAt: string;
  readonly changedAt: string;
  /** Of the approval while it is held, of the grant once it is approved. */
  readonly expiresAt: string;
  readonly grantedBy: 'quorum' | 'break_glass' | null;
  readonly brokenBy: string | null;
  readonly approverReason: 'required' | 'optional';
  readonly channels: readonly string[];
}

export interface StepView {
  readonly name: string;
  readonly need: number;
  readonly deny: number;
  readonly state: 'waiting' | 'open' | 'met' | 'ended';
  readonly escalated: boolean;
  /** Who could decide now. */
  readonly people: readonly string[];
}

export interface VoteView {
  readonly person: string;
  /** Whose right was used, when it was not the own one. */
  readonly for?: string;
  readonly verdict: 'approve' | 'deny';
  readonly step: string;
  readonly at: string;
  /** Whether it still counts: votes of before an edit do not. */
  readonly counts: boolean;
}

/** What one person may do about an approval now. */
export interface Rights {
  readonly decide: boolean;
  /** Why not, in a code of the catalogue. */
  readonly whyNot?: 'never_counts' | 'not_eligible' | 'approval_granted' | 'approval_expired';
  readonly breakGlass: boolean;
  readonly edit: boolean;
  readonly cancel: boolean;
}

export function viewOf(stored: StoredApproval, directory: Directory): ApprovalView {
  const { state } = stored;
  const { binding, flow } = state;
  const counting = new Set(standingVotes(state));
  return {
    id: state.id,
    call: state.call,
    status: state.status,
    version: state.version,
    caller: { user: binding.user, client: binding.client, agent: binding.agent },
    server: binding.server,
    method: binding.method,
    tool: binding.tool,
    toolHash: binding.toolHash,
    impactClass: stored.impactClass,
    rule: state.rule,
    why: stored.why,
    flow: flow.id,
    steps: flow.steps.map((step, at) => ({
      name: step.name,
      need: step.need,
      deny: step.deny,
      state: stepState(state, at),
      escalated: state.steps[at]!.escalated,
      people: [...seatsOf(state, at, directory)].sort(),
    })),
    step: state.step,
    progress: progressOf(state),
    votes: state.votes.map((vote) => ({
      person: vote.person,
      ...(vote.seat === vote.person ? {} : { for: vote.seat }),
      verdict: vote.verdict,
      step: flow.steps[vote.step]!.name,
      at: iso(vote.at),
      counts: counting.has(vote),
    })),
    argsDigest: state.args.digest,
    argsAbsent: state.args.absent,
    edits: state.edits.map(({ person, at, from, to }) => ({ person, at: iso(at), from: from.digest, to: to.digest })),
    createdAt: iso(stored.createdAt),
    changedAt: iso(stored.changedAt),
    expiresAt: iso(state.expiresAt),
    grantedBy: state.grant?.by ?? null,
    brokenBy: state.brokenBy,
    approverReason: flow.approverReason,
    channels: stored.channels,
  };
}

export function rightsOf(stored: StoredApproval, person: string, operator: boolean, facts: Facts): Rights {
  const { state } = stored;
  const pending = isPending(state) && facts.now < state.expiresAt;
  const held = pending && state.status === 'held';
  const never = neverCounts(state, person, facts.directory);
  const usable = held && !never && seatsUsableBy(state, state.step, person, facts).length > 0;
  const voted = standingVotes(state).some((vote) => vote.person === person && vote.round === state.round);
  const glass = state.flow.breakGlass;
  return {
    decide: usable && !voted,
    ...(held && never ? { whyNot: 'never_counts' as const } : held && !usable ? { whyNot: 'not_eligible' as const } : {}),
    breakGlass: held && !never && glass !== null && facts.directory.matching(glass, state.binding).has(person),
    edit: usable && !voted && state.binding.method !== 'resources/read',
    cancel: pending && (operator || person === state.binding.user),
  };
}

/** Whom an approval waits for right now: everybody whose word would count in the open step. */
export function askedNow(state: HeldCall, facts: Facts): ReadonlySet<string> {
  if (state.status !== 'held' || facts.now >= state.expiresAt) return new Set();
  const voted = new Set(standingVotes(state).filter((vote) => vote.round === state.round).map(({ person }) => person));
  const own = [...seatsOf(state, state.step, facts.directory)];
  const delegates = [...state.delegations, ...facts.directory.delegations].map(({ to }) => to).filter((to) => seatsUsableBy(state, state.step, to, facts).length > 0);
  return new Set([...own, ...delegates].filter((person) => !voted.has(person)));
}

function stepState(state: HeldCall, at: number): StepView['state'] {
  if (state.status === 'held') return at < state.step ? 'met' : at === state.step ? 'open' : 'waiting';
  if (state.grant !== null) return 'met';
  return at < state.step ? 'met' : at === state.step ? 'ended' : 'waiting';
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

