import { z } from 'zod';

/** Tenant ids are path and key material everywhere: lower case, short. Ids starting with `_` are the system's own logs. */
export const TenantId = z.string().regex(/^_?[a-z0-9][a-z0-9-]{0,62}$/);
export const SYSTEM_TENANT = '_system';

/** Largest event in bytes; larger values are sealed beside the event. */
export const MAX_EVENT_BYTES = 60_000;

export const Via = z.enum(['mcp', 'api', 'slack', 'email', 'console', 'cli', 'system']);

/** Who did it. User, client and agent are three identities from verified claims and are never merged. */
export const Actor = z.strictObject({
  user: z.string().optional(),
  client: z.string().optional(),
  agent: z.string().optional(),
  via: Via,
  ip: z.string().optional(),
});
export type Actor = z.infer<typeof Actor>;

/** The other records this event belongs to. */
export const Links = z.strictObject({
  call: z.string().optional(),
  approval: z.string().optional(),
  kill: z.string().optional(),
  compensates: z.string().optional(),
  rollback: z.string().optional(),
  run: z.string().optional(),
  trace: z.string().optional(),
});
export type Links = z.infer<typeof Links>;

/** base64url of 32 bytes: a SHA-256. */
export const Digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
/** A counter that may pass 2^53: decimal text without leading zeros. */
export const Counter = z.string().regex(/^(0|[1-9]\d{0,19})$/);

/** What every event carries around its `data`. The log stores its canonical bytes and nothing else. */
export const Envelope = z.strictObject({
  v: z.literal(1),
  id: z.uuid(),
  type: z.string().max(64),
  sv: z.int().min(1),
  tenant: TenantId,
  time: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  producer: z.strictObject({ id: z.uuid(), seq: Counter, prev: z.union([Digest, z.literal('')]) }),
  actor: Actor,
  corr: z.string(),
  cause: z.string().optional(),
  links: Links,
  data: z.record(z.string(), z.unknown()),
  sealed: z.record(z.string(), z.strictObject({ alg: z.literal('s256'), c: Digest })),
});
export type Envelope = z.infer<typeof Envelope>;
