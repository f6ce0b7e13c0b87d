import type { JournalBatch, JournalRecord } from '#libs/ports';

export interface QueueLimits {
  /** Bytes that may wait before admissions are refused. */
  readonly maxBytes: number;
  readonly maxBatchRecords: number;
  readonly maxBatchBytes: number;
}

interface Waiting {
  readonly record: JournalRecord;
  /** Called with the position once durable. */
  readonly settle: ((position: bigint) => void) | undefined;
}

interface Cut {
  readonly batch: JournalBatch;
  readonly waiting: readonly Waiting[];
  readonly bytes: number;
}

/**
 * What one producer has made and the journal has not acknowledged, in order. A batch, once cut, keeps its number and its records
 * for good: sending it again is sending the same bytes.
 */
export class BatchQueue {
  private readonly fresh: Waiting[] = [];
  private readonly cuts: Cut[] = [];
  private number = 0;
  private waitingBytes = 0;

  constructor(
    private readonly producer: string,
    private readonly limits: QueueLimits,
  ) {}

  get bytes(): number {
    return this.waitingBytes;
  }

  get full(): boolean {
    return this.waitingBytes >= this.limits.maxBytes;
  }

  get empty(): boolean {
    return this.fresh.length === 0 && this.cuts.length === 0;
  }

  push(record: JournalRecord, settle?: (position: bigint) => void): void {
    this.fresh.push({ record, settle });
    this.waitingBytes += sizeOf(record);
  }

  /** The batch to send next; the same one until it is acknowledged. */
  next(): JournalBatch | undefined {
    if (this.cuts.length === 0 && this.fresh.length > 0) this.cut();
    return this.cuts[0]?.batch;
  }

  /** The first batch is durable; its last record has this position. Those who wait for it hear so from the function returned. */
  acknowledged(position: bigint): () => void {
    const done = this.cuts.shift()!;
    this.waitingBytes -= done.bytes;
    const first = position - BigInt(done.waiting.length - 1);
    return () => done.waiting.forEach((waiting, i) => waiting.settle?.(first + BigInt(i)));
  }

  /** Everything that waits, cut into batches: what a spool keeps is what the journal will get, number by number. */
  cutAll(): readonly JournalBatch[] {
    while (this.fresh.length > 0) this.cut();
    return this.cuts.map((cut) => cut.batch);
  }

  private cut(): void {
    let count = 0;
    let bytes = 0;
    while (count < this.fresh.length && count < this.limits.maxBatchRecords) {
      const size = sizeOf(this.fresh[count]!.record);
      if (count > 0 && bytes + size > this.limits.maxBatchBytes) break;
      bytes += size;
      count++;
    }
    const waiting = this.fresh.splice(0, count);
    this.number++;
    this.cuts.push({ batch: { producer: this.producer, number: this.number, records: waiting.map((item) => item.record) }, waiting, bytes });
  }
}

function sizeOf(record: JournalRecord): number {
  return record.event.length + (record.sealed?.length ?? 0);
}
