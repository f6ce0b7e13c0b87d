import { catalogue, type EventDraft, type Envelope } from '#libs/contracts';
import { encodeEvent } from '../event-bytes.ts';
import { base64url, sha256 } from '../sha256.ts';

/** Where a producer stands in one tenant's log: the next sequence number and the digest of its last event. */
export interface ProducerPosition {
  readonly seq: bigint;
  readonly prev: string;
}

export const FIRST_POSITION: ProducerPosition = { seq: 1n, prev: '' };

export interface EventStamp {
  readonly id: string;
  readonly timeMs: number;
  readonly producer: string;
  readonly position: ProducerPosition;
  readonly commitments: Readonly<Record<string, string>>;
}

/**
 * The bytes of an event, made once; whoever handles the event afterwards carries these. Throws a ZodError or NotCanonical when
 * the draft is not what the catalogue says: a fault of the calling code, before anything got a sequence number.
 */
export function buildEvent(draft: EventDraft, stamp: EventStamp): { readonly bytes: Uint8Array; readonly next: ProducerPosition } {
  const definition = catalogue[draft.type];
  const envelope: Envelope = {
    v: 1,
    id: stamp.id,
    type: draft.type,
    sv: definition.version,
    tenant: draft.tenant,
    time: new Date(stamp.timeMs).toISOString(),
    producer: { id: stamp.producer, seq: stamp.position.seq.toString(), prev: stamp.position.prev },
    actor: draft.actor,
    corr: draft.corr,
    ...(draft.cause === undefined ? {} : { cause: draft.cause }),
    links: draft.links,
    data: definition.data.parse(draft.data) as Record<string, unknown>,
    sealed: Object.fromEntries(Object.entries(stamp.commitments).map(([path, c]) => [path, { alg: 's256' as const, c }])),
  };
  const bytes = encodeEvent(envelope);
  return { bytes, next: { seq: stamp.position.seq + 1n, prev: base64url(sha256(bytes)) } };
}
