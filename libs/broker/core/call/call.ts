import type { ErrorCode } from '#libs/contracts';
import type { Lane, Principal, Ticket } from '#libs/ports';
import type { InputAnswers } from '../mcp/input-required.ts';
import type { CallMethod } from '../policy/facts.ts';
import type { UpstreamClient } from '../upstream/upstreams.ts';
import type { Cancellation } from './cancellation.ts';

/** One call as it came in, identified and parsed, not yet judged: of a tool, for a prompt, or to read a resource. */
export interface Call {
  readonly id: string;
  /** The approval that released it. */
  readonly approval?: string;
  /** How its caller waits when people are to be asked. */
  readonly lane: Lane;
  readonly method: CallMethod;
  readonly principal: Principal;
  /** The name or URI the agent gave. */
  readonly name: string;
  /** What the record and policy take as the arguments; for a resource its URI. */
  readonly args: Readonly<Record<string, unknown>> | undefined;
  /** How many bytes the arguments had as they came in; 0 when there were none. */
  readonly argsBytes: number;
  /** JSON text of the request's `params` as they came in, without `_meta`. */
  readonly params: string;
  readonly endpoint: string;
  readonly protocol: string;
  readonly ip: string | undefined;
  /** What the client says it is; recorded as claimed. */
  readonly claimedClient: string | undefined;
  readonly reason: string | undefined;
  readonly run: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly traceparent: string | undefined;
  /** `_meta` members that go to the upstream server. */
  readonly upstreamMeta: Readonly<Record<string, unknown>>;
  /** On whose behalf, as far as the upstream server may know. */
  readonly client: UpstreamClient | undefined;
  /** Says when nobody wants the answer any more. */
  readonly cancellation: Cancellation;
  /** Gets what its server wants to know before it does anything; absent where that is for the client's next request to bring. */
  readonly input?: (wanted: string) => Promise<InputAnswers>;
  /** When it came in; monotonic microseconds. */
  readonly receivedUs: number;
}

/** What may be told to an agent about a call that did not simply succeed or fail upstream. */
export interface RefusedCall {
  readonly kind: 'refused';
  readonly call: string;
  readonly code: ErrorCode;
  /** For a model to act on; holds no value of anybody. */
  readonly sentence: string;
  readonly disposition: 'not_executed' | 'executed' | 'unknown';
  /** Why policy asked for people, where they could not be asked. */
  readonly why?: string;
  /** What people do about it, or did. */
  readonly approval?: Pick<Ticket, 'approval' | 'status' | 'expiresAt' | 'progress'>;
}

/** A call that waits for people. */
export interface HeldAnswer {
  readonly kind: 'held';
  readonly call: string;
  readonly ticket: Ticket;
  /** Why policy asks for people. */
  readonly why: string;
}

/** The answer to a call. `result` and `error` are JSON text of the upstream server, to be passed on as it is. */
export type CallAnswer =
  | { readonly kind: 'result'; readonly text: string; readonly resultType: string | undefined }
  | { readonly kind: 'error'; readonly text: string }
  | RefusedCall;
