import type { JournalBatch } from './journal.ts';

/** Local, synced storage for events that happened while the journal could not be written. */
export interface Spool {
  /** Replaces what this process has spooled by these batches, in order; resolves when they are synced to disk. */
  write(batches: readonly JournalBatch[]): Promise<void>;
  /** Nothing of this process is waiting any more. */
  clear(): Promise<void>;
  /** What other processes left behind, or one of them: only for a caller who knows that they no longer run. `remove` deletes it after it is in the journal. */
  orphans(instance?: string): Promise<readonly { readonly batches: readonly JournalBatch[]; remove(): Promise<void> }[]>;
}
export const Spool = Symbol('Spool');
