import { type CallRow } from '../calls/call-row.ts';
import { foldCall, isCallEvent } from '../calls/fold-call.ts';
import type { RejectReason } from '../event/read-event.ts';
import { PROJECTOR_PRODUCER, rejectionBytes } from '../event/rejection.ts';
import { base64url, sha256 } from '../sha256.ts';
import { EMPTY_TREE, GrowingTree } from '../tree/growing-tree.ts';
import { CHAIN_START, chainHash, leafHash, sameBytes } from '../tree/hashes.ts';
import type { LogGrowth, LogState, NewEntry, ProjectedBatch, SeqKey } from './audit-store.ts';
import { type FindingKind, FindingLedger } from './finding.ts';
import { isMissing, newProducer, place, type ProducerState } from './producer-sequence.ts';
import { callKey, producerKey, type ReadRecord, seqKey } from './read-records.ts';

/** What is known of the logs before a batch; absent means never seen. */
export interface Known {
  readonly logs: ReadonlyMap<string, LogState>;
  readonly producers: ReadonlyMap<string, ProducerState>;
  readonly calls: ReadonlyMap<string, CallRow>;
  /** Leaf hashes of entries that {@link seqsInDoubt} asked for. */
  readonly leaves: ReadonlyMap<string, Uint8Array>;
}

export interface BatchOrigin {
  readonly source: string;
  readonly from: bigint;
}

export function emptyLog(tenant: string): LogState {
  return { tenant, tree: EMPTY_TREE, chain: CHAIN_START };
}

/** Records whose number was already passed when the batch began: whether they repeat or contradict only their entry tells. */
export function seqsInDoubt(records: readonly ReadRecord[], producers: ReadonlyMap<string, ProducerState>): SeqKey[] {
  const doubts = new Map<string, SeqKey>();
  for (const { tenant, verdict } of records) {
    if (!verdict.accepted) continue;
    const producer = verdict.event.producer.id;
    const state = producers.get(producerKey(tenant, producer));
    if (!state || verdict.seq >= state.next || isMissing(state, verdict.seq)) continue;
    doubts.set(seqKey(tenant, producer, verdict.seq), { tenant, producer, seq: verdict.seq });
  }
  return [...doubts.values()];
}

/**
 * Everything one transaction writes for these records: the whole of the projection as a pure function. The same journal gives the
 * same entries, trees, rows and findings however it is cut into batches.
 */
export function project(known: Known, origin: BatchOrigin, records: readonly ReadRecord[]): ProjectedBatch {
  const batch = new BatchInTheMaking(known, origin);
  for (const record of records) batch.take(record);
  return batch.done(origin.from + BigInt(records.length));
}

class BatchInTheMaking {
  private readonly logs = new Map<string, GrowingLog>();
  private readonly producers = new Map<string, ProducerState>();
  private readonly calls = new Map<string, CallRow>();
  private readonly leaves = new Map<string, Uint8Array>();
  private readonly ledger = new FindingLedger();

  constructor(
    private readonly known: Known,
    private readonly origin: BatchOrigin,
  ) {}

  take(record: ReadRecord): void {
    const { verdict, tenant } = record;
    if (!verdict.accepted) return this.reject(record, verdict.reason);
    const { event, seq, digest, leaf } = verdict;
    const producer = event.producer.id;
    const state = this.producer(tenant, producer);
    const waitedFor = seq >= state.next || isMissing(state, seq);
    if (!waitedFor) {
      const key = seqKey(tenant, producer, seq);
      const there = this.leaves.get(key) ?? this.known.leaves.get(key);
      if (there && sameBytes(there, leaf)) return this.repeat(record, state);
      if (there) return this.reject(record, 'equivocation');
    }
    const { index } = this.append(tenant, { bytes: record.bytes, leaf, producer, seq, sealed: verdict.sealed });
    const placed = place(state, seq, event.producer.prev, digest);
    this.producers.set(producerKey(tenant, producer), placed.state);
    if (isCallEvent(event)) {
      const key = callKey(tenant, event.links.call);
      this.calls.set(key, foldCall(this.calls.get(key) ?? this.known.calls.get(key), event, index));
    }
    if (placed.opened) this.find(record, 'gap', `gap:${producer}:${placed.opened.from}`, index, producer, placed.opened.from, placed.opened.to);
    if (placed.closed !== null) this.ledger.close(tenant, `gap:${producer}:${placed.closed}`, record.at, index);
    if (placed.chainBroken) this.find(record, 'chain_broken', `chain_broken:${producer}:${seq}`, index, producer, seq, seq);
    if (!waitedFor) this.find(record, 'late', `late:${producer}:${seq}`, index, producer, seq, seq);
    if (verdict.sealedMismatch) this.find(record, 'sealed_mismatch', `sealed_mismatch:${producer}:${seq}`, index, producer, seq, seq);
  }

