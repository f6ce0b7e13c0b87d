import type { Decided, WakeUpCommand } from './commands.ts';
import { whyEnded, whyLate } from './lateness.ts';
import { refused } from './refusals.ts';
import { type HeldCall, isPending } from './state.ts';

/** What a state wants to be woken for. A wake-up that comes late, twice or never changes when something happens, not what. */
export interface WakeUp {
  readonly kind: WakeUpCommand['type'];
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The next wake-up of each kind, earliest first; none for what has ended. */
export function wakeUps(state: HeldCall): readonly WakeUp[] {
  if (!isPending(state)) return [];
  const times: Record<WakeUp['kind'], number | null> = { remind: remindAt(state), escalate: escalateAt(state), expire: state.expiresAt };
  return (['escalate', 'remind', 'expire'] as const)
    .flatMap((kind) => (times[kind] !== null && (kind === 'expire' || times[kind] < state.expiresAt) ? [{ kind, at: times[kind] }] : []))
    .sort((a, b) => a.at - b.at);
}

export function remind(state: HeldCall, now: number): Decided {
  const late = whyLate(state, now) ?? (state.status === 'approved' ? 'approval_granted' : undefined);
  if (late) return refused(late);
  const at = remindAt(state);
  if (at === null) return refused('nothing_more_to_do');
  if (now < at) return refused('not_due');
  return { ok: true, events: [{ type: 'approval.reminded', actor: { via: 'system' }, data: { at: now, step: state.step, number: state.steps[state.step]!.reminders + 1 } }] };
}

/** Adds people to the open step; those who were asked first may still decide. */
export function escalate(state: HeldCall, now: number): Decided {
  const late = whyLate(state, now) ?? (state.status === 'approved' ? 'approval_granted' : undefined);
  if (late) return refused(late);
  const at = escalateAt(state);
  if (at === null) return refused('nothing_more_to_do');
  if (now < at) return refused('not_due');
  return { ok: true, events: [{ type: 'approval.escalated', actor: { via: 'system' }, data: { at: now, step: state.step, to: state.flow.steps[state.step]!.escalation!.to } }] };
}

/** Silence denies: a call that nobody decided about in time is over, and so is a grant that nobody used. */
export function expire(state: HeldCall, now: number): Decided {
  const ended = whyEnded(state);
  if (ended) return refused(ended);
  if (now < state.expiresAt) return refused('not_due');
  return { ok: true, events: [{ type: 'approval.expired', actor: { via: 'system' }, data: { at: now, was: state.status === 'approved' ? 'approved' : 'held' } }] };
}

function remindAt(state: HeldCall): number | null {
  const { openedAt, reminders, remindedAt } = state.steps[state.step]!;
  const plan = state.flow.steps[state.step]!.reminders;
  return state.status === 'held' && plan && openedAt !== null && reminders < plan.most ? (remindedAt ?? openedAt) + plan.everyMs : null;
}

function escalateAt(state: HeldCall): number | null {
  const { openedAt, escalated } = state.steps[state.step]!;
  const plan = state.flow.steps[state.step]!.escalation;
  return state.status === 'held' && plan && openedAt !== null && !escalated ? openedAt + plan.afterMs : null;
}
