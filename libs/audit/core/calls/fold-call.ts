import type { EventType, HoldfastEvent } from '#libs/contracts';
import { type CallRow, MAX_CALL_EVENTS } from './call-row.ts';

type EventOf<T extends HoldfastEvent['type']> = Extract<HoldfastEvent, { type: T }>;

/** What the read model of calls does with each event type. Complete by type, so that a new event is a decision here. */
const IN_CALL = {
  'call.requested': true,
  'policy.decided': true,
  'call.completed': true,
  'call.abandoned': true,
  'call.outcome_unknown': true,
  'approval.requested': true,
  'approval.refused': true,
  'approval.joined': true,
  'approval.step_opened': true,
  'approval.voted': true,
  'approval.reminded': true,
  'approval.escalated': true,
  'approval.delegated': true,
  'approval.edited': true,
  'approval.broke_glass': true,
  'approval.granted': true,
  'approval.denied': true,
  'approval.expired': true,
  'approval.cancelled': true,
  'approval.killed': true,
  'approval.claimed': true,
  'approval.release_refused': true,
  'approval.arguments_shown': true,
  'approval.settled': true,
  'approval.standing_created': false,
  'approval.standing_used': true,
  'approval.standing_revoked': false,
  'delegation.created': false,
  'delegation.revoked': false,
  'notification.failed': false,
  'policy.activated': false,
  'config.applied': false,
  'server.registered': false,
  'server.changed': false,
  'server.disabled': false,
  'auth.denied': false,
  'auth.account_linked': false,
  'auth.account_unlinked': false,
  'auth.session_opened': false,
  'auth.session_closed': false,
  'log.producer_started': false,
  'log.producer_stopped': false,
  'log.event_rejected': false,
} as const satisfies Record<EventType, boolean>;

type CallEventType = { [T in EventType]: (typeof IN_CALL)[T] extends true ? T : never }[EventType];
export type CallEvent = EventOf<CallEventType> & { readonly links: { readonly call: string } };

/** Whether an event says something about a call, and so has its place in that call's row. */
export function isCallEvent(event: HoldfastEvent): event is CallEvent {
  return IN_CALL[event.type] && event.links.call !== undefined;
}

/**
 * What a call's row is after one more event. Total: an event that should not be there still leaves a row that says what came
 * first (the first outcome stays), because judging histories is the invariant check's work, not the projection's.
 */
export function foldCall(row: CallRow | undefined, event: CallEvent, index: number): CallRow {
  const known = row ?? newRow(event, index);
  const next: CallRow = {
    ...known,
    run: known.run ?? text(event.links.run),
    trace: known.trace ?? text(event.links.trace),
    events: known.events.length < MAX_CALL_EVENTS ? [...known.events, index] : known.events,
    eventCount: known.eventCount + 1,
  };
  switch (event.type) {
    case 'call.requested':
      return known.requestedAt === null ? requested(next, event) : next;
    case 'policy.decided':
      return isFinished(known) ? next : decided(next, event);
    case 'call.completed':
      return known.state === 'completed' ? next : completed(next, event);
    case 'call.abandoned':
      return isSettled(known) ? next : { ...next, state: 'abandoned', outcome: null, finishedAt: event.time };
    case 'call.outcome_unknown':
      return isFinished(known) ? next : { ...next, state: 'unknown', outcome: 'unknown', finishedAt: event.time };
    case 'approval.joined':
      return known.state === 'held' ? { ...next, state: 'joined' } : next;
    case 'approval.refused':
      return known.state === 'held' ? { ...next, state: 'denied', code: text(event.data.code), finishedAt: event.time } : next;
    case 'approval.denied':
    case 'approval.expired':
    case 'approval.cancelled':
    case 'approval.killed':
      return known.state === 'held' ? { ...next, state: 'denied', code: event.type.replace('.', '_'), finishedAt: event.time } : next;
    default:
      // What people did on the way stands in the list of its events.
      return next;
  }
}

/** An outcome that nothing changes any more. After `unknown` the truth may still come. */
function isSettled(row: CallRow): boolean {
  return row.state === 'completed' || row.state === 'abandoned';
}

function isFinished(row: CallRow): boolean {
  return isSettled(row) || row.state === 'unknown';
}

function requested(row: CallRow, { data, actor, time, producer }: EventOf<'call.requested'>): CallRow {
  return {
    ...row,
    user: text(actor.user),
    client: text(actor.client),
    agent: text(actor.agent),
    via: actor.via,
    server: text(data.server),
    tool: text(data.tool),
    exposed: text(data.exposed),
    toolHash: data.toolHash,
    class: data.class,
    protocol: text(data.protocol),
    endpoint: text(data.endpoint),
    argsDigest: data.argsDigest,
    argsBytes: data.argsBytes,
    broker: row.decision === null ? producer.id : row.broker,
    requestedAt: time,
  };
}

const AFTER_DECISION = { allow: 'open', deny: 'denied', require_approval: 'held' } as const;

function decided(row: CallRow, { data, id, time, producer }: EventOf<'policy.decided'>): CallRow {
  return {
    ...row,
    state: AFTER_DECISION[data.effect],
    effect: data.effect,
    stage: data.stage,
    rule: text(data.rule),
    code: text(data.code),
    reason: text(data.reason),
    policyVersion: data.policyVersion,
    policyDigest: data.policyDigest,
    decision: id,
    broker: producer.id,
    decidedAt: time,
  };
}

function completed(row: CallRow, { data, time }: EventOf<'call.completed'>): CallRow {
  return {
    ...row,
    state: 'completed',
    outcome: data.outcome,
    class: row.class ?? data.class,
    errorClass: text(data.errorClass),
    upstreamRequest: text(data.upstream.requestId),
    resultDigest: data.resultDigest ?? null,
    resultBytes: data.resultBytes,
    ...data.latency,
    rollback: data.rollback,
    finishedAt: time,
  };
}

/** PostgreSQL text cannot hold U+0000; the entry itself keeps it. */
function text(value: string | null | undefined): string | null {
  return value?.replaceAll('\u0000', '\uFFFD') ?? null;
}

function newRow(event: CallEvent, index: number): CallRow {
  return {
    tenant: event.tenant,
    call: event.links.call,
    state: 'requested',
    user: text(event.actor.user),
    client: text(event.actor.client),
    agent: text(event.actor.agent),
    via: event.actor.via,
    run: null,
    trace: null,
    server: null,
    tool: null,
    exposed: null,
    toolHash: null,
    class: null,
    protocol: null,
    endpoint: null,
    argsDigest: null,
    argsBytes: null,
    effect: null,
    stage: null,
    rule: null,
    code: null,
    reason: null,
    policyVersion: null,
    policyDigest: null,
    decision: null,
    broker: event.producer.id,
    outcome: null,
    errorClass: null,
    upstreamRequest: null,
    resultDigest: null,
    resultBytes: null,
    totalUs: null,
    policyUs: null,
    logUs: null,
    upstreamUs: null,
    rollback: null,
    requestedAt: null,
    decidedAt: null,
    finishedAt: null,
    firstIndex: index,
    events: [],
    eventCount: 0,
  };
}
