import type pg from 'pg';
import { type AuditStore, type CallKey, type CallRow, type LogState, type ProducerKey, type ProducerState, type ProjectedBatch, ProjectorSuperseded, type SeqKey } from '#libs/audit/core';
import { pack } from '../journal/pack.ts';
import { callFromColumns, callToColumns } from './call-columns.ts';
import { loadLogs } from './load-logs.ts';
import { rethrow } from './store-errors.ts';

const APPEND = { name: 'audit-append', text: `select audit.append(${Array.from({ length: 28 }, (_, i) => `$${i + 1}`).join(', ')})` };
const PRODUCERS = { name: 'audit-producers', text: 'select p.* from unnest($1::text[], $2::uuid[]) as k (tenant, producer) join audit.producer p using (tenant, producer)' };
const CALLS = { name: 'audit-calls', text: 'select c.* from unnest($1::text[], $2::text[]) as k (tenant, call) join audit.call c using (tenant, call)' };
const LEAVES = { name: 'audit-leaves', text: 'select e.tenant, e.producer, e.seq, e.leaf from unnest($1::text[], $2::uuid[], $3::bigint[]) as k (tenant, producer, seq) join audit.entry e using (tenant, producer, seq)' };

/** {@link AuditStore} on the audit database, connected as holdfast_projector. */
export class PostgresAuditStore implements AuditStore {
  constructor(private readonly pool: pg.Pool) {}

  async cursors(): Promise<ReadonlyMap<string, bigint>> {
    const { rows } = await this.query<{ source: string; next: bigint }>('select source, next from audit.cursor');
    return new Map(rows.map((row) => [row.source, BigInt(row.next)]));
  }

  async logs(tenants: readonly string[]): Promise<readonly LogState[]> {
    return loadLogs((sql) => this.query(sql), tenants);
  }

  async producers(keys: readonly ProducerKey[]): Promise<readonly ProducerState[]> {
    const { rows } = await this.query<Record<string, unknown>>({ ...PRODUCERS, values: [keys.map((key) => key.tenant), keys.map((key) => key.producer)] });
    return rows.map(producerFromColumns);
  }

  async calls(keys: readonly CallKey[]): Promise<readonly CallRow[]> {
    const { rows } = await this.query<Record<string, unknown>>({ ...CALLS, values: [keys.map((key) => key.tenant), keys.map((key) => key.call)] });
    return rows.map(callFromColumns);
  }

  async leaves(keys: readonly SeqKey[]): Promise<readonly (SeqKey & { readonly leaf: Uint8Array })[]> {
    const { rows } = await this.query<{ tenant: string; producer: string; seq: bigint; leaf: Buffer }>({ ...LEAVES, values: [keys.map((key) => key.tenant), keys.map((key) => key.producer), keys.map((key) => key.seq)] });
    return rows.map((row) => ({ ...row, seq: Number(row.seq) }));
  }

  async append(batch: ProjectedBatch): Promise<void> {
    try {
      await this.query({ ...APPEND, values: appendArguments(batch) });
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      throw code === 'HF010' || code === 'HF011' ? new ProjectorSuperseded(message) : error;
    }
  }

  private async query<R extends pg.QueryResultRow>(query: string | pg.QueryConfig): Promise<pg.QueryResult<R>> {
    try {
      return await this.pool.query<R>(query as pg.QueryConfig);
    } catch (error) {
      return rethrow(error);
    }
  }
}

export function producerFromColumns(row: Readonly<Record<string, unknown>>): ProducerState {
  return { tenant: row['tenant'] as string, producer: row['producer'] as string, next: Number(row['next']), last: row['last'] as string, missing: row['missing'] as ProducerState['missing'], duplicates: Number(row['duplicates']) };
}

/** The batch as the parameters of audit.append: byte strings packed into one buffer each, small rows as JSON. */
function appendArguments(batch: ProjectedBatch): unknown[] {
  const entries = batch.logs.flatMap((log) => log.entries);
  const bytes = pack(entries.map((entry) => entry.bytes));
  const frontiers = pack(batch.logs.map((log) => pack(log.after.tree.frontier).bytes));
  const tiles = batch.logs.flatMap((log) => log.tiles.map((tile) => ({ ...tile, tenant: log.tenant })));
  const boxes = batch.logs.flatMap((log) => log.entries.flatMap((entry, i) => entry.sealed.map((field) => ({ ...field, tenant: log.tenant, index: log.size + i }))));
  const packedBoxes = pack(boxes.map((field) => field.box));
  return [
    batch.source, batch.from, batch.to,
    batch.logs.map((log) => log.tenant), batch.logs.map((log) => log.size), batch.logs.map((log) => log.entries.length), frontiers.bytes, frontiers.ends,
    bytes.bytes, bytes.ends, pack(entries.map((entry) => entry.leaf)).bytes, pack(entries.map((entry) => entry.chain)).bytes, entries.map((entry) => entry.producer), entries.map((entry) => entry.seq),
    pack(tiles.map((tile) => tile.hashes)).bytes, tiles.map((tile) => tile.tenant), tiles.map((tile) => tile.level), tiles.map((tile) => tile.n),
    packedBoxes.bytes, packedBoxes.ends, boxes.map((box) => box.tenant), boxes.map((box) => box.index), boxes.map((box) => box.path), boxes.map((box) => box.keyId),
    JSON.stringify(batch.producers),
    JSON.stringify(batch.calls.map(callToColumns)),
    JSON.stringify(batch.findings.map((finding) => ({ ...finding, from_seq: finding.fromSeq, to_seq: finding.toSeq, idx: finding.index, closed_at: finding.closedAt, closed_idx: finding.closedIndex }))),
    JSON.stringify(batch.findingChanges.map((change) => ({ ...change, closed_at: change.closedAt, closed_idx: change.closedIndex }))),
  ];
}
