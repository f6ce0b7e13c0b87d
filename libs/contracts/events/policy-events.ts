import { z } from 'zod';
import { defineEvent } from './define-event.ts';
import { Digest } from './envelope.ts';

export const Effect = z.enum(['allow', 'deny', 'require_approval']);
export type Effect = z.infer<typeof Effect>;

/** Which check of the admission order settled the call. */
export const Stage = z.enum(['resolve', 'arguments', 'limits', 'policy', 'approval']);

export const policyDecided = defineEvent({
  type: 'policy.decided',
  version: 1,
  owner: 'broker',
  sentence: 'The call was judged: allowed, denied or held, by which rule of which policy version, and why.',
  sealed: [],
  data: z.strictObject({
    effect: Effect,
    stage: Stage,
    /** Stable refusal code when the effect is not allow. */
    code: z.string().optional(),
    rule: z.string().nullable(),
    matched: z.array(z.string()).max(64),
    reason: z.string().max(1000),
    flow: z.string().optional(),
    policyVersion: z.int().min(0),
    policyDigest: Digest,
    inputsDigest: Digest,
    evaluator: z.string(),
  }),
});

export const policyActivated = defineEvent({
  type: 'policy.activated',
  version: 1,
  owner: 'approvals',
  sentence: "A new version of the tenant's policy is in force.",
  sealed: [],
  data: z.strictObject({ policyVersion: z.int().min(1), policyDigest: Digest, rules: z.int().min(0) }),
});
