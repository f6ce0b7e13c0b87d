import { z } from 'zod';
import { defineEvent } from './define-event.ts';
import { Digest } from './envelope.ts';

export const producerStarted = defineEvent({
  type: 'log.producer_started',
  version: 1,
  owner: 'every process',
  sentence: 'A process began to write to this log; always its first event here, with sequence number 1.',
  sealed: [],
  data: z.strictObject({ app: z.string(), version: z.string() }),
});

export const producerStopped = defineEvent({
  type: 'log.producer_stopped',
  version: 1,
  owner: 'every process',
  sentence: 'A process stopped in order; its last event in this log.',
  sealed: [],
  data: z.strictObject({ app: z.string() }),
});

export const eventRejected = defineEvent({
  type: 'log.event_rejected',
  version: 1,
  owner: 'audit',
  sentence: 'The journal held bytes that are no acceptable event; they are represented by their hash. The one event the projector adds by itself.',
  sealed: [],
  data: z.strictObject({
    reason: z.enum(['malformed', 'not_canonical', 'unknown_type', 'invalid', 'too_large', 'wrong_tenant', 'equivocation']),
    sha256: Digest,
    bytes: z.int().min(0),
    position: z.string(),
    source: z.string(),
  }),
});
