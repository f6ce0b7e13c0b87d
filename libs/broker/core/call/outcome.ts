import {
  CanonicalText,
  type ErrorCode,
  errorCatalogue,
  type EventData,
  MAX_SEALED_DEPTH,
  NotCanonical,
  canonicalJson,
  parseStrictJson,
} from '#libs/contracts';
import type { UpstreamAnswer } from '../upstream/upstreams.ts';
import type { Call, CallAnswer } from './call.ts';

/** What an upstream answer means: for the record, and for the agent. */
export interface Outcome {
  readonly outcome: EventData<'call.completed'>['outcome'];
  readonly errorClass?: string;
  readonly resultDigest?: string;
  readonly resultBytes: number;
  readonly seal: Readonly<Record<string, unknown>>;
  readonly answer: CallAnswer;
}

/** Why nothing was sent, in the words that callers hear. */
export const NOT_SENT = { busy: 'overloaded', unreachable: 'upstream_unreachable', cancelled: 'cancelled', stopped: 'stopping' } as const;

/** A server that asked for input, which it did not get, has done nothing. */
export function noInput(call: Pick<Call, 'id'>, sentence: string, code: ErrorCode = 'input_unavailable'): Outcome {
  return told(call, 'failed', code, 'not_executed', sentence);
}

const TOO_LARGE_TO_TELL = 'The upstream server answered with more than is allowed here; whether it executed the call is unknown.';

/** A pure reading of the answer. Whatever cannot be told is `unknown`; nothing is guessed in anybody's favour. */
export function readAnswer(
  call: Call,
  answer: UpstreamAnswer,
  digest: (text: string) => string,
  contradiction: (structured: unknown) => string | undefined = () => undefined,
): Outcome {
  switch (answer.kind) {
    case 'result':
      return result(call, answer.text, digest, contradiction);
    case 'error':
      return {
        outcome: 'failed',
        errorClass: 'upstream_error',
        ...written(answer.text, '/error', digest),
        answer: { kind: 'error', text: answer.text },
      };
    case 'too_large':
      if (answer.cut) return told(call, 'unknown', 'result_too_large', 'unknown', TOO_LARGE_TO_TELL);
      return told(call, answer.isError ? 'failed' : 'succeeded', 'result_too_large', 'executed');
    case 'not_sent':
      return told(call, 'failed', NOT_SENT[answer.reason], 'not_executed');
    case 'rejected':
      return told(
        call,
        'failed',
        'upstream_protocol',
        'not_executed',
        `The upstream server turned the request away (HTTP ${answer.status}).`,
      );
    case 'lost':
      if (answer.reason === 'timeout') return told(call, 'unknown', 'upstream_timeout', 'unknown');
      if (answer.reason === 'cancelled') {
        return told(call, 'unknown', 'cancelled', 'unknown', 'The call was cancelled while it was running; whether it was executed is unknown.');
      }
      if (answer.reason === 'stopped') {
        return told(
          call,
          'unknown',
          'stopping',
          'unknown',
          'Holdfast stopped while the call was running; whether it was executed is unknown.',
        );
      }
      if (answer.reason === 'broken') return told(call, 'unknown', 'upstream_broken', 'unknown');
      return told(
        call,
        'unknown',
        'upstream_protocol',
        'unknown',
        `${errorCatalogue.upstream_protocol.sentence} Whether it executed the call is unknown.`,
      );
  }
}

function result(call: Call, text: string, digest: (text: string) => string, contradiction: (structured: unknown) => string | undefined): Outcome {
  const { value, ...facts } = written(text, '/result', digest);
  const members = (typeof value === 'object' && value !== null ? value : {}) as { resultType?: unknown; isError?: unknown; structuredContent?: unknown };
  const { resultType, isError } = members;
  const problem = (resultType ?? 'complete') !== 'complete' || isError === true ? undefined : contradiction(members.structuredContent);
  if (problem !== undefined) {
    const sentence = `${errorCatalogue.result_invalid.sentence} (${problem})`;
    return { ...told(call, 'succeeded', 'result_invalid', 'executed', sentence), ...facts };
  }
  return {
    ...said(resultType, isError === true),
    ...facts,
    answer: { kind: 'result', text, resultType: typeof resultType === 'string' ? resultType : undefined },
  };
}

function said(resultType: unknown, isError: boolean): Pick<Outcome, 'outcome' | 'errorClass'> {
  // A server that asks for more input has not done what it was asked to do; one that answers in a way of its own may have begun.
  if (resultType === 'input_required') return { outcome: 'failed', errorClass: 'input_required' };
  if (resultType !== undefined && resultType !== 'complete') return { outcome: 'unknown', errorClass: 'upstream_protocol' };
  return isError ? { outcome: 'failed', errorClass: 'tool_error' } : { outcome: 'succeeded' };
}

function told(
  call: Pick<Call, 'id'>,
  outcome: Outcome['outcome'],
  code: ErrorCode,
  disposition: 'not_executed' | 'executed' | 'unknown',
  sentence: string = errorCatalogue[code].sentence,
): Outcome {
  return { outcome, errorClass: code, resultBytes: 0, seal: {}, answer: { kind: 'refused', call: call.id, code, sentence, disposition } };
}

/**
 * How a value from upstream is written down: sealed as it is, with the digest of its canonical form. Upstream servers may send JSON
 * that has none (numbers beyond a double, duplicate keys); then its text is what is sealed, as a string, so that nothing is changed.
 */
function written(
  text: string,
  path: '/result' | '/error',
  digest: (text: string) => string,
): { value: unknown; resultDigest: string; resultBytes: number; seal: Readonly<Record<string, unknown>> } {
  let value: unknown;
  let sealed: unknown;
  let canonical: string;
  try {
    value = parseStrictJson(text, MAX_SEALED_DEPTH);
    canonical = canonicalJson(value, MAX_SEALED_DEPTH);
    sealed = new CanonicalText(canonical);
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    value = JSON.parse(text);
    sealed = text;
    canonical = JSON.stringify(text);
  }
  return { value, resultDigest: digest(canonical), resultBytes: Buffer.byteLength(text), seal: { [path]: sealed } };
}
