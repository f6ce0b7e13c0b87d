import { z } from 'zod';
import { defineEvent } from './define-event.ts';
import { Digest } from './envelope.ts';

export const ImpactClass = z.enum(['read', 'read-sensitive', 'write', 'external']);
export type ImpactClass = z.infer<typeof ImpactClass>;

export const Outcome = z.enum(['succeeded', 'failed', 'unknown']);
export type Outcome = z.infer<typeof Outcome>;

const microseconds = z.int().min(0);

export const callRequested = defineEvent({
  type: 'call.requested',
  version: 1,
  owner: 'broker',
  sentence: 'An agent asked for a tool call, a prompt or a resource; written before anything is decided or sent.',
  sealed: ['/args', '/reason'],
  data: z.strictObject({
    /** What was asked for when it was not a tool; then `tool` names the prompt or the resource. */
    method: z.enum(['prompts/get', 'resources/read']).optional(),
    /** Null when the name the agent gave resolves to nothing it may see. */
    server: z.string().nullable(),
    tool: z.string(),
    exposed: z.string(),
    toolHash: Digest.nullable(),
    class: ImpactClass.nullable(),
    argsDigest: Digest,
    argsBytes: z.int().min(0),
    argsAbsent: z.boolean(),
    protocol: z.string(),
    endpoint: z.string(),
    scopes: z.strictObject({ requested: z.array(z.string()), granted: z.array(z.string()) }),
    claimedClient: z.string().optional(),
    idempotencyKey: z.string().optional(),
  }),
});

export const callCompleted = defineEvent({
  type: 'call.completed',
  version: 1,
  owner: 'broker',
  sentence: 'The outcome of a dispatched call is known (or known to be unknown); written before the agent is answered.',
  sealed: ['/result', '/error'],
  data: z.strictObject({
    outcome: Outcome,
    class: ImpactClass,
    errorClass: z.string().optional(),
    upstream: z.strictObject({ server: z.string(), requestId: z.string().optional() }),
    resultDigest: Digest.optional(),
    resultBytes: z.int().min(0),
    latency: z.strictObject({ totalUs: microseconds, policyUs: microseconds, logUs: microseconds, upstreamUs: microseconds }),
    rollback: z.enum(['available', 'one-way', 'none-declared', 'not-needed']),
  }),
});

export const callAbandoned = defineEvent({
  type: 'call.abandoned',
  version: 1,
  owner: 'broker',
  sentence: 'The call was allowed but not sent, because its records became durable too late; the agent was told that it was not executed.',
  sealed: [],
  data: z.strictObject({ reason: z.enum(['journal_late', 'state_stale', 'stopping']) }),
});

export const callOutcomeUnknown = defineEvent({
  type: 'call.outcome_unknown',
  version: 1,
  owner: 'approvals',
  sentence: 'The broker that held this call was lost between decision and outcome; the call may or may not have run and nobody retries it.',
  sealed: [],
  data: z.strictObject({ reason: z.literal('broker_lost'), broker: z.uuid() }),
});
