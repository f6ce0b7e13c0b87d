import type { HeldRefusalCode } from './refusals.ts';
import type { HeldCall, Status } from './state.ts';

const ENDED: Readonly<Record<Exclude<Status, 'held' | 'approved'>, HeldRefusalCode>> = {
  claimed: 'approval_claimed',
  executed: 'approval_claimed',
  failed: 'approval_claimed',
  unknown: 'approval_claimed',
  denied: 'approval_denied',
  expired: 'approval_expired',
  cancelled: 'approval_cancelled',
  killed: 'approval_killed',
};

/** Why nothing can be decided about it any more, if so. */
export function whyEnded({ status }: HeldCall): HeldRefusalCode | undefined {
  return status === 'held' || status === 'approved' ? undefined : ENDED[status];
}

/** The same, also when its time is over and nobody has noted it yet. */
export function whyLate(state: HeldCall, now: number): HeldRefusalCode | undefined {
  return whyEnded(state) ?? (now >= state.expiresAt ? 'approval_expired' : undefined);
}
