import { errorCatalogue, type Refusal } from '#libs/contracts';
import type { Ticket } from '#libs/ports';
import type { RefusedCall } from '../call/call.ts';
import { memberText, withMembers } from './json-text.ts';
import { META_OWN_PREFIX, type RpcId } from './protocol.ts';

/** An HTTP answer, ready to be written. */
export interface McpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const JSON_HEADERS = { 'content-type': 'application/json' };
/** For refusals that have no JSON-RPC code of their own. */
const OTHER_RPC_CODE = -32000;

export function empty(status: number, headers: Readonly<Record<string, string>> = {}): McpReply {
  return { status, headers, body: '' };
}

/** `text` is the JSON of the result. */
export function resultReply(id: RpcId, text: string, headers: Readonly<Record<string, string>> = JSON_HEADERS): McpReply {
  return { status: 200, headers, body: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${text}}` };
}

/** `text` is the JSON of an upstream server's error, passed on as it is. */
export function upstreamErrorReply(id: RpcId, text: string, era: 'legacy' | 'modern' = 'legacy'): McpReply {
  const missing = era === 'modern' && (JSON.parse(text) as { code?: unknown }).code === MISSING_CLIENT_CAPABILITY;
  return { status: missing ? 400 : 200, headers: JSON_HEADERS, body: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${text}}` };
}

/**
 * A refusal as a JSON-RPC error. Clients of the legacy era take any status but 200 for a broken connection, so a request that was
 * understood and is wrong in itself is answered in band there.
 */
export function errorReply(refusal: Refusal, id: RpcId | null, inBand = false, headers: Readonly<Record<string, string>> = {}): McpReply {
  const { http, rpc, retry } = refusal.entry;
  const error = {
    code: rpc ?? OTHER_RPC_CODE,
    message: refusal.message,
    data: { ...refusal.extra, code: refusal.code, ...(retry ? { retry } : {}) },
  };
  return { status: inBand ? 200 : http, headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify({ jsonrpc: '2.0', id, error }) };
}

/** The one error of a server that has a status of its own in the modern era, wherever it comes from. */
const MISSING_CLIENT_CAPABILITY = -32021;
const INVALID_PARAMS = -32602;

/** A refused prompt or resource: these have no result that could say so. */
export function refusedErrorReply(id: RpcId, { call, code, sentence, disposition }: RefusedCall, era: 'legacy' | 'modern'): McpReply {
  const { rpc, retry } = errorCatalogue[code];
  const error = {
    // The modern era has no code of its own for a resource that is not there.
    code: era === 'modern' && code === 'resource_not_found' ? INVALID_PARAMS : (rpc ?? OTHER_RPC_CODE),
    message: `${FIRST_WORDS[disposition]}: ${sentence}`,
    data: { code, callId: call, disposition, ...(retry ? { retry, retryAfterMs: RETRY_AFTER_MS } : {}) },
  };
  return { status: 200, headers: JSON_HEADERS, body: JSON.stringify({ jsonrpc: '2.0', id, error }) };
}

const FIRST_WORDS = { not_executed: 'NOT EXECUTED', executed: 'EXECUTED', unknown: 'OUTCOME UNKNOWN' } as const;
const STATES = { not_executed: 'refused', executed: 'completed', unknown: 'unknown' } as const;
const ADVICE = {
  not_executed: 'Nothing was changed. Repeating the same call will not help.',
  executed: 'Do not repeat the call.',
  unknown: 'Do not repeat the call before somebody has checked what happened.',
} as const;
const RETRY_AFTER_MS = 1_000;
const PENDING_RETRY_MS = 15_000;

/** What programs read of a call that people had a say in. */
const BY_PEOPLE = {
  denied: 'denied-not-executed',
  expired: 'denied-not-executed',
  cancelled: 'denied-not-executed',
  killed: 'denied-not-executed',
  executed: 'approved-executed',
  failed: 'execution-error',
  unknown: 'outcome-unknown',
} as const;

const PENDING_ADVICE = 'Nothing was changed so far. Do something else, or wait a little and repeat exactly the same call: that asks nobody again, and collects the result once people have decided.';
const OVER_ADVICE = 'Nothing was changed. Do not repeat the call; tell your user what was decided.';

/**
 * A refused call as a tool result: text that a model can act on, the same again for programs in `_meta`. `approved` is the approval of a
 * call that was released, and of which more is known than that nothing happened.
 */
export function refusedResult(refused: RefusedCall, era: 'legacy' | 'modern', approved?: Ticket): string {
  const { code, disposition } = refused;
  const approval = refused.approval ?? (disposition === 'not_executed' ? undefined : approved);
  const retry = disposition === 'not_executed' && errorCatalogue[code].retry;
  const pending = code === 'approval_pending';
  const advice = pending ? PENDING_ADVICE : approval && disposition === 'not_executed' ? OVER_ADVICE : retry ? 'Nothing was changed. The same call may succeed later.' : ADVICE[disposition];
  return JSON.stringify({
    ...(era === 'modern' ? { resultType: 'complete' } : {}),
    content: [
      {
        type: 'text',
        text: `${FIRST_WORDS[disposition]}: ${refused.sentence}\n${advice}\nCode ${code}, call ${refused.call}${approval ? `, approval ${approval.approval}` : ''}.`,
      },
    ],
    isError: true,
    _meta: {
      [`${META_OWN_PREFIX}call`]: {
        callId: refused.call,
        state: approval?.status ?? STATES[disposition],
        disposition: (approval && BY_PEOPLE[approval.status as keyof typeof BY_PEOPLE]) ?? disposition,
        code,
        ...(approval ? { approvalId: approval.approval, expiresAt: new Date(approval.expiresAt).toISOString() } : {}),
        ...(retry ? { retryAfterMs: pending ? PENDING_RETRY_MS : RETRY_AFTER_MS } : {}),
      },
    },
  });
}

/** An upstream result with the word that people approved it. */
export function approvedResult(text: string, ticket: Ticket | undefined): string {
  if (!ticket) return text;
  const disposition = memberText(text, 'isError') === 'true' ? 'execution-error' : 'approved-executed';
  const about = { callId: ticket.call, state: 'completed', approvalId: ticket.approval, disposition, ...(ticket.edited ? { argumentsEdited: true, argumentsDigest: ticket.args.digest } : {}) };
  const meta = withMembers(memberText(text, '_meta') ?? '{}', { [`${META_OWN_PREFIX}call`]: JSON.stringify(about) });
  const noted = ticket.edited ? withNote(text, EDITED_NOTE) : text;
  return withMembers(noted, { _meta: meta });
}

const EDITED_NOTE = 'NOTE: people approved this call with other arguments than you gave. The result belongs to theirs.';

/** One more text at the end of a tool's content. */
function withNote(text: string, note: string): string {
  const content = memberText(text, 'content');
  if (content === undefined) return text;
  const items = JSON.parse(content) as unknown[];
  return withMembers(text, { content: JSON.stringify([...items, { type: 'text', text: note }]) });
}
