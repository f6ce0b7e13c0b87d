import { Refusal } from '#libs/contracts';
import { checkIdempotencyKey, short } from '../call/call-drafts.ts';
import {
  isObject,
  isRpcId,
  type JsonObject,
  META_CLIENT_CAPABILITIES,
  META_CLIENT_INFO,
  META_OWN_PREFIX,
  META_PROTOCOL_PREFIX,
  META_PROTOCOL_VERSION,
  META_SUBSCRIPTION_ID,
  type RpcId,
} from './protocol.ts';

/** What a client may say about its call in `_meta`. */
export interface CallMeta {
  readonly reason: string | undefined;
  readonly run: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly traceparent: string | undefined;
  /** The client wants to hear of progress under this name. */
  readonly progressToken: RpcId | undefined;
  /** Everything that is meant for the upstream server, whoever calls it. */
  readonly upstream: JsonObject;
  /** What a 2026 client tells its server in the protocol's own words, beside who it is and what it can do. */
  readonly protocol: JsonObject;
}

const MAX_REASON = 2_000;
const MAX_RUN = 128;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const NOTHING: CallMeta = { reason: undefined, run: undefined, idempotencyKey: undefined, traceparent: undefined, progressToken: undefined, upstream: {}, protocol: {} };

/** Throws Refusal `invalid_params` when a member of ours has the wrong form. */
export function readCallMeta(meta: JsonObject | undefined): CallMeta {
  if (!meta) return NOTHING;
  const reason = own(meta, 'reason');
  const run = own(meta, 'run');
  const idempotencyKey = own(meta, 'idempotencyKey');
  if (run !== undefined && run.length > MAX_RUN)
    throw new Refusal('invalid_params', `dev.holdfast/run has more than ${MAX_RUN} characters`);
  if (idempotencyKey !== undefined) checkIdempotencyKey(idempotencyKey);
  const token = meta['progressToken'];
  if (token !== undefined && !isRpcId(token)) throw new Refusal('invalid_params', 'progressToken must be a string or an integer');
  const trace = meta['traceparent'];
  return {
    reason: reason === undefined ? undefined : short(reason, MAX_REASON),
    run,
    idempotencyKey,
    traceparent: typeof trace === 'string' && TRACEPARENT.test(trace) ? trace : undefined,
    progressToken: token,
    // The token of this hop, the protocol's members and our own end here.
    upstream: Object.fromEntries(
      Object.entries(meta).filter(
        ([key]) => key !== 'progressToken' && !key.startsWith(META_PROTOCOL_PREFIX) && !key.startsWith(META_OWN_PREFIX),
      ),
    ),
    protocol: Object.fromEntries(Object.entries(meta).filter(([key]) => key.startsWith(META_PROTOCOL_PREFIX) && !OF_THIS_HOP.has(key))),
  };
}

const OF_THIS_HOP: ReadonlySet<string> = new Set([META_PROTOCOL_VERSION, META_CLIENT_INFO, META_CLIENT_CAPABILITIES, META_SUBSCRIPTION_ID]);

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
