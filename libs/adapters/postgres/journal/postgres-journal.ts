import type pg from 'pg';
import { type FollowOptions, type Journal, type JournalBatch, type JournalEntry, JournalRefusal } from '#libs/ports';
import { pack } from './pack.ts';
import { pause, Wake } from './wake.ts';

const APPEND = { name: 'journal-append', text: 'select journal.append($1, $2, $3, $4, $5, $6, $7) as position' };
const READ = {
  name: 'journal-read',
  text: `select position, tenant, at, event, sealed from (
      select *, sum(octet_length(event) + coalesce(octet_length(sealed), 0)) over (order by position) - octet_length(event) - coalesce(octet_length(sealed), 0) as before
      from (select * from journal.record where position >= $1 order by position limit $2) page) sized
    where before < $3 order by position`,
};
const POLL_MS = 200;
/** Longer than the time in which an append goes unannounced. */
const BUSY_POLL_MS = 50;
/** SQLSTATEs of batches that will never be taken. */
const REFUSALS: Readonly<Record<string, JournalRefusal['reason']>> = { HF001: 'malformed', HF003: 'stale' };

/**
 * {@link Journal} on the operational PostgreSQL database. One source, named by the database's incarnation, so that a database
 * restored from elsewhere is not mistaken for the one a cursor belongs to. Durable means committed with fsync.
 */
export class PostgresJournal implements Journal {
  private source: string | undefined;
  private readonly wake: Wake;

  constructor(
    private readonly pool: pg.Pool,
    listenUrl: string,
  ) {
    this.wake = new Wake(listenUrl, 'holdfast_journal');
  }

  async append(batch: JournalBatch): Promise<bigint> {
    const events = pack(batch.records.map((record) => record.event));
    const sealed = pack(batch.records.map((record) => record.sealed));
    const tenants = batch.records.map((record) => record.tenant);
    try {
      const { rows } = await this.pool.query<{ position: bigint }>({ ...APPEND, values: [batch.producer, batch.number, tenants, events.bytes, events.ends, sealed.bytes, sealed.ends] });
      return rows[0]!.position;
    } catch (error) {
      const reason = REFUSALS[(error as { code?: string }).code ?? ''];
      throw reason ? new JournalRefusal(reason, (error as Error).message) : error;
    }
  }

  async sources(): Promise<readonly string[]> {
    this.source ??= `postgres:${(await this.pool.query<{ incarnation: string }>('select incarnation from journal.head')).rows[0]!.incarnation}`;
    return [this.source];
  }

  async end(source: string): Promise<bigint> {
    await this.expect(source);
    return (await this.pool.query<{ next: bigint }>('select next from journal.head')).rows[0]!.next;
  }

  async follow(options: FollowOptions, onBatch: (records: readonly JournalEntry[]) => Promise<void>): Promise<void> {
    await this.expect(options.source);
    const end = await this.end(options.source);
    if (options.next > end) throw new JournalRefusal('replaced', `position ${options.next} lies beyond the end ${end}: the journal was cut or replaced`);
    let next = options.next;
    let busy = true;
    const waiter = this.wake.waiter();
    try {
      while (!options.signal.aborted) {
        waiter.arm();
        const { rows } = await this.pool.query<{ position: bigint; tenant: string; at: bigint; event: Buffer; sealed: Buffer | null }>({ ...READ, values: [next, options.maxRecords, options.maxBytes] });
        if (rows.length === 0) {
          // Appends in quick succession announce only the first of them, so what follows one is looked for soon.
          await waiter.wait(busy ? BUSY_POLL_MS : POLL_MS, options.signal);
          busy = false;
          continue;
        }
        busy = true;
        const entries = rows.map((row) => ({ ...row, at: Number(row.at) }));
        for (const [i, entry] of entries.entries()) {
          if (entry.position !== next + BigInt(i)) throw new JournalRefusal('replaced', `position ${next + BigInt(i)} is missing: records were removed from the journal`);
        }
        const readAt = performance.now();
        await onBatch(entries);
        next += BigInt(entries.length);
        const lingerMs = (options.lingerMs ?? 0) - (performance.now() - readAt);
        if (entries.length < options.maxRecords && lingerMs > 0) await pause(lingerMs, options.signal);
      }
    } finally {
      waiter.release();
    }
  }

  /** Ends the listening connection; the pool belongs to whoever made it. */
  async close(): Promise<void> {
    await this.wake.close();
  }

  private async expect(source: string): Promise<void> {
    const [own] = await this.sources();
    if (source !== own) throw new JournalRefusal('replaced', `there is no source ${source} here: the database was replaced`);
  }
}
