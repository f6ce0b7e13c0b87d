import type { ErrorCode, ErrorEntry } from '#libs/contracts';

/** Why a command changed nothing. They join the catalogue of errors when the first caller can meet them. */
export const heldRefusals = {
  approval_not_found: { http: 404, retry: false, sentence: 'There is no such approval.' },
  approval_exists: { http: 409, retry: false, sentence: 'This approval was requested already.' },
  approval_expired: { http: 410, retry: false, sentence: 'The time for this approval is over, which denies it.' },
  approval_denied: { http: 409, retry: false, sentence: 'This call was denied.' },
  approval_cancelled: { http: 409, retry: false, sentence: 'This call was cancelled.' },
  approval_killed: { http: 409, retry: false, sentence: 'A kill switch stopped this call.' },
  approval_claimed: { http: 409, retry: false, sentence: 'This approval has been used.' },
  approval_granted: { http: 409, retry: false, sentence: 'This call is approved already.' },
  approval_pending: { http: 409, retry: true, sentence: 'This call still waits for people.' },
  approval_not_claimed: { http: 409, retry: false, sentence: 'This call was not released, so it has no outcome.' },
  too_many_held: { http: 429, retry: true, sentence: 'Too many calls wait for people already.' },
  stopped_by_switch: { http: 403, retry: false, sentence: 'A kill switch is on.' },
  decision_stale: { http: 409, retry: true, sentence: 'What is asked has changed since you saw it; look again.' },
  not_eligible: { http: 403, retry: false, sentence: 'You are not one of the people who decide about this step.' },
  never_counts: { http: 403, retry: false, sentence: 'Who asked for a call, or owns the agent that did, never decides about it.' },
  counted_already: { http: 409, retry: false, sentence: 'This right to decide has been used for this call; one person counts once.' },
  decided_otherwise: { http: 409, retry: false, sentence: 'You decided otherwise before; a decision stands.' },
  reason_required: { http: 400, retry: false, sentence: 'A reason is required.' },
  edit_changes_nothing: { http: 400, retry: false, sentence: 'These are the arguments it has already.' },
  too_many_edits: { http: 409, retry: false, sentence: 'The arguments of this call were edited too often.' },
  break_glass_off: { http: 403, retry: false, sentence: 'Nobody may break the glass in this flow.' },
  not_due: { http: 409, retry: true, sentence: 'It is not time for this.' },
  nothing_more_to_do: { http: 409, retry: false, sentence: 'All of it was done already.' },
  step_unknown: { http: 400, retry: false, sentence: 'This flow has no such step.' },
  delegation_chain: { http: 403, retry: false, sentence: 'A delegated right cannot be delegated again.' },
  delegation_over: { http: 400, retry: false, sentence: 'The delegation would end before it begins.' },
  delegate_unknown: { http: 400, retry: false, sentence: 'There is no such person to delegate to.' },
  too_many_delegations: { http: 409, retry: false, sentence: 'This approval was delegated too often.' },
  binding_mismatch: { http: 403, retry: false, sentence: 'The approval is for another call.' },
  requester_invalid: { http: 403, retry: false, sentence: 'Who asked for this call may not call any more.' },
  tool_changed: { http: 403, retry: false, sentence: 'The tool is not the one that was approved.' },
  quorum_lost: { http: 403, retry: false, sentence: 'Not enough of the people who approved this may still decide about it.' },
  standing_not_found: { http: 404, retry: false, sentence: 'There is no such standing approval.' },
  standing_over: { http: 410, retry: false, sentence: 'The standing approval has ended or was revoked.' },
  standing_too_long: { http: 400, retry: false, sentence: 'A standing approval lasts at most eight hours.' },
  condition_not_met: { http: 403, retry: false, sentence: 'The arguments do not meet the condition of the standing approval.' },
} as const satisfies Record<string, ErrorEntry>;

/** Codes that mean the same elsewhere are the same. */
export type HeldRefusalCode = keyof typeof heldRefusals | Extract<ErrorCode, 'approval_unavailable' | 'arguments_invalid' | 'policy_denied' | 'forbidden'>;

export interface Refused {
  readonly ok: false;
  readonly code: HeldRefusalCode;
}

export function refused(code: HeldRefusalCode): Refused {
  return { ok: false, code };
}
