import type { CallRow } from '../calls/call-row.ts';
import type { AuditStore, LogState, ProjectedBatch } from './audit-store.ts';
import type { ProducerState } from './producer-sequence.ts';
import { type Known, seqsInDoubt } from './project.ts';
import { callKey, needsOf, producerKey, type ReadRecord, seqKey } from './read-records.ts';
import { Recent } from './recent.ts';

/** Far more than the rows of the batches that can be under way, so that what a batch under way changed is always here. */
const MAX_REMEMBERED = 20_000;
const MAX_REMEMBERED_LOGS = 2_000;

/**
 * What the projector remembers of the audit tables, ahead of them by at most the batch being written. Thrown away whole when a
 * write fails: the tables are then asked again.
 */
export class ProjectionMemory {
  private readonly logs = new Recent<LogState>(MAX_REMEMBERED_LOGS);
  private readonly producers = new Recent<ProducerState>(MAX_REMEMBERED);
  private readonly calls = new Recent<CallRow>(MAX_REMEMBERED);

  constructor(private readonly store: AuditStore) {}

  /** What projecting these records needs. `written` resolves when every batch taken so far is in the tables. */
  async known(records: readonly ReadRecord[], written: () => Promise<void>): Promise<Known> {
    const needs = needsOf(records);
    const [logs, producers, calls] = await Promise.all([
      lookUp(this.logs, needs.tenants, (tenant) => tenant, (tenants) => this.store.logs(tenants), (log) => log.tenant),
      lookUp(this.producers, needs.producers, (key) => producerKey(key.tenant, key.producer), (keys) => this.store.producers(keys), (row) => producerKey(row.tenant, row.producer)),
      lookUp(this.calls, needs.calls, (key) => callKey(key.tenant, key.call), (keys) => this.store.calls(keys), (row) => callKey(row.tenant, row.call)),
    ]);
    const doubts = seqsInDoubt(records, producers);
    const leaves = new Map<string, Uint8Array>();
    if (doubts.length > 0) {
      await written();
      for (const found of await this.store.leaves(doubts)) leaves.set(seqKey(found.tenant, found.producer, found.seq), found.leaf);
    }
    return { logs, producers, calls, leaves };
  }

  remember(batch: ProjectedBatch): void {
    for (const log of batch.logs) this.logs.set(log.tenant, log.after);
    for (const producer of batch.producers) this.producers.set(producerKey(producer.tenant, producer.producer), producer);
    for (const call of batch.calls) this.calls.set(callKey(call.tenant, call.call), call);
  }
}

/** From memory, and from the tables for what is not there. */
async function lookUp<K, V>(memory: Recent<V>, keys: readonly K[], nameOf: (key: K) => string, load: (keys: readonly K[]) => Promise<readonly V[]>, nameOfValue: (value: V) => string): Promise<Map<string, V>> {
  const found = new Map<string, V>();
  const missing: K[] = [];
  for (const key of keys) {
    const value = memory.get(nameOf(key));
    if (value === undefined) missing.push(key);
    else found.set(nameOf(key), value);
  }
  if (missing.length === 0) return found;
  for (const value of await load(missing)) {
    memory.set(nameOfValue(value), value);
    found.set(nameOfValue(value), value);
  }
  return found;
}
