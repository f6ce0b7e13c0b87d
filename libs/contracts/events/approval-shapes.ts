import { z } from 'zod';
import { Digest, TenantId } from './envelope.ts';

/** What the events of approvals are made of. */

/** Milliseconds since the epoch. State depends on it, so it stands in the data and not only on the envelope. */
export const At = z.int().min(0);
export const Duration = z.int().min(0);
const Name = z.string().max(300);

/** Arguments as an approval knows them: which ones, and never what they are. */
export const BoundArguments = z.strictObject({ digest: Digest, absent: z.boolean() });

export const CallMethod = z.enum(['tools/call', 'prompts/get', 'resources/read']);

export const CallIdentity = {
  tenant: TenantId,
  user: Name,
  client: Name,
  agent: Name.nullable(),
  server: Name,
  method: CallMethod,
  tool: z.string().max(2_000),
  toolHash: Digest.nullable(),
};

export const Binding = z.strictObject({ ...CallIdentity, args: BoundArguments, policyVersion: z.int().min(0), createdAt: At });

/** People as configuration names them; whoever is meant by one of the lists is meant. */
export const People = z.strictObject({
  users: z.array(Name).max(1_000).optional(),
  groups: z.array(Name).max(1_000).optional(),
  roles: z.array(z.enum(['agent', 'approver', 'operator', 'auditor', 'admin', 'owner-of-server'])).optional(),
});

const FlowStep = z.strictObject({
  name: Name,
  approvers: People,
  need: z.int().min(1),
  deny: z.int().min(1),
  reminders: z.strictObject({ everyMs: Duration, most: z.int().min(1) }).nullable(),
  escalation: z.strictObject({ afterMs: Duration, to: People }).nullable(),
});

/** The flow as it was when the call was held. */
export const ApprovalFlow = z.strictObject({
  id: Name,
  digest: Digest,
  expiresInMs: Duration,
  grantForMs: Duration,
  requesterReason: z.enum(['required', 'optional', 'none']),
  approverReason: z.enum(['required', 'optional']),
  breakGlass: People.nullable(),
  steps: z.array(FlowStep).min(1).max(50),
});

export const Standing = z.strictObject({
  tenant: CallIdentity.tenant,
  agent: CallIdentity.agent,
  server: CallIdentity.server,
  method: CallIdentity.method,
  tool: CallIdentity.tool,
  toolHash: CallIdentity.toolHash,
});
