import type { Envelope } from '#libs/contracts';
import { encodeEvent } from '../event-bytes.ts';
import { base64url, sha256 } from '../sha256.ts';
import type { RejectReason } from './read-event.ts';

/** Whose sequence the projector's own events carry. Nobody else may use it: such a record is itself rejected. */
export const PROJECTOR_PRODUCER = '686f6c64-6661-8374-8000-70726f6a6563';

/** The last millisecond that a year of four digits can say. */
const LAST_INSTANT = 253_402_300_799_999;

export interface RejectedRecord {
  /** The log that says so: the record's tenant. */
  readonly tenant: string;
  readonly source: string;
  readonly position: bigint;
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly reason: RejectReason;
}

/**
 * The entry that stands for a journal record which is no acceptable event. A pure function of the record and of the place in the
 * projector's sequence: no clock, no random id, so that a rebuild makes the same bytes.
 */
export function rejectionBytes(record: RejectedRecord, seq: number, prev: string): Uint8Array {
  const digest = base64url(sha256(record.bytes));
  const id = uuidFrom(sha256(`holdfast-rejected-v1\n${record.source}\n${record.position}\n${digest}`));
  const envelope: Envelope = {
    v: 1,
    id,
    type: 'log.event_rejected',
    sv: 1,
    tenant: record.tenant,
    time: new Date(Math.min(Math.max(record.at, 0), LAST_INSTANT)).toISOString(),
    producer: { id: PROJECTOR_PRODUCER, seq: String(seq), prev },
    actor: { via: 'system' },
    corr: id,
    links: {},
    data: { reason: record.reason, sha256: digest, bytes: record.bytes.length, position: record.position.toString(), source: record.source },
    sealed: {},
  };
  return encodeEvent(envelope);
}

/** A version 8 UUID (RFC 9562) from the first bytes of a hash. */
function uuidFrom(hash: Uint8Array): string {
  const bytes = Buffer.from(hash.subarray(0, 16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
