import { createPool, isPassing, PostgresAuditStore, PostgresJournal } from '#libs/adapters/postgres';
import { Projector } from '#libs/audit/core';
import { sleep } from './system.ts';

export interface ProjectorOptions {
  /** Journal, as a role that may read it. */
  readonly journalUrl: string;
  /** Audit database, as the projector. */
  readonly auditUrl: string;
  readonly onState: (state: 'up' | 'down', cause?: unknown) => void;
}


/** One projector per source of the journal, until the signal aborts. */
export async function runProjector(options: ProjectorOptions, signal: AbortSignal): Promise<void> {
  const journalPool = createPool({ url: options.journalUrl, application: 'holdfast-projector', max: 3 });
  const auditPool = createPool({ url: options.auditUrl, application: 'holdfast-projector', max: 3, derivedOnly: true });
  const journal = new PostgresJournal(journalPool, options.journalUrl);
  const store = new PostgresAuditStore(auditPool);
  try {
    const sources = await sourcesOf(journal, signal);
    await Promise.all(sources.map((source) => new Projector({ journal, store, source, sleep, isPassing, onState: options.onState }).run(signal)));
  } finally {
    await journal.close();
    await Promise.all([journalPool.end(), auditPool.end()]);
  }
}

async function sourcesOf(journal: PostgresJournal, signal: AbortSignal): Promise<readonly string[]> {
  for (;;) {
    try {
      return await journal.sources();
    } catch (error) {
      if (signal.aborted) return [];
      if (!isPassing(error)) throw error;
      await sleep(500, signal);
    }
  }
}
