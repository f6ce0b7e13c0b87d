import type { CallRow } from '../calls/call-row.ts';
import { type AuditStore, type CallKey, type LogState, type ProducerKey, type ProjectedBatch, ProjectorSuperseded, type SeqKey } from '../projection/audit-store.ts';
import { applyChange, type Finding } from '../projection/finding.ts';
import type { ProducerState } from '../projection/producer-sequence.ts';
import { callKey, producerKey, seqKey } from '../projection/read-records.ts';

/**
 * {@link AuditStore} in memory: what a rebuild projects into. Keeps trees, producers, calls, findings and one leaf hash per entry (about
 * 150 bytes an event); the bytes of entries are hashed and let go.
 */
export class MemoryAuditStore implements AuditStore {
  readonly logStates = new Map<string, LogState>();
  readonly producerStates = new Map<string, ProducerState>();
  readonly callRows = new Map<string, CallRow>();
  readonly findings = new Map<string, Finding>();
  private readonly leavesBySeq = new Map<string, Uint8Array>();
  private readonly next = new Map<string, bigint>();

  cursors(): Promise<ReadonlyMap<string, bigint>> {
    return Promise.resolve(new Map(this.next));
  }

  logs(tenants: readonly string[]): Promise<readonly LogState[]> {
    return Promise.resolve(tenants.flatMap((tenant) => this.logStates.get(tenant) ?? []));
  }

  producers(keys: readonly ProducerKey[]): Promise<readonly ProducerState[]> {
    return Promise.resolve(keys.flatMap((key) => this.producerStates.get(producerKey(key.tenant, key.producer)) ?? []));
  }

  calls(keys: readonly CallKey[]): Promise<readonly CallRow[]> {
    return Promise.resolve(keys.flatMap((key) => this.callRows.get(callKey(key.tenant, key.call)) ?? []));
  }

  leaves(keys: readonly SeqKey[]): Promise<readonly (SeqKey & { readonly leaf: Uint8Array })[]> {
    return Promise.resolve(
      keys.flatMap((key) => {
        const leaf = this.leavesBySeq.get(seqKey(key.tenant, key.producer, key.seq));
        return leaf ? [{ ...key, leaf }] : [];
      }),
    );
  }

  append(batch: ProjectedBatch): Promise<void> {
    if ((this.next.get(batch.source) ?? 0n) !== batch.from) return Promise.reject(new ProjectorSuperseded(`the cursor is not at ${batch.from}`));
    if (batch.logs.some((log) => (this.logStates.get(log.tenant)?.tree.size ?? 0) !== log.size)) return Promise.reject(new ProjectorSuperseded('a log has not the size that was built on'));
    this.next.set(batch.source, batch.to);
    for (const log of batch.logs) {
      this.logStates.set(log.tenant, log.after);
      for (const entry of log.entries) this.leavesBySeq.set(seqKey(log.tenant, entry.producer, entry.seq), entry.leaf);
    }
    for (const producer of batch.producers) this.producerStates.set(producerKey(producer.tenant, producer.producer), producer);
    for (const call of batch.calls) this.callRows.set(callKey(call.tenant, call.call), call);
    for (const finding of batch.findings) this.findings.set(`${finding.tenant}\n${finding.id}`, finding);
    for (const change of batch.findingChanges) {
      const known = this.findings.get(`${change.tenant}\n${change.id}`);
      if (known) this.findings.set(`${change.tenant}\n${change.id}`, applyChange(known, change));
    }
    return Promise.resolve();
  }
}
