import { type CanonicalText, type EventData, type EventDraft, Refusal } from '#libs/contracts';
import type { Resolution } from '../registry/visible.ts';
import type { Call } from './call.ts';

/** Longest name or sentence of outside origin that an event carries. */
const MAX_NAME = 200;
const MAX_REASON = 1_000;

type Draft<T extends EventDraft['type']> = Extract<EventDraft, { type: T }>;

/** What every event of one call has in common. */
function frame(call: Call): Pick<EventDraft, 'tenant' | 'actor' | 'corr' | 'links'> {
  const { principal } = call;
  return {
    tenant: principal.tenant,
    actor: {
      user: principal.user,
      client: principal.client,
      ...(principal.agent === undefined ? {} : { agent: principal.agent }),
      via: 'mcp',
      ...(call.ip === undefined ? {} : { ip: call.ip }),
    },
    corr: call.id,
    links: {
      call: call.id,
      ...(call.approval === undefined ? {} : { approval: call.approval }),
      ...(call.run === undefined ? {} : { run: call.run }),
      ...(call.traceparent === undefined ? {} : { trace: call.traceparent }),
    },
  };
}

export interface ArgumentFacts {
  readonly canonical: CanonicalText;
  readonly digest: string;
  readonly bytes: number;
}

/** `call.requested`: says which tool only when the caller may see it. */
export function requestedDraft(call: Call, id: string, resolution: Resolution, args: ArgumentFacts): Draft<'call.requested'> {
  const offer = resolution.kind === 'offer' ? resolution.offer : undefined;
  const name = short(call.name, MAX_NAME);
  return {
    ...frame(call),
    type: 'call.requested',
    id,
    data: {
      ...(call.method === 'tools/call' ? {} : { method: call.method }),
      server: offer?.server.id ?? null,
      tool: short(offer?.name ?? name, MAX_NAME),
      exposed: name,
      toolHash: offer?.hash ?? null,
      class: offer?.class ?? null,
      argsDigest: args.digest,
      argsBytes: args.bytes,
      argsAbsent: call.args === undefined,
      protocol: call.protocol,
      endpoint: call.endpoint,
      scopes: { requested: [], granted: [] },
      ...(call.claimedClient === undefined ? {} : { claimedClient: short(call.claimedClient, MAX_NAME) }),
      ...(call.idempotencyKey === undefined ? {} : { idempotencyKey: call.idempotencyKey }),
    },
    // The arguments are sealed even when there are none: from then on the key that will seal the outcome is at hand.
    seal: { '/args': args.canonical, ...(call.reason === undefined ? {} : { '/reason': call.reason }) },
  };
}

export function decidedDraft(call: Call, id: string, cause: string | undefined, data: EventData<'policy.decided'>): Draft<'policy.decided'> {
  return { ...frame(call), type: 'policy.decided', id, ...(cause === undefined ? {} : { cause }), data: { ...data, reason: short(data.reason, MAX_REASON) } };
}

/** A repeated call is answered by what becomes of an earlier one. */
export function joinedDraft(call: Call, approval: string, at: number): Draft<'approval.joined'> {
  return { ...frame({ ...call, approval }), type: 'approval.joined', data: { at, call: call.id } };
}

/** People were not asked about a call that needed them. */
export function notHeldDraft(call: Call, { rule, flow }: Pick<EventData<'policy.decided'>, 'rule' | 'flow'>, code: string, at: number): Draft<'approval.refused'> {
  return { ...frame(call), type: 'approval.refused', data: { at, rule: rule ?? '', flow: flow ?? '', code } };
}

export function notReleasedDraft(call: Call, code: string, at: number): Draft<'approval.release_refused'> {
  return { ...frame(call), type: 'approval.release_refused', data: { at, code } };
}

export function abandonedDraft(call: Call, cause: string, reason: EventData<'call.abandoned'>['reason']): Draft<'call.abandoned'> {
  return { ...frame(call), type: 'call.abandoned', cause, data: { reason } };
}

export function completedDraft(
  call: Call,
  cause: string,
  data: EventData<'call.completed'>,
  seal: Readonly<Record<string, unknown>>,
): Draft<'call.completed'> {
  return { ...frame(call), type: 'call.completed', cause, data, seal };
}

/** An idempotency key is a name for a thing: cut short it would name another one, so it is refused instead. */
export function checkIdempotencyKey(key: string): void {
  if (key.length > MAX_NAME) throw new Refusal('invalid_params', `dev.holdfast/idempotencyKey has more than ${MAX_NAME} characters`);
}

/** Cuts between characters, never through one. */
export function short(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max - 1);
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`;
}
