import { decodeSealed, type HoldfastEvent, type SealedField, SYSTEM_TENANT, TenantId } from '#libs/contracts';
import type { JournalEntry } from '#libs/ports';
import { isCallEvent } from '../calls/fold-call.ts';
import { readEvent, type RejectReason } from '../event/read-event.ts';
import { PROJECTOR_PRODUCER } from '../event/rejection.ts';
import { base64url, sha256 } from '../sha256.ts';
import { leafHash } from '../tree/hashes.ts';
import type { CallKey, ProducerKey } from './audit-store.ts';

/** A journal record after everything that can be said of it without knowing the log. */
export interface ReadRecord {
  readonly tenant: string;
  readonly position: bigint;
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly verdict:
    | { readonly accepted: true; readonly event: HoldfastEvent; readonly seq: number; readonly digest: string; readonly leaf: Uint8Array; readonly sealed: readonly SealedField[]; readonly sealedMismatch: boolean }
    | { readonly accepted: false; readonly reason: RejectReason };
}

export interface Needs {
  readonly tenants: readonly string[];
  readonly producers: readonly ProducerKey[];
  readonly calls: readonly CallKey[];
}

export function readRecord(entry: JournalEntry): ReadRecord {
  const { position, at, event: bytes } = entry;
  // A record without a usable tenant is told to the system's own log.
  const tenant = TenantId.safeParse(entry.tenant).success ? entry.tenant : SYSTEM_TENANT;
  const reject = (reason: RejectReason): ReadRecord => ({ tenant, position, at, bytes, verdict: { accepted: false, reason } });
  const reading = readEvent(bytes);
  if ('rejected' in reading) return reject(reading.rejected);
  const { event, seq } = reading;
  if (event.tenant !== entry.tenant) return reject('wrong_tenant');
  if (event.producer.id === PROJECTOR_PRODUCER || event.type === 'log.event_rejected') return reject('invalid');
  const sealed = readSealed(entry.sealed);
  const promised = Object.keys(event.sealed);
  const sealedMismatch = sealed === null || sealed.length !== promised.length || !promised.every((path) => sealed.some((field) => field.path === path));
  const kept = (sealed ?? []).filter((field, i, all) => promised.includes(field.path) && all.findIndex((other) => other.path === field.path) === i);
  return { tenant, position, at, bytes, verdict: { accepted: true, event, seq, digest: base64url(sha256(bytes)), leaf: leafHash(bytes), sealed: kept, sealedMismatch } };
}

const KEY_ID = /^[\w.:-]{1,128}$/;

/** The sealed side of a record; null when it is not what a producer writes. */
function readSealed(bytes: Uint8Array | null): SealedField[] | null {
  if (bytes === null) return [];
  try {
    const fields = decodeSealed(bytes);
    return fields.every((field) => KEY_ID.test(field.keyId)) ? fields : null;
  } catch {
    return null;
  }
}

/** What must be known before these records can be projected. */
export function needsOf(records: readonly ReadRecord[]): Needs {
  const tenants = new Set<string>();
  const producers = new Map<string, ProducerKey>();
  const calls = new Map<string, CallKey>();
  for (const { tenant, verdict } of records) {
    if (!tenants.has(tenant)) {
      tenants.add(tenant);
      producers.set(producerKey(tenant, PROJECTOR_PRODUCER), { tenant, producer: PROJECTOR_PRODUCER });
    }
    if (!verdict.accepted) continue;
    const { event } = verdict;
    producers.set(producerKey(tenant, event.producer.id), { tenant, producer: event.producer.id });
    if (isCallEvent(event)) calls.set(callKey(tenant, event.links.call), { tenant, call: event.links.call });
  }
  return { tenants: [...tenants], producers: [...producers.values()], calls: [...calls.values()] };
}

export const producerKey = (tenant: string, producer: string): string => `${tenant}\n${producer}`;
export const callKey = (tenant: string, call: string): string => `${tenant}\n${call}`;
export const seqKey = (tenant: string, producer: string, seq: number): string => `${tenant}\n${producer}\n${seq}`;
