import type { JournalBatch, Spool } from '#libs/ports';

/** {@link Spool} in memory. For tests only: `kept` is what a crash would leave on disk. */
export class MemorySpool implements Spool {
  kept: readonly JournalBatch[] = [];
  left: JournalBatch[][] = [];

  write(batches: readonly JournalBatch[]): Promise<void> {
    this.kept = [...batches];
    return Promise.resolve();
  }

  clear(): Promise<void> {
    this.kept = [];
    return Promise.resolve();
  }

  orphans(): Promise<readonly { readonly batches: readonly JournalBatch[]; remove(): Promise<void> }[]> {
    return Promise.resolve(
      this.left.map((batches) => ({
        batches,
        remove: () => {
          this.left = this.left.filter((other) => other !== batches);
          return Promise.resolve();
        },
      })),
    );
  }
}
