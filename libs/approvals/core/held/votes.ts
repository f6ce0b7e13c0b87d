import { sameArguments } from './binding.ts';
import type { BreakGlass, CastVote, Decided, Edit, Facts } from './commands.ts';
import { neverCounts, seatsUsableBy } from './eligibility.ts';
import type { ApprovalEvent, Verdict } from './events.ts';
import { evolve } from './evolve.ts';
import { whyLate } from './lateness.ts';
import { isBlank } from './reason.ts';
import { type HeldRefusalCode, type Refused, refused } from './refusals.ts';
import { type HeldCall, standingVotes, type Vote } from './state.ts';
import { granted, stepOpened, whatFollows } from './steps.ts';

/** More of them, and approvers are negotiating with each other instead of deciding. */
const MOST_EDITS = 20;

/** Approve or deny. A denial still counts after the grant, until the call is released. */
export function vote(state: HeldCall, command: CastVote, facts: Facts): Decided {
  const { person, verdict } = command;
  const before = standingVotes(state).find((earlier) => earlier.person === person);
  if (before?.verdict === verdict && isRepetition(state, before, command.version)) return { ok: true, events: [], vote: before };
  const seat = seatFor(state, command, verdict, facts);
  if ('ok' in seat) return seat;
  if ((verdict === 'deny' || state.flow.approverReason === 'required') && isBlank(command.reason)) return refused('reason_required');
  const voted = voteOf(state, command, verdict, seat.seat, facts.now);
  const counted = evolve(state, voted);
  return { ok: true, events: [voted, ...whatFollows(counted, facts)], vote: counted.votes.at(-1)! };
}

/**
 * Approve with other arguments. Everybody is asked again about these: approvals of what they replace do not count any more, denials do.
 * Who edits has thereby approved, in the step that was open.
 */
export function edit(state: HeldCall, command: Edit, facts: Facts): Decided {
  const last = state.edits.at(-1);
  const mine = standingVotes(state).find((earlier) => earlier.person === command.person && earlier.verdict === 'approve');
  if (last?.person === command.person && sameArguments(state.args, command.args) && mine) return { ok: true, events: [], vote: mine };
  const seat = seatFor(state, command, 'approve', facts);
  if ('ok' in seat) return seat;
  if (state.flow.approverReason === 'required' && isBlank(command.reason)) return refused('reason_required');
  if (!command.valid) return refused('arguments_invalid');
  if (sameArguments(state.args, command.args)) return refused('edit_changes_nothing');
  if (state.edits.length >= MOST_EDITS) return refused('too_many_edits');
  const edited: ApprovalEvent = {
    type: 'approval.edited',
    actor: { user: command.person, via: command.via },
    data: { at: facts.now, person: command.person, round: state.round + 1, from: state.args, to: command.args },
    seal: { '/args': command.value, ...(isBlank(command.reason) ? {} : { '/reason': command.reason }) },
  };
  const changed = evolve(state, edited);
  const reopened = stepOpened(changed, 0, facts.now);
  const voted = voteOf({ ...changed, step: state.step }, command, 'approve', seat.seat, facts.now);
  const counted = evolve(evolve(changed, reopened), voted);
  return { ok: true, events: [edited, reopened, voted, ...whatFollows(counted, facts)], vote: counted.votes.at(-1)! };
}

/** One person for the whole flow, with a reason, to be reviewed afterwards. */
export function breakGlass(state: HeldCall, command: BreakGlass, facts: Facts): Decided {
  if (state.brokenBy === command.person) return { ok: true, events: [] };
  const late = whyLate(state, facts.now) ?? (state.status === 'approved' ? 'approval_granted' : whyStale(state, command.version));
  if (late) return refused(late);
  if (state.flow.breakGlass === null) return refused('break_glass_off');
  if (neverCounts(state, command.person, facts.directory)) return refused('never_counts');
  if (!facts.directory.matching(state.flow.breakGlass, state.binding).has(command.person)) return refused('not_eligible');
  if (isBlank(command.reason)) return refused('reason_required');
  const broke: ApprovalEvent = {
    type: 'approval.broke_glass',
    actor: { user: command.person, via: command.via },
    data: { at: facts.now, person: command.person, argsDigest: state.args.digest },
    seal: { '/reason': command.reason },
  };
  return { ok: true, events: [broke, granted(state, 'break_glass', facts.now)] };
}

/** Asked again what was answered: in the same step, or by a request that was made before the answer was counted. */
function isRepetition(state: HeldCall, before: Vote, version: number): boolean {
  return before.step === state.step || version < before.version;
}

function seatFor(state: HeldCall, command: CastVote | Edit, verdict: Verdict, facts: Facts): { readonly seat: string } | Refused {
  const late = whyLate(state, facts.now) ?? (state.status === 'approved' && verdict === 'approve' ? 'approval_granted' : whyStale(state, command.version));
  if (late) return refused(late);
  const { person } = command;
  if (neverCounts(state, person, facts.directory)) return refused('never_counts');
  const usable = seatsUsableBy(state, state.step, person, facts);
  if (usable.length === 0) return refused('not_eligible');
  const standing = standingVotes(state);
  const own = standing.find((earlier) => earlier.person === person);
  if (own && own.round === state.round) return refused(own.verdict === verdict ? 'counted_already' : 'decided_otherwise');
  const seat = usable.find((candidate) => standing.every((earlier) => earlier.person === person || earlier.seat !== candidate));
  return seat === undefined ? refused('counted_already') : { seat };
}

function whyStale(state: HeldCall, version: number): HeldRefusalCode | undefined {
  return version < state.askedAnewAt || version > state.version ? 'decision_stale' : undefined;
}

function voteOf(state: HeldCall, command: CastVote | Edit, verdict: Verdict, seat: string, now: number): ApprovalEvent {
  return {
    type: 'approval.voted',
    actor: { user: command.person, via: command.via },
    data: { at: now, step: state.step, round: state.round, person: command.person, seat, verdict, argsDigest: state.args.digest },
    ...(isBlank(command.reason) ? {} : { seal: { '/reason': command.reason } }),
  };
}
