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

/** Reads a query or a body strictly; what is wrong with it is told by name, never by value. */
export function parse<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const result = schema.safeParse(input ?? {});
  if (result.success) return result.data;
  const unknown = result.error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  if (unknown.length > 0) throw new Refusal('unknown_field', `not known here: ${unknown.slice(0, 10).join(', ')}`);
  const places = [...new Set(result.error.issues.map((issue) => issue.path.join('.') || 'the body'))];
  throw new Refusal('request_invalid', `not valid: ${places.slice(0, 10).join(', ')}`);
}

/** Without the members that are undefined. */
export function given<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** An agent is not the person whose name its key has: it may look, and take its own calls back, and decides nothing. */
export function deciderOf(principal: Principal, via: Person['via'] = 'api'): Person {
  if (principal.agent !== undefined || principal.roles.every((role) => role === 'agent')) throw new Refusal('forbidden', 'people decide; this is the key of an agent');
  return personOf(principal, via);
}

export function personOf(principal: Principal, via: Person['via'] = 'api'): Person {
  const has = (role: Role): boolean => principal.roles.includes(role);
  return { tenant: principal.tenant, id: principal.user, operator: has('operator'), auditor: has('auditor'), via };
}