  done(to: bigint): ProjectedBatch {
    return {
      source: this.origin.source,
      from: this.origin.from,
      to,
      logs: [...this.logs.values()].map((log) => log.growth()),
      producers: [...this.producers.values()],
      calls: [...this.calls.values()],
      findings: this.ledger.findings,
      findingChanges: this.ledger.changes,
    };
  }

  private reject(record: ReadRecord, reason: RejectReason): void {
    const { tenant } = record;
    const state = this.producer(tenant, PROJECTOR_PRODUCER);
    const bytes = rejectionBytes({ tenant, source: this.origin.source, position: record.position, at: record.at, bytes: record.bytes, reason }, state.next, state.last);
    const { index } = this.append(tenant, { bytes, leaf: leafHash(bytes), producer: PROJECTOR_PRODUCER, seq: state.next, sealed: [] });
    this.producers.set(producerKey(tenant, PROJECTOR_PRODUCER), { ...state, next: state.next + 1, last: base64url(sha256(bytes)) });
    const claimed = reason === 'equivocation' && record.verdict.accepted ? record.verdict : undefined;
    this.find(record, reason === 'equivocation' ? 'equivocation' : 'rejected', `${reason}:${this.origin.source}:${record.position}`, index, claimed?.event.producer.id ?? null, claimed?.seq ?? null, claimed?.seq ?? null);
  }

  private repeat(record: ReadRecord, state: ProducerState): void {
    this.producers.set(producerKey(state.tenant, state.producer), { ...state, duplicates: state.duplicates + 1 });
    if (state.duplicates === 0) this.find(record, 'duplicate', `duplicate:${state.producer}`, null, state.producer, null, null);
    else this.ledger.again(state.tenant, `duplicate:${state.producer}`);
  }

  private append(tenant: string, entry: Omit<NewEntry, 'chain'>): { readonly index: number } {
    let log = this.logs.get(tenant);
    if (!log) this.logs.set(tenant, (log = new GrowingLog(this.known.logs.get(tenant) ?? emptyLog(tenant))));
    this.leaves.set(seqKey(tenant, entry.producer, entry.seq), entry.leaf);
    return { index: log.append(entry) };
  }

  private producer(tenant: string, producer: string): ProducerState {
    const key = producerKey(tenant, producer);
    return this.producers.get(key) ?? this.known.producers.get(key) ?? newProducer(tenant, producer);
  }

  private find(record: ReadRecord, kind: FindingKind, id: string, index: number | null, producer: string | null, fromSeq: number | null, toSeq: number | null): void {
    this.ledger.open({ tenant: record.tenant, id, kind, producer, fromSeq, toSeq, index, source: this.origin.source, position: record.position.toString(), at: record.at });
  }
}

/** One log while a batch is being made. */
class GrowingLog {
  private readonly tree: GrowingTree;
  private readonly entries: NewEntry[] = [];
  private chain: Uint8Array;

  constructor(private readonly before: LogState) {
    this.tree = new GrowingTree(before.tree);
    this.chain = before.chain;
  }

  append(entry: Omit<NewEntry, 'chain'>): number {
    const index = this.tree.size;
    this.tree.append(entry.leaf);
    this.chain = chainHash(this.chain, entry.leaf);
    this.entries.push({ ...entry, chain: this.chain });
    return index;
  }

  growth(): LogGrowth {
    const { tenant, tree } = this.before;
    return { tenant, size: tree.size, entries: this.entries, tiles: this.tree.tiles, after: { tenant, tree: this.tree.state(), chain: this.chain } };
  }
}
