import type { JournalBatch } from './journal.ts';

/**
 * What state-first transactions have to say to the journal, as finished batches in the order of their transactions. The relay
 * appends them in this order and marks each; after a crash it sends the same bytes again under the same number.
 */
export interface Outbox {
  /** Batches that are not known to be in the journal, lowest number first. */
  unsent(limit: number): Promise<readonly JournalBatch[]>;
  sent(batch: JournalBatch): Promise<void>;
  /** Removes what is in the journal since before this moment; how many batches. */
  forgetSent(before: Date, limit: number): Promise<number>;
  /** Calls back a moment after something was staged; a hint, some are lost. One listener. */
  onStaged(listener: () => void): void;
  /** Resolves when the batch of this number is in the journal; false when that took longer. */
  delivered(number: bigint, timeoutMs: number): Promise<boolean>;
}
export const Outbox = Symbol('Outbox');
