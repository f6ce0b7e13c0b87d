import { z } from 'zod';
import { Refusal, type Role } from '#libs/contracts';
import type { Person } from '#libs/approvals/core';
import type { Principal } from '#libs/ports';

const text = z.string().min(1).max(300).refine((value) => !value.includes('\u0000'));
const Reason = z.string().min(1).max(2_000).refine((value) => !value.includes('\u0000'));
const State = z.enum(['held', 'approved', 'claimed', 'executed', 'failed', 'unknown', 'denied', 'expired', 'cancelled', 'killed']);

const until = z.iso.datetime({ offset: true }).transform((time) => Date.parse(time));

const Flag = z.enum(['true', 'false', '1', '0', '']);
/** `?mine` alone means yes. */
export const isYes = (flag: z.infer<typeof Flag> | undefined): boolean => flag !== undefined && flag !== 'false' && flag !== '0';

export const ShowQuery = z.strictObject({ unredacted: Flag.optional() });
export const ListQuery = z.strictObject({
  tenant: text.optional(),
  state: z
    .union([State, z.array(State)])
    .transform((value) => [value].flat())
    .optional(),
  mine: Flag.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  after: text.optional(),
});
export const DecisionBody = z.strictObject({
  verdict: z.enum(['approve', 'deny']),
  reason: Reason.optional(),
  version: z.int().min(1),
  editedArgs: z.record(z.string(), z.unknown()).optional(),
});
export const CancelBody = z.strictObject({ reason: Reason.optional() });
export const BreakGlassBody = z.strictObject({ reason: Reason, version: z.int().min(1).optional() });
export const DelegateBody = z.strictObject({ to: text, until, step: text.optional() });

export const StandingBody = z.strictObject({ like: text, condition: z.string().min(1).max(4_000), minutes: z.int().min(1).max(480), reason: Reason });
export const DelegationBody = z.strictObject({ to: text, until, flow: text.optional(), server: text.optional(), step: text.optional() });

/** An agent is not the person whose name its key has: it may look, and take its own calls back, and decides nothing. */
export function deciderOf(principal: Principal, via: Person['via'] = 'api'): Person {
  if (isAgent(principal)) throw new Refusal('forbidden', 'people decide; this is the key of an agent');
  return personOf(principal, via);
}

export function personOf(principal: Principal, via: Person['via'] = 'api'): Person {
  const has = (role: Role): boolean => principal.roles.includes(role);
  const { tenant, user, client, agent } = principal;
  return { tenant, id: user, operator: has('operator'), auditor: has('auditor'), ...(isAgent(principal) ? { agent: { user, client, agent: agent ?? null } } : {}), via };
}

function isAgent({ agent, roles }: Principal): boolean {
  return agent !== undefined || roles.every((role) => role === 'agent');
}
