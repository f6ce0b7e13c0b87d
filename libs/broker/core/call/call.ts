import type { ErrorCode } from '#libs/contracts';
import type { Principal } from '#libs/ports';

/** One tool call as it came in, identified and parsed, not yet judged. */
export interface ToolCall {
  readonly id: string;
  readonly principal: Principal;
  /** The name the agent gave. */
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>> | undefined;
  /** The arguments' JSON text as it came in; undefined when there were none. */
  readonly argsText: string | undefined;
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
}

/** The answer to a call. `result` and `error` are JSON text of the upstream server, to be passed on as it is. */
export type CallAnswer =
  | { readonly kind: 'result'; readonly text: string; readonly resultType: string | undefined }
  | { readonly kind: 'error'; readonly text: string }
  | RefusedCall;
