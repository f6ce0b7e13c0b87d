import { z } from 'zod';
import { ImpactClass } from '../events/call-events.ts';
import { TenantId } from '../events/envelope.ts';
import { Effect } from '../events/policy-events.ts';

/** The schema of holdfast.yaml, `apiVersion: holdfast/v1`. Every object is strict: an unknown key is an error. */

const Id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, dot, dash and underscore; at most 63 characters');
const Tenant = TenantId.refine((id) => !id.startsWith('_'), 'ids starting with _ are reserved');
const Glob = z.string().min(1).max(200);
const Globs = z.array(Glob).max(1000).optional();
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A time further ahead than dates go has no name. */
const LONGEST_MS = 3_660 * 86_400_000;
const Duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'a number and a unit: ms, s, m, h or d')
  .refine((text) => {
    const [, count, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
    return unit === undefined || Number(count) * UNITS[unit]! <= LONGEST_MS;
  }, 'at most ten years');
/** Without a user or password: a secret never stands in the file, in a URL neither. */
const HttpUrl = z
  .url({ protocol: /^https?$/ })
  .refine((text) => !URL.canParse(text) || (new URL(text).username === '' && new URL(text).password === ''), 'credentials do not stand in a URL; use auth with a secretRef');
const Sentence = z.string().min(1).max(500);

export const Role = z.enum(['agent', 'approver', 'operator', 'auditor', 'admin', 'owner-of-server']);
export type Role = z.infer<typeof Role>;

/** Where a secret is; the secret itself never stands in the file. */
export const SecretRef = z.strictObject({ secretRef: z.string().regex(/^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|vault:.+)$/, 'env:NAME, file:PATH or vault:NAME') });
export type SecretRef = z.infer<typeof SecretRef>;

const User = z.strictObject({
  id: Id,
  tenant: Tenant,
  email: z.email().optional(),
  groups: z.array(Id).default([]),
  roles: z.array(Role).default([]),
});

const Key = z.strictObject({
  id: Id,
  tenant: Tenant,
  user: Id,
  client: Id,
  agent: Id.optional(),
  roles: z.array(Role).min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits: the SHA-256 of the token'),
  servers: z.array(Id).optional(),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});

const Agent = z.strictObject({
  id: Id,
  tenant: Tenant,
  owner: Id,
  tools: z.array(Glob).optional(),
  budget: z.strictObject({ perDay: z.number().min(0) }).optional(),
});

const Transport = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('http'), url: HttpUrl }),
  /** The older HTTP transport of 2024-11-05: one event stream for all answers, and an endpoint that it names. */
  z.strictObject({ type: z.literal('sse'), url: HttpUrl }),
  z.strictObject({
    type: z.literal('stdio'),
    command: z.string().min(1),
    args: z.array(z.string()).default([]),
    env: z.record(z.string(), z.union([z.string(), SecretRef])).default({}),
    cwd: z.string().optional(),
  }),
  z.strictObject({ type: z.literal('openapi'), spec: z.string().min(1), baseUrl: HttpUrl }),
]);

const Auth = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({ type: z.literal('bearer'), token: SecretRef }),
  z.strictObject({ type: z.literal('header'), name: z.string().regex(/^[A-Za-z0-9-]+$/), value: SecretRef }),
]);

const ToolSettings = z.strictObject({
  class: ImpactClass.optional(),
  idempotent: z.boolean().optional(),
  cost: z.number().min(0).optional(),
  compensate: z.strictObject({ tool: z.string(), args: z.record(z.string(), z.string()), within: Duration.optional() }).optional(),
});

const Server = z.strictObject({
  id: Id,
  tenant: Tenant,
  owner: z.string().optional(),
  approver: z.string().optional(),
  repository: z.string().optional(),
  support: z.string().optional(),
  dataClasses: z.array(z.string()).default([]),
  environment: z.string().optional(),
  systems: z.array(z.string()).default([]),
  transport: Transport,
  auth: Auth.default({ type: 'none' }),
  trust: z.enum(['review', 'auto', 'open']).default('auto'),
  expose: z
    .strictObject({
      prefix: z.string().regex(/^[A-Za-z0-9_.-]*$/).optional(),
      include: z.array(Glob).default(['*']),
      exclude: z.array(Glob).default([]),
    })
    .optional(),
  limits: z
    .strictObject({
      connectTimeoutMs: z.int().min(50).max(60_000).default(5_000),
      /** How long until an answer begins; as long as `timeoutMs` when it is absent. */
      firstByteTimeoutMs: z.int().min(50).max(3_600_000).optional(),
      /** How long a server may be silent during a call; each progress notification of the call begins it anew. */
      timeoutMs: z.int().min(100).max(3_600_000).default(60_000),
      /** How long a call may last whatever its server says meanwhile; ten times `timeoutMs`, at most an hour, when it is absent. */
      maxTimeoutMs: z.int().min(100).max(86_400_000).optional(),
      concurrency: z.int().min(1).max(10_000).default(64),
      perMinute: z.int().min(1).optional(),
      maxResultBytes: z.int().min(1_000).max(64_000_000).default(10_000_000),
    })
    .prefault({}),
  egress: z.strictObject({ allow: z.array(z.string()) }).optional(),
  tools: z.record(z.string(), ToolSettings).default({}),
});

const Match = z.strictObject({
  servers: Globs,
  tools: Globs,
  classes: z.array(ImpactClass).optional(),
  agents: Globs,
  users: Globs,
  groups: Globs,
  clients: Globs,
  environments: Globs,
  methods: Globs,
});

/** Kinds of values that are found in arguments and texts. */
export const Detector = z.enum(['email', 'card', 'iban', 'secret']);
export type Detector = z.infer<typeof Detector>;

