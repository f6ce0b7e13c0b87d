import { errorCatalogue } from '#libs/contracts';
import type { Ticket } from '#libs/ports';
import type { CallAnswer } from '../call/call.ts';
import { aboutApproval } from '../call/refused.ts';
import { inEra } from '../mcp/eras.ts';
import { META_OWN_PREFIX } from '../mcp/protocol.ts';
import { approvedResult, refusedResult } from '../mcp/reply.ts';
import type { TaskQuestion } from './running-tasks.ts';

const MINUTE_MS = 60_000;
/** Answers are kept for a day after the end. */
const KEPT_MS = 24 * 60 * MINUTE_MS;

/** The older a task, the less is to be missed by asking seldom. */
export function pollIntervalMs(ageMs: number): number {
  if (ageMs < 2 * MINUTE_MS) return 5_000;
  return ageMs < 15 * MINUTE_MS ? 15_000 : 60_000;
}

/** The answer to the call that became a task. */
export function createdTask(ticket: Ticket, now: number): string {
  return JSON.stringify({ resultType: 'task', ...frame(ticket, 'working', now) });
}

/** A task as `tasks/get` tells it. `answer` is what was kept of a call that is over, `questions` what its server wants to know now. */
export function detailedTask(ticket: Ticket, answer: CallAnswer | null, questions: readonly TaskQuestion[], now: number): string {
  const told = (status: Status, more: Readonly<Record<string, string>> = {}): string => {
    const members = Object.entries(more).map(([name, text]) => `,${JSON.stringify(name)}:${text}`);
    return `${JSON.stringify({ resultType: 'complete', ...frame(ticket, status, now) }).slice(0, -1)}${members.join('')}}`;
  };
  switch (ticket.status) {
    case 'held':
    case 'approved':
      return told('working');
    case 'claimed':
      if (questions.length === 0) return told('working');
      return told('input_required', { inputRequests: `{${questions.map(({ name, request }) => `${JSON.stringify(name)}:{"method":${JSON.stringify(request.method)},"params":${request.params}}`).join(',')}}` });
    case 'cancelled':
      return told('cancelled');
    default:
      return ended(ticket, answer ?? aboutApproval(ticket), told);
  }
}

type Status = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';

function ended(ticket: Ticket, answer: CallAnswer, told: (status: Status, more?: Readonly<Record<string, string>>) => string): string {
  switch (answer.kind) {
    case 'error':
      return told('failed', { error: answer.text });
    case 'refused':
      // Its caller took it back before anything was sent.
      if (answer.code === 'cancelled' && answer.disposition === 'not_executed') return told('cancelled');
      return told('completed', { result: refusedResult(answer, 'modern', ticket) });
    case 'result':
      if (answer.resultType !== undefined && answer.resultType !== 'complete') {
        const { sentence } = errorCatalogue.input_unavailable;
        return told('completed', { result: refusedResult({ kind: 'refused', call: ticket.call, code: 'input_unavailable', sentence, disposition: 'not_executed' }, 'modern') });
      }
      return told('completed', { result: approvedResult(inEra(answer.text, answer.resultType, 'modern', 'tools/call'), ticket) });
  }
}

function frame(ticket: Ticket, status: Status, now: number): Record<string, unknown> {
  const { approval, call, createdAt, changedAt, expiresAt } = ticket;
  const over = ENDED.has(status);
  const pollMs = pollIntervalMs(now - createdAt);
  return {
    taskId: approval,
    status,
    statusMessage: status === 'input_required' ? 'The call is approved; before it is executed, its server asks for input.' : sentenceOf(ticket),
    createdAt: new Date(createdAt).toISOString(),
    lastUpdatedAt: new Date(changedAt).toISOString(),
    ttlMs: Math.max(changedAt, over ? 0 : expiresAt) - createdAt + KEPT_MS,
    pollIntervalMs: pollMs,
    _meta: {
      [`${META_OWN_PREFIX}call`]: { callId: call, approvalId: approval, state: ticket.status, expiresAt: new Date(expiresAt).toISOString(), ...(over ? {} : { retryAfterMs: pollMs }) },
    },
  };
}

const ENDED: ReadonlySet<Status> = new Set(['completed', 'failed', 'cancelled']);

/** How a held call stands, in one sentence. */
export function sentenceOf({ status, progress, expiresAt }: Pick<Ticket, 'status' | 'progress' | 'expiresAt'>): string {
  const until = new Date(expiresAt).toISOString();
  switch (status) {
    case 'held':
      return `This call waits for the approval of people until ${until} (${progress}).`;
    case 'approved':
      return `This call is approved and is executed as soon as it can be, until ${until}.`;
    case 'claimed':
      return 'This call is approved and is being executed right now.';
    case 'executed':
      return 'This call was approved and executed.';
    case 'failed':
      return 'This call was approved, and failed.';
    case 'unknown':
      return 'This call was approved; whether it was executed is unknown.';
    default:
      return errorCatalogue[ENDS[status]].sentence;
  }
}

const ENDS = { denied: 'approval_denied', expired: 'approval_expired', cancelled: 'approval_cancelled', killed: 'approval_killed' } as const;
