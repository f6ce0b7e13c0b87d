import { randomUUID } from 'node:crypto';
import { MemoryJournal } from '#libs/adapters/memory';
import { createPool, PostgresAuditStore } from '#libs/adapters/postgres';
import { Projector } from '#libs/audit/core';
import type { Journal, JournalRecord } from '#libs/ports';
import type { TestDatabase } from './postgres/test-database.ts';

/** A journal that holds these records, taken at a fixed time. */
export async function journalOf(records: readonly JournalRecord[]): Promise<MemoryJournal> {
  const journal = new MemoryJournal(() => Date.UTC(2026, 1, 1));
  if (records.length > 0) await journal.append({ producer: randomUUID(), number: 1, records });
  return journal;
}

/**
 * Projects all that the journal holds into an audit database, in batches of these sizes, the last one again and again. Each of the
 * first batches is made by a projector of its own, which knows only what is in the tables.
 */
export async function projectInto(database: TestDatabase, journal: Journal, sizes: readonly number[] = [500]): Promise<void> {
  const pool = createPool({ url: database.url('holdfast_projector'), application: 'spec', max: 2 });
  const [source] = await journal.sources();
  const end = await journal.end(source!);
  try {
    for (let i = 0; ; i++) {
      const stop = new AbortController();
      const isLast = i >= sizes.length - 1;
      const projector = new Projector({
        journal,
        store: new PostgresAuditStore(pool),
        source: source!,
        sleep: () => Promise.reject(new Error('there is nothing to wait for')),
        limits: { maxRecords: sizes[Math.min(i, sizes.length - 1)]! },
        onBatch: (batch) => {
          if (batch.to === end || !isLast) stop.abort();
        },
      });
      if (((await new PostgresAuditStore(pool).cursors()).get(source!) ?? 0n) === end) return;
      await projector.run(stop.signal);
    }
  } finally {
    await pool.end();
  }
}