const Policy = z.strictObject({
  id: Id,
  tenant: Tenant,
  priority: z.int().min(-1_000_000).max(1_000_000).default(0),
  match: Match.default({}),
  when: z.string().min(1).max(4_000).optional(),
  effect: Effect,
  flow: Id.optional(),
  /** Whether a repeated call joins the approval of an equal one that waits, or asks for its own. */
  repeats: z.enum(['join', 'ask']).default('join'),
  /** `required` refuses callers that cannot follow a task, at once, where people take long; otherwise they wait on their request. */
  tasks: z.enum(['offered', 'required']).optional(),
  reason: Sentence.optional(),
  /** What people who look at a held call see only when they ask for it. */
  obligations: z.strictObject({ redact: z.array(Detector).max(10).optional() }).optional(),
});

/** Whoever is meant by one of the lists. The role `owner-of-server` means who owns the server of the call. */
const People = z.strictObject({ users: z.array(Id).optional(), groups: z.array(Id).optional(), roles: z.array(Role).optional() });

const Step = z
  .strictObject({
    name: Id,
    approvers: People,
    need: z.int().min(1).max(100).default(1),
    deny: z.int().min(1).max(100).default(1),
    remindEvery: Duration.optional(),
    /** How often people are reminded at most. */
    remindMost: z.int().min(1).max(100).default(3),
    escalateAfter: Duration.optional(),
    escalateTo: People.optional(),
  })
  .refine(({ escalateAfter, escalateTo }) => (escalateAfter === undefined) === (escalateTo === undefined), 'escalateAfter and escalateTo go together');

const Flow = z.strictObject({
  id: Id,
  tenant: Tenant,
  expiresIn: Duration.default('1h'),
  /** How long a grant waits for its caller to come back. */
  grantFor: Duration.default('30m'),
  channels: z.array(z.string().regex(/^(console|email|slack:.+)$/, 'console, email or slack:CHANNEL')).max(20).default(['console']),
  requesterReason: z.enum(['required', 'optional', 'none']).default('optional'),
  approverReason: z.enum(['required', 'optional']).default('optional'),
  /** Whether one person of a step may approve beforehand, for hours, what the flow would ask about. */
  standing: z.enum(['allowed', 'off']).default('allowed'),
  /** Who may approve alone in an emergency; nobody when absent. */
  breakGlass: People.optional(),
  steps: z.array(Step).min(1).max(20),
});

/** How many calls may wait for people at once. */
const Limit = z.strictObject({ tenant: Tenant, per: z.enum(['agent', 'tenant']), held: z.int().min(1).max(100_000) });

/** One Slack app in one workspace, for the people of one tenant. */
const Slack = z.strictObject({
  tenant: Tenant,
  appId: z.string().regex(/^A[A-Z0-9]{2,20}$/, 'the id of the app, such as A0123ABCDEF'),
  teamId: z.string().regex(/^T[A-Z0-9]{2,20}$/, 'the id of the workspace, such as T0123ABCDEF'),
  botToken: SecretRef,
  signingSecret: SecretRef,
  /** With one, interactions come over a connection that Holdfast opens (Socket Mode), and Slack needs no address of ours. */
  appToken: SecretRef.optional(),
  /** Another address of the Web API: an enterprise proxy. */
  apiUrl: HttpUrl.optional(),
  /** `summary`: redacted and shortened. `full`: also the arguments themselves, to whoever may decide and is about to edit them. */
  showArguments: z.enum(['none', 'summary', 'full']).default('summary'),
  /** Calls of a class above this one are shown with a link to the console, and are not decided in Slack. */
  riskCeiling: ImpactClass.default('write'),
  /** Whether a full member whose e-mail address Slack has verified is the user with that address, without a link of accounts. */
  trustVerifiedEmail: z.boolean().default(false),
});

/** The mail server that mails about approvals are given to. */
const Smtp = z.strictObject({
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535).default(587),
  /** TLS from the first byte, as on port 465. */
  secure: z.boolean().default(false),
  /** Refuse a server that does not upgrade the connection to TLS. */
  requireTls: z.boolean().default(true),
  user: z.string().min(1).max(200).optional(),
  password: SecretRef.optional(),
  from: z.string().min(3).max(300),
});

/** How people are told. */
const Notify = z.strictObject({
  /** Where people reach this installation; links begin with it. */
  publicUrl: HttpUrl.optional(),
  smtp: Smtp.optional(),
  /** One entry for each tenant that uses it. */
  slack: z.array(Slack).max(100).default([]),
});

export const HoldfastConfig = z.strictObject({
  apiVersion: z.literal('holdfast/v1'),
  tenants: z.array(z.strictObject({ id: Tenant, name: z.string().min(1).max(200) })).min(1),
  identity: z.strictObject({ users: z.array(User).default([]), keys: z.array(Key).default([]) }).prefault({}),
  agents: z.array(Agent).default([]),
  servers: z.array(Server).default([]),
  policies: z.array(Policy).default([]),
  flows: z.array(Flow).default([]),
  limits: z.array(Limit).default([]),
  notify: Notify.prefault({}),
});
/** A whole, valid configuration with all defaults filled in. */
export type HoldfastConfig = z.infer<typeof HoldfastConfig>;
export type ServerConfig = HoldfastConfig['servers'][number];
export type PolicyConfig = HoldfastConfig['policies'][number];
export type FlowConfig = HoldfastConfig['flows'][number];
export type SlackConfig = HoldfastConfig['notify']['slack'][number];
export type KeyConfig = HoldfastConfig['identity']['keys'][number];
