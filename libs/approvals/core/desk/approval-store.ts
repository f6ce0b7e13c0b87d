import type { EventDraft } from '#libs/contracts';
import type { CallIdentity, Lane } from '#libs/ports';
import type { Delegation } from '../held/delegation.ts';
import type { HeldCall, Status } from '../held/state.ts';

/** One approval as it is kept: the state that its events make, and what stands beside it. */
export interface StoredApproval {
  readonly state: HeldCall;
  readonly lane: Lane;
  /** Why policy asked, for people. */
  readonly why: string;
  readonly impactClass: string;
  readonly channels: readonly string[];
  readonly inputSchema: Readonly<Record<string, unknown>> | null;
  /** The request and what people and servers said, sealed fields. */
  readonly sealed: Uint8Array;
  readonly createdAt: number;
  readonly changedAt: number;
}

/** What a decision must know of its moment; read in the transaction that it becomes part of. */
export interface Moment {
  /** The configuration in force. */
  readonly revision: number;
  /** Delegations of the tenant for more than one approval, which are neither over nor revoked. */
  readonly delegations: readonly Delegation[];
}

export interface Opening {
  readonly tenant: string;
  readonly agent: string | null;
  /** Equal for calls that join each other; null when this one joins none. */
  readonly joins: string | null;
  /** Settled approvals of equal calls are joined when they ended after this moment; milliseconds since the epoch. */
  readonly settledAfter: number;
  /** Decides, knowing how many are held; null changes nothing. */
  readonly decide: (held: { readonly agent: number; readonly tenant: number }, moment: Moment) => { readonly next: StoredApproval; readonly events: readonly EventDraft[] } | null;
}

/** What a change is to become; without `next` nothing is written. */
export interface Change<T> {
  readonly result: T;
  readonly next?: StoredApproval;
  readonly events?: readonly EventDraft[];
  /** Kept for those who ask for the outcome again; a sealed field. */
  readonly answer?: Uint8Array;
}

export interface ApprovalQuery {
  readonly tenant: string;
  readonly statuses?: readonly Status[];
  /** Only calls that this user asked for. */
  readonly requester?: string;
  readonly limit: number;
  /** The place after which the page begins, as an earlier page gave it. */
  readonly after?: string;
}

/** Tells of one change of one approval, to be told to people; kept until somebody did. */
export interface Notice {
  readonly tenant: string;
  readonly approval: string;
  readonly version: number;
  /** What happened, in order. */
  readonly events: readonly string[];
}

/**
 * Approvals, state first: each change is one transaction with the events and the notice that tell of it. Changes of one approval come
 * one after the other, and each sees the one before.
 */
export interface ApprovalStore {
  /** Joins the approval of an equal call, or opens one; `null` when it was decided not to. */
  open(opening: Opening): Promise<{ readonly kind: 'joined' | 'opened'; readonly approval: StoredApproval } | null>;
  /** Null when there is no such approval. `number` is that of the batch in the outbox, when there is one. */
  change<T>(tenant: string, id: string, work: (found: StoredApproval, moment: Moment) => Change<T>): Promise<{ readonly result: T; readonly number: bigint | null } | null>;
  load(tenant: string, id: string): Promise<StoredApproval | null>;
  answer(tenant: string, id: string): Promise<Uint8Array | null>;
  /** Removes the answers of approvals that ended before this moment; how many. */
  forgetAnswers(before: number, limit: number): Promise<number>;
  list(query: ApprovalQuery): Promise<{ readonly items: readonly StoredApproval[]; readonly next: string | null }>;
  /** What was changed after a place, in the order of time; an id of null is before all others of its moment. */
  changedSince(tenant: string, place: { readonly at: number; readonly id: string | null }, limit: number): Promise<readonly StoredApproval[]>;
  /** The last executed call of the same tool by the same agent that was asked for before a moment. */
  lastExecuted(call: CallIdentity, before: number): Promise<StoredApproval | null>;
  moment(tenant: string): Promise<Moment>;
  /** Approvals that want to be woken by now, of all tenants, the longest overdue first. */
  due(now: number, limit: number): Promise<readonly { readonly tenant: string; readonly id: string }[]>;
  /** Claimed ones that nobody settled since this moment. */
  unsettled(before: number, limit: number): Promise<readonly StoredApproval[]>;
  /** Approved calls in a lane that nobody claimed. */
  releasable(lane: Lane, limit: number): Promise<readonly StoredApproval[]>;
  notices(limit: number): Promise<readonly Notice[]>;
  told(notice: Notice): Promise<void>;
  /** Calls back a moment after each change; a hint, some are lost. Any number of listeners. */
  changes(listener: (change: { readonly tenant: string; readonly approval: string; readonly status: Status; readonly lane: Lane }) => void): void;
}
export const ApprovalStore = Symbol('ApprovalStore');
