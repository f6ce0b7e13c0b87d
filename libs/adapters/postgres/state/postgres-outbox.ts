import { randomUUID } from 'node:crypto';
import { type DataSource, type EntityManager, IsNull } from 'typeorm';
import { buildEvent, FIRST_POSITION, type ProducerPosition } from '#libs/audit/core';
import { encodeSealed, type EventDraft } from '#libs/contracts';
import type { JournalBatch, JournalRecord, Outbox, Sealer } from '#libs/ports';
import type { Listener } from '../listener.ts';
import { Deliveries } from './deliveries.ts';
import { OutboxEntity } from './entities.ts';

interface StoredBatch {
  readonly producer: string;
  readonly records: readonly { readonly tenant: string; readonly event: string; readonly sealed: string | null }[];
}

const STAGED = 'holdfast_outbox';

/** {@link Outbox} in the operational database, and the way for state stores to stage events inside their transactions. */
export class PostgresOutbox implements Outbox {
  private readonly deliveries: Deliveries;

  constructor(
    private readonly database: DataSource,
    private readonly listener: Listener,
    private readonly sealer: Sealer,
    private readonly app: { readonly name: string; readonly version: string },
  ) {
    this.deliveries = new Deliveries(database, listener);
  }

  /**
   * Makes the events of one transaction, in it, and gives the number of their batch; null when there are none. The producer row is
   * locked until the transaction ends, so outbox numbers and producer sequences are in commit order; what rolls back leaves no hole.
   */
  async stage(transaction: EntityManager, drafts: readonly EventDraft[]): Promise<bigint | null> {
    if (drafts.length === 0) return null;
    const [head] = (await transaction.query('select producer, number from state.outbox_producer for update')) as [{ producer: string; number: string }];
    const tenants = [...new Set(drafts.map((draft) => draft.tenant))];
    const positions = new Map<string, ProducerPosition>();
    for (const row of (await transaction.query('select tenant, seq, prev from state.outbox_chain where tenant = any($1)', [tenants])) as { tenant: string; seq: string; prev: string }[]) {
      positions.set(row.tenant, { seq: BigInt(row.seq), prev: row.prev });
    }
    const records: JournalRecord[] = [];
    const add = async (draft: EventDraft): Promise<void> => {
      const sealed = await this.sealer.seal(draft.tenant, draft.subject ?? draft.actor.user ?? draft.tenant, draft.seal ?? {});
      const stamp = { id: draft.id ?? randomUUID(), timeMs: Date.now(), producer: head.producer, position: positions.get(draft.tenant) ?? FIRST_POSITION, commitments: sealed.commitments };
      const { bytes, next } = buildEvent(draft, stamp);
      positions.set(draft.tenant, next);
      records.push({ tenant: draft.tenant, event: bytes, sealed: sealed.fields.length === 0 ? null : encodeSealed(sealed.fields) });
    };
    for (const draft of drafts) {
      if (!positions.has(draft.tenant)) await add({ type: 'log.producer_started', tenant: draft.tenant, actor: { via: 'system' }, corr: head.producer, links: {}, data: { app: this.app.name, version: this.app.version } });
      await add(draft);
    }
    const number = BigInt(head.number) + 1n;
    const stored: StoredBatch = { producer: head.producer, records: records.map((record) => ({ tenant: record.tenant, event: base64(record.event), sealed: record.sealed && base64(record.sealed) })) };
    await transaction.query(
      `with numbered as (update state.outbox_producer set number = $1),
         chained as (
           insert into state.outbox_chain (tenant, seq, prev) select * from unnest($2::text[], $3::bigint[], $4::text[])
           on conflict (tenant) do update set seq = excluded.seq, prev = excluded.prev),
         staged as (insert into state.outbox (number, batch) values ($1, $5))
       select pg_notify('${STAGED}', '')`,
      [number.toString(), [...positions.keys()], [...positions.values()].map(({ seq }) => seq.toString()), [...positions.values()].map(({ prev }) => prev), Buffer.from(JSON.stringify(stored))],
    );
    return number;
  }

  async unsent(limit: number): Promise<readonly JournalBatch[]> {
    const rows = await this.database.getRepository(OutboxEntity).find({ where: { sentAt: IsNull() }, order: { number: 'ASC' }, take: limit });
    return rows.map((row) => {
      const stored = JSON.parse(row.batch.toString('utf8')) as StoredBatch;
      return {
        producer: stored.producer,
        number: Number(row.number),
        records: stored.records.map((record) => ({ tenant: record.tenant, event: Buffer.from(record.event, 'base64'), sealed: record.sealed === null ? null : Buffer.from(record.sealed, 'base64') })),
      };
    });
  }

  sent(batch: JournalBatch): Promise<void> {
    return this.deliveries.sent(BigInt(batch.number));
  }

  async forgetSent(before: Date, limit: number): Promise<number> {
    const [row] = (await this.database.query(
      `with gone as (delete from state.outbox where number in (select number from (select number, sent_at from state.outbox order by number limit $2) first where sent_at < $1) returning 1) select count(*)::int as count from gone`,
      [before, limit],
    )) as [{ count: number }];
    return row.count;
  }

  onStaged(listener: () => void): void {
    this.listener.on(STAGED, listener);
  }

  delivered(number: bigint, timeoutMs: number): Promise<boolean> {
    return this.deliveries.until(number, timeoutMs);
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
