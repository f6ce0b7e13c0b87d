import type { ErrorCode } from '#libs/contracts';

/** Why a command changed nothing: codes of the catalogue of errors. */
export type HeldRefusalCode = Extract<
  ErrorCode,
  | 'approval_not_found'
  | 'approval_exists'
  | 'approval_expired'
  | 'approval_denied'
  | 'approval_cancelled'
  | 'approval_killed'
  | 'approval_claimed'
  | 'approval_granted'
  | 'approval_pending'
  | 'approval_not_claimed'
  | 'too_many_held'
  | 'stopped_by_switch'
  | 'decision_stale'
  | 'not_eligible'
  | 'never_counts'
  | 'counted_already'
  | 'decided_otherwise'
  | 'reason_required'
  | 'edit_changes_nothing'
  | 'too_many_edits'
  | 'break_glass_off'
  | 'not_due'
  | 'nothing_more_to_do'
  | 'step_unknown'
  | 'delegation_chain'
  | 'delegation_over'
  | 'delegate_unknown'
  | 'too_many_delegations'
  | 'binding_mismatch'
  | 'requester_invalid'
  | 'tool_changed'
  | 'quorum_lost'
  | 'delegation_not_found'
  | 'delegation_too_long'
  | 'standing_off'
  | 'standing_not_found'
  | 'standing_over'
  | 'standing_too_long'
  | 'condition_not_met'
  | 'approval_unavailable'
  | 'arguments_invalid'
  | 'policy_denied'
  | 'forbidden'
>;

export interface Refused {
  readonly ok: false;
  readonly code: HeldRefusalCode;
}

export function refused(code: HeldRefusalCode): Refused {
  return { ok: false, code };
}
