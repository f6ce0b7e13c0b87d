import type { Actor } from '#libs/contracts';
import type { Binding, BoundArguments } from './binding.ts';
import type { DelegationScope } from './delegation.ts';
import type { Flow, People } from './flow.ts';

export type Verdict = 'approve' | 'deny';
export type SettledAs = 'executed' | 'failed' | 'unknown';

/** Milliseconds since the epoch at which it was decided; state depends on it, so it stands in the data. */
interface At {
  readonly at: number;
}

/** The data of each event of one approval, by type. Plain JSON; free text and arguments are sealed beside it. */
export interface ApprovalEventData {
  'approval.requested': At & {
    readonly approval: string;
    readonly call: string;
    readonly rule: string;
    readonly binding: Binding;
    readonly flow: Flow;
    /** Who owned the agent then, and never decides about this call, whoever owns it later. */
    readonly agentOwners: readonly string[];
    readonly expiresAt: number;
  };
  /** Opened anew, in a further round, after the arguments were edited. */
  'approval.step_opened': At & { readonly step: number; readonly name: string; readonly round: number; readonly need: number; readonly deny: number };
  'approval.voted': At & {
    readonly step: number;
    readonly round: number;
    readonly person: string;
    /** Whose right it was: the person's own, or that of who delegated it. */
    readonly seat: string;
    readonly verdict: Verdict;
    readonly argsDigest: string;
  };
  'approval.reminded': At & { readonly step: number; readonly number: number };
  'approval.escalated': At & { readonly step: number; readonly to: People };
  'approval.delegated': At & { readonly from: string; readonly to: string; readonly until: number; readonly scope: DelegationScope };
  'approval.edited': At & { readonly person: string; readonly round: number; readonly from: BoundArguments; readonly to: BoundArguments };
  'approval.broke_glass': At & { readonly person: string; readonly argsDigest: string };
  'approval.granted': At & { readonly by: 'quorum' | 'break_glass'; readonly args: BoundArguments; readonly claimUntil: number; readonly postReview: boolean };
  'approval.denied': At & { readonly step: number };
  'approval.expired': At & { readonly was: 'held' | 'approved' };
  'approval.cancelled': At & { readonly person: string; readonly as: 'requester' | 'operator' };
  'approval.killed': At & { readonly kill: string };
  'approval.claimed': At & { readonly broker: string; readonly args: BoundArguments; readonly toolHash: string | null; readonly policyVersion: number };
  'approval.settled': At & { readonly outcome: SettledAs };
}

export type ApprovalEventType = keyof ApprovalEventData;

/** What the log must say. Tenant, correlation and links are those of the approval and are added where it is recorded. */
export type ApprovalEvent = {
  readonly [T in ApprovalEventType]: {
    readonly type: T;
    readonly actor: Actor;
    readonly data: ApprovalEventData[T];
    /** Values to seal, by JSON pointer. */
    readonly seal?: Readonly<Record<string, unknown>>;
  };
}[ApprovalEventType];
