import { type ErrorCode, errorCatalogue } from '#libs/contracts';
import type { Ticket } from '#libs/ports';
import type { Call, CallAnswer, RefusedCall } from './call.ts';
import type { Outcome } from './outcome.ts';

/** How calls are refused in the words that callers hear. */

export const REFUSED_BY_RECORDER = { full: 'overloaded', down: 'journal_unavailable', stopped: 'stopping' } as const;

export function notExecuted(call: Pick<Call, 'id'>, code: ErrorCode, sentence: string = errorCatalogue[code].sentence): RefusedCall {
  return { kind: 'refused', call: call.id, code, sentence, disposition: 'not_executed' };
}

/** The outcome is on its way into the log but not there yet, so the agent may not have the result; it must not repeat the call either. */
export function beingRecorded(call: Call, outcome: Outcome): CallAnswer {
  const { answer } = outcome;
  if (answer.kind === 'refused' && answer.disposition !== 'executed') return answer;
  const code = 'outcome_being_recorded';
  // An error or a question of the server does not say that it did what it was asked.
  const told = answer.kind === 'refused' || outcome.outcome === 'succeeded' || outcome.errorClass === 'tool_error';
  const sentence = told ? errorCatalogue[code].sentence : 'The server answered, and its answer is being recorded; do not repeat the call.';
  return { kind: 'refused', call: call.id, code, sentence, disposition: told ? 'executed' : 'unknown' };
}

const ENDED = { denied: 'approval_denied', expired: 'approval_expired', cancelled: 'approval_cancelled', killed: 'approval_killed' } as const;

/** What an agent hears of a held call that will not be executed, or not yet. */
export function aboutApproval(ticket: Ticket): RefusedCall {
  const { status, approval, expiresAt, progress, call } = ticket;
  const about = { approval, status, expiresAt, progress };
  if (status in ENDED) {
    const code = ENDED[status as keyof typeof ENDED];
    return { kind: 'refused', call, code, sentence: errorCatalogue[code].sentence, disposition: 'not_executed', approval: about };
  }
  if (status === 'held' || status === 'approved') {
    const until = new Date(expiresAt).toISOString();
    const sentence =
      status === 'held'
        ? `This call waits for the approval of people until ${until} (${progress}).`
        : `This call is approved and waits for you to collect its result until ${until}.`;
    return { kind: 'refused', call, code: 'approval_pending', sentence, disposition: 'not_executed', approval: about };
  }
  if (status === 'claimed') return { kind: 'refused', call, code: 'approval_claimed', sentence: 'This call is approved and is being executed right now.', disposition: 'unknown', approval: about };
  const sentence = status === 'unknown' ? 'This call was approved; whether it was executed is unknown.' : errorCatalogue.answer_not_kept.sentence;
  return { kind: 'refused', call, code: 'answer_not_kept', sentence, disposition: status === 'executed' ? 'executed' : 'unknown', approval: about };
}
