import { z } from 'zod';
import { ApprovalFlow, At, Binding, BoundArguments, People, Standing } from './approval-shapes.ts';
import { defineEvent, type EventDefinition, type Owner } from './define-event.ts';
import { Digest } from './envelope.ts';

const Step = z.int().min(0);
const Person = z.string().max(300);
const DelegationScope = z.strictObject({ flow: z.string().optional(), server: z.string().optional(), step: z.string().optional() });

function approvalEvent<const Type extends string, Data extends z.ZodRawShape>(type: Type, sentence: string, data: Data, sealed: readonly string[] = [], owner: Owner = 'approvals'): EventDefinition<Type, z.ZodObject<Data & { at: typeof At }, z.core.$strict>> {
  return defineEvent({ type, version: 1, owner, sentence, sealed, data: z.strictObject({ ...data, at: At }) });
}

export const approvalRequested = approvalEvent(
  'approval.requested',
  'A call is held for people: what exactly is bound, and the flow it needs.',
  {
    approval: z.uuid(),
    call: z.string(),
    rule: z.string(),
    binding: Binding,
    flow: ApprovalFlow,
    agentOwners: z.array(Person),
    expiresAt: At,
  },
  ['/reason'],
);

export const approvalRefused = approvalEvent('approval.refused', 'A call that needed approval was not held, because nobody could approve it, a reason was missing, or too many waited already.', {
  rule: z.string(),
  flow: z.string(),
  code: z.string(),
}, [], 'broker');

export const approvalJoined = approvalEvent('approval.joined', 'A repeated call joined the approval that an equal call asked for before; it is answered by what becomes of that one.', { call: z.string() }, [], 'broker');

export const approvalStepOpened = approvalEvent('approval.step_opened', 'The people of a step are asked; asked anew after an edit, in a further round.', {
  step: Step,
  name: z.string(),
  round: z.int().min(0),
  need: z.int().min(1),
  deny: z.int().min(1),
});

export const approvalVoted = approvalEvent(
  'approval.voted',
  'A person approved or denied, by a right of their own or one that was delegated, about exactly these arguments.',
  { step: Step, round: z.int().min(0), person: Person, seat: Person, verdict: z.enum(['approve', 'deny']), argsDigest: Digest },
  ['/reason'],
);

export const approvalReminded = approvalEvent('approval.reminded', 'The people of the open step were reminded.', { step: Step, number: z.int().min(1) });

export const approvalEscalated = approvalEvent('approval.escalated', 'Nobody decided in time, so further people are asked as well.', { step: Step, to: People });

export const approvalDelegated = approvalEvent('approval.delegated', 'A person handed the own right to decide on, for this approval.', {
  from: Person,
  to: Person,
  until: At,
  scope: DelegationScope,
});

export const approvalEdited = approvalEvent(
  'approval.edited',
  'A person approves other arguments than the agent asked for; everybody is asked again about these.',
  { person: Person, round: z.int().min(1), from: BoundArguments, to: BoundArguments },
  ['/args', '/reason'],
);

export const approvalBrokeGlass = approvalEvent('approval.broke_glass', 'A person approved alone in an emergency; it is to be reviewed afterwards.', { person: Person, argsDigest: Digest }, ['/reason']);

export const approvalGranted = approvalEvent('approval.granted', 'Enough people approved: these arguments may be executed once, until a time.', {
  by: z.enum(['quorum', 'break_glass']),
  args: BoundArguments,
  claimUntil: At,
  postReview: z.boolean(),
});

export const approvalDenied = approvalEvent('approval.denied', 'Enough people of a step denied; the call will not be executed.', { step: Step });

export const approvalExpired = approvalEvent('approval.expired', 'Time ran out before people decided, or before the grant was used; the call will not be executed.', { was: z.enum(['held', 'approved']) });

export const approvalCancelled = approvalEvent('approval.cancelled', 'Who asked for the call, or an operator, took it back.', { person: Person, as: z.enum(['requester', 'operator']) }, ['/reason']);

export const approvalKilled = approvalEvent('approval.killed', 'A kill switch ended this approval.', { kill: z.string() });

export const approvalClaimed = approvalEvent('approval.claimed', 'A broker took the one right to execute, after everything was checked again.', {
  broker: z.uuid(),
  args: BoundArguments,
  toolHash: Digest.nullable(),
  policyVersion: z.int().min(0),
});

export const approvalReleaseRefused = approvalEvent(
  'approval.release_refused',
  'An approved call was not released, because something is not as it was when people decided; the approval stays as it is.',
  { code: z.string() },
  [],
  'broker',
);

export const approvalArgumentsShown = approvalEvent('approval.arguments_shown', 'A person was shown the arguments of a held call.', { person: Person, argsDigest: Digest });

export const approvalSettled = approvalEvent('approval.settled', 'What became of the released call.', { outcome: z.enum(['executed', 'failed', 'unknown']) });

export const approvalStandingCreated = approvalEvent(
  'approval.standing_created',
  'A person approved beforehand, for hours, what one agent does with one tool while a condition holds.',
  { standing: z.uuid(), person: Person, call: Standing, flow: z.string().optional(), condition: z.string().max(4_000), approvers: People, until: At },
  ['/reason'],
);

export const approvalStandingUsed = approvalEvent('approval.standing_used', 'A call was released by a standing approval.', { call: z.string(), argsDigest: Digest, number: z.int().min(1) });

export const approvalStandingRevoked = approvalEvent('approval.standing_revoked', 'A standing approval was ended before its time.', { person: Person });

export const delegationCreated = approvalEvent('delegation.created', 'A person handed the own right to decide on for a time, as when out of office; it adds to nobody\'s count.', {
  delegation: z.uuid(),
  from: Person,
  to: Person,
  until: At,
  scope: DelegationScope,
});

export const delegationRevoked = approvalEvent('delegation.revoked', 'A delegation was ended before its time.', { delegation: z.uuid(), person: Person });

export const notificationFailed = defineEvent({
  type: 'notification.failed',
  version: 1,
  owner: 'approvals',
  sentence: 'A person or channel could not be told about an approval; the approval goes on without it.',
  sealed: [],
  data: z.strictObject({ at: At, channel: z.string().max(300), kind: z.string().max(64), recipient: z.string().max(300).nullable(), attempts: z.int().min(0), problem: z.string().max(500) }),
});
