import { Refusal } from '#libs/contracts';
import { checkIdempotencyKey, short } from '../call/call-drafts.ts';
import { isObject, type JsonObject, META_OWN_PREFIX, META_PROTOCOL_PREFIX } from './protocol.ts';

/** What a client may say about its call in `_meta`. */
export interface CallMeta {
  readonly reason: string | undefined;
  readonly run: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly traceparent: string | undefined;
  /** Everything that is meant for the upstream server. */
  readonly upstream: JsonObject;
}

const MAX_REASON = 2_000;
const MAX_RUN = 128;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const NOTHING: CallMeta = { reason: undefined, run: undefined, idempotencyKey: undefined, traceparent: undefined, upstream: {} };

/** Throws Refusal `invalid_params` when a member of ours has the wrong form. */
export function readCallMeta(meta: JsonObject | undefined): CallMeta {
  if (!meta) return NOTHING;
  const reason = own(meta, 'reason');
  const run = own(meta, 'run');
  const idempotencyKey = own(meta, 'idempotencyKey');
  if (run !== undefined && run.length > MAX_RUN)
    throw new Refusal('invalid_params', `dev.holdfast/run has more than ${MAX_RUN} characters`);
  if (idempotencyKey !== undefined) checkIdempotencyKey(idempotencyKey);
  const trace = meta['traceparent'];
  return {
    reason: reason === undefined ? undefined : short(reason, MAX_REASON),
    run,
    idempotencyKey,
    traceparent: typeof trace === 'string' && TRACEPARENT.test(trace) ? trace : undefined,
    // Progress cannot be passed back yet, so nobody upstream is asked for it; the protocol's and our own members end here.
    upstream: Object.fromEntries(
      Object.entries(meta).filter(
        ([key]) => key !== 'progressToken' && !key.startsWith(META_PROTOCOL_PREFIX) && !key.startsWith(META_OWN_PREFIX),
      ),
    ),
  };
}

/** `name/version` of what a client says it is. */
export function claimedClient(info: unknown): string | undefined {
  if (!isObject(info) || typeof info['name'] !== 'string') return undefined;
  return short(typeof info['version'] === 'string' ? `${info['name']}/${info['version']}` : info['name'], 200);
}

function own(meta: JsonObject, name: string): string | undefined {
  const value = meta[`${META_OWN_PREFIX}${name}`];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '') throw new Refusal('invalid_params', `${META_OWN_PREFIX}${name} must be a text`);
  return value;
}
