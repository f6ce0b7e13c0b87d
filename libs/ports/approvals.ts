import type { Effect, ErrorCode } from '#libs/contracts';
import type { Principal } from './principal.ts';

/** Which call it is, but for its arguments. */
export interface CallIdentity {
  readonly tenant: string;
  readonly user: string;
  readonly client: string;
  readonly agent: string | null;
  readonly server: string;
  /** A tool, a prompt and a resource may have the same name. */
  readonly method: 'tools/call' | 'prompts/get' | 'resources/read';
  readonly tool: string;
  /** Of the pinned definition; null for what has none, which is a resource. */
  readonly toolHash: string | null;
}

export interface ArgumentsIdentity {
  /** base64url SHA-256 of their canonical form; absent arguments have the digest of `{}`. */
  readonly digest: string;
  readonly absent: boolean;
}

/** How the agent waits: a task goes on without it, otherwise nothing is executed for nobody. */
export type Lane = 'task' | 'wait';

/** What is kept of a held call, sealed, to make exactly that call later. */
export interface HeldRequest {
  readonly principal: Principal;
  readonly method: CallIdentity['method'];
  /** The name or URI the agent gave. */
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>> | undefined;
  /** JSON text of the request's `params`, without `_meta`. */
  readonly params: string;
  readonly endpoint: string;
  readonly protocol: string;
  readonly ip?: string;
  readonly claimedClient?: string;
  readonly run?: string;
  readonly idempotencyKey?: string;
  readonly traceparent?: string;
  /** What its client can be asked for while it runs. */
  readonly capabilities?: Readonly<Record<string, unknown>>;
  readonly upstreamMeta: Readonly<Record<string, unknown>>;
}

export interface HoldRequest {
  readonly call: string;
  readonly identity: CallIdentity;
  readonly args: ArgumentsIdentity;
  readonly policyVersion: number;
  readonly rule: string;
  /** Why policy asks, for people. */
  readonly why: string;
  readonly flow: string | undefined;
  /** The agent's reason. */
  readonly reason: string | undefined;
  readonly impactClass: string;
  readonly lane: Lane;
  /** Whether it joins the approval of an equal call. */
  readonly joins: boolean;
  /** Whether an approval given beforehand may release it: not where it brings more than its arguments, which are all that such an approval knows. */
  readonly standing: boolean;
  readonly request: HeldRequest;
  /** The tool's input schema, for people who edit arguments. */
  readonly inputSchema: Readonly<Record<string, unknown>> | undefined;
}

export type ApprovalStatus = 'held' | 'approved' | 'claimed' | 'executed' | 'failed' | 'unknown' | 'denied' | 'expired' | 'cancelled' | 'killed';

/** What an agent may know of its held call. */
export interface Ticket {
  readonly tenant: string;
  readonly approval: string;
  /** The call that asked first. */
  readonly call: string;
  readonly lane: Lane;
  readonly status: ApprovalStatus;
  readonly version: number;
  readonly caller: Pick<CallIdentity, 'user' | 'client' | 'agent'>;
  readonly server: string;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly expiresAt: number;
  /** The open step, for people: "finance, 1 of 2". */
  readonly progress: string;
  /** Of the arguments that would be executed; another one than the agent's when `edited`. */
  readonly args: ArgumentsIdentity;
  readonly edited: boolean;
}

/** Resolves when a change, and everything before it, is in the journal; false when that took longer. */
export type Journaled = (timeoutMs: number) => Promise<boolean>;

export type Held =
  | { readonly kind: 'held' | 'joined'; readonly ticket: Ticket }
  /** A standing approval was used; the call may go ahead. */
  | { readonly kind: 'released'; readonly standing: string; readonly journaled: Journaled }
  | { readonly kind: 'refused'; readonly code: ErrorCode };

export interface ClaimRequest {
  readonly broker: string;
  readonly identity: CallIdentity;
  readonly args: ArgumentsIdentity;
  readonly requesterValid: boolean;
  readonly policy: { readonly version: number; readonly effect: Effect; readonly flow: string | undefined };
}

export type Claimed = { readonly ok: true; readonly journaled: Journaled } | { readonly ok: false; readonly code: ErrorCode };

/**
 * Held calls, as brokers know them. State first: what resolves here is durable. Every broker of an installation serves every held call.
 */
export interface Approvals {
  /** Holds a call for people, joins the approval of an equal call that waits or was settled a moment ago, or refuses at once. */
  hold(request: HoldRequest): Promise<Held>;
  find(tenant: string, approval: string): Promise<Ticket | null>;
  /** What would be executed now: the request as it was held, with the arguments of the latest edit. Null when its key was destroyed. */
  request(tenant: string, approval: string): Promise<HeldRequest | null>;
  /** The one right to execute; only the first claim gets it. */
  claim(tenant: string, approval: string, request: ClaimRequest): Promise<Claimed>;
  /** What became of the claimed call. `answer` is kept for those who ask for it within a while. */
  settle(tenant: string, approval: string, outcome: 'executed' | 'failed' | 'unknown', answer: string): Promise<void>;
  /** What was kept at the settlement; null when nothing was, or not any more. */
  answer(tenant: string, approval: string): Promise<string | null>;
  /** Takes the call back for its caller. Null when that is done, otherwise why it cannot be. */
  withdraw(tenant: string, approval: string, caller: Principal): Promise<ErrorCode | null>;
  /** Approved calls in the lane of tasks that nobody has claimed, longest waiting first. */
  releasable(limit: number): Promise<readonly Ticket[]>;
  /** Hears of every change of any approval, a moment after it. A hint: some are lost. One listener. */
  changes(listener: (change: { readonly tenant: string; readonly approval: string; readonly status: ApprovalStatus; readonly lane: Lane }) => void): void;
}
export const Approvals = Symbol('Approvals');
