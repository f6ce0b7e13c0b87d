import { z } from 'zod';
import { DEFAULT_PAGE, MAX_PAGE, type PageRequest } from '#libs/audit/core';
import { Effect, ImpactClass, Outcome, Refusal } from '#libs/contracts';
import type { Principal } from '#libs/ports';

/** U+0000 is in no column. */
const text = z.string().min(1).max(300).refine((value) => !value.includes('\u0000'));
/** Any RFC 3339 time, as the log writes it. */
const instant = z.iso.datetime({ offset: true }).transform((time) => new Date(time).toISOString());
const paging = { limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE), after: text.optional() };
const scope = { tenant: text.optional() };

export const CallsQuery = z.strictObject({
  ...scope,
  ...paging,
  user: text.optional(),
  client: text.optional(),
  agent: text.optional(),
  server: text.optional(),
  tool: text.optional(),
  class: ImpactClass.optional(),
  outcome: Outcome.optional(),
  decision: Effect.optional(),
  state: z.enum(['requested', 'open', 'held', 'joined', 'denied', 'completed', 'abandoned', 'unknown']).optional(),
  run: text.optional(),
  from: instant.optional(),
  to: instant.optional(),
});

export const EventsQuery = z.strictObject({ ...scope, ...paging, type: text.optional(), from: instant.optional(), to: instant.optional() });
export const FindingsQuery = z.strictObject({ ...scope, ...paging });

const hash = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const remembered = z.strictObject({ size: z.int().min(1), frontier: z.array(hash).min(1).max(53), chain: hash });
export const VerifyBody = z.strictObject({ ...scope, remembered: remembered.optional(), incremental: z.boolean().default(false) });
export const CheckBody = z.strictObject({ ...scope, closed: z.boolean().default(false) });

/** The caller's own tenant. Naming any other is refused in the same words whether it exists or not. */
export function tenantOf(principal: Principal, asked: string | undefined): string {
  if (asked !== undefined && asked !== principal.tenant) throw new Refusal('forbidden', 'you may read your own tenant only');
  return principal.tenant;
}

export function pageOf({ limit, after }: { limit: number; after?: string | undefined }): PageRequest {
  return { limit, ...(after === undefined ? {} : { after }) };
}
