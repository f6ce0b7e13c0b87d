import type { z } from 'zod';
import {
  approvalArgumentsShown,
  approvalBrokeGlass,
  approvalCancelled,
  approvalClaimed,
  approvalDelegated,
  approvalDenied,
  approvalEdited,
  approvalEscalated,
  approvalExpired,
  approvalGranted,
  approvalJoined,
  approvalKilled,
  approvalRefused,
  approvalReleaseRefused,
  approvalReminded,
  approvalRequested,
  approvalSettled,
  approvalStandingCreated,
  approvalStandingRevoked,
  approvalStandingUsed,
  approvalStepOpened,
  approvalVoted,
  delegationCreated,
  delegationRevoked,
  notificationFailed,
} from './events/approval-events.ts';
import { authAccountLinked, authAccountUnlinked, authDenied, authSessionClosed, authSessionOpened } from './events/auth-events.ts';
import { callAbandoned, callCompleted, callOutcomeUnknown, callRequested } from './events/call-events.ts';
import { configApplied, serverChanged, serverDisabled, serverRegistered } from './events/config-events.ts';
import type { Actor, Envelope, Links } from './events/envelope.ts';
import { eventRejected, producerStarted, producerStopped } from './events/log-events.ts';
import { policyActivated, policyDecided } from './events/policy-events.ts';

/** THE list: every fact Holdfast can state. docs/events.md and the JSON Schemas are generated from it. */
export const catalogue = {
  'call.requested': callRequested,
  'call.completed': callCompleted,
  'call.abandoned': callAbandoned,
  'call.outcome_unknown': callOutcomeUnknown,
  'policy.decided': policyDecided,
  'policy.activated': policyActivated,
  'approval.requested': approvalRequested,
  'approval.refused': approvalRefused,
  'approval.joined': approvalJoined,
  'approval.step_opened': approvalStepOpened,
  'approval.voted': approvalVoted,
  'approval.reminded': approvalReminded,
  'approval.escalated': approvalEscalated,
  'approval.delegated': approvalDelegated,
  'approval.edited': approvalEdited,
  'approval.broke_glass': approvalBrokeGlass,
  'approval.granted': approvalGranted,
  'approval.denied': approvalDenied,
  'approval.expired': approvalExpired,
  'approval.cancelled': approvalCancelled,
  'approval.killed': approvalKilled,
  'approval.claimed': approvalClaimed,
  'approval.arguments_shown': approvalArgumentsShown,
  'approval.release_refused': approvalReleaseRefused,
  'approval.settled': approvalSettled,
  'approval.standing_created': approvalStandingCreated,
  'approval.standing_used': approvalStandingUsed,
  'approval.standing_revoked': approvalStandingRevoked,
  'delegation.created': delegationCreated,
  'delegation.revoked': delegationRevoked,
  'notification.failed': notificationFailed,
  'config.applied': configApplied,
  'server.registered': serverRegistered,
  'server.changed': serverChanged,
  'server.disabled': serverDisabled,
  'auth.denied': authDenied,
  'auth.account_linked': authAccountLinked,
  'auth.account_unlinked': authAccountUnlinked,
  'auth.session_opened': authSessionOpened,
  'auth.session_closed': authSessionClosed,
  'log.producer_started': producerStarted,
  'log.producer_stopped': producerStopped,
  'log.event_rejected': eventRejected,
} as const;

export type EventType = keyof typeof catalogue;
export type EventData<T extends EventType> = z.infer<(typeof catalogue)[T]['data']>;

/** An envelope whose `data` is known by its `type`. */
export type HoldfastEvent = { [T in EventType]: Omit<Envelope, 'type' | 'data'> & { type: T; data: EventData<T> } }[EventType];

/** What a process wants recorded. Id, time, producer sequence and commitments are added when the bytes are made. */
export type EventDraft = {
  [T in EventType]: {
    readonly type: T;
    readonly tenant: string;
    readonly actor: Actor;
    readonly corr: string;
    readonly cause?: string;
    readonly links: Links;
    readonly data: EventData<T>;
    /** Values to seal, by JSON pointer; each pointer is one the catalogue lists for this type. */
    readonly seal?: Readonly<Record<string, unknown>>;
    /** Whose key seals them; the calling user when absent. */
    readonly subject?: string;
    /** Set by callers that need to refer to this event before it is durable. */
    readonly id?: string;
  };
}[EventType];

export function isEventType(type: string): type is EventType {
  return Object.hasOwn(catalogue, type);
}
