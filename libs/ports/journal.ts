/**
 * The ordered durable stream of events. One journal has one or more sources (Kafka partitions; the embedded journal has one);
 * all records of a tenant are in one source, so their order is total.
 */
export interface Journal {
  /**
   * Appends a batch and resolves with the position of its last record when every record is durable (synced to disk, or
   * acknowledged by all in-sync replicas). Within a tenant, order of records is order in the journal. All or nothing.
   *
   * A rejection means UNKNOWN unless it is a {@link JournalRefusal}: the batch may or may not have become durable. The caller
   * sends the same batch (same producer, same number, same bytes) again until it resolves; the journal stores it once.
   * A producer has at most one append in flight.
   */
  append(batch: JournalBatch): Promise<bigint>;

  /** Names of the sources, stable over restarts. */
  sources(): Promise<readonly string[]>;

  /**
   * Delivers the records of a source from position `next` on, in order, at least once, in batches of at most `maxRecords`, and
   * goes on as records arrive until `signal` aborts. A record is delivered only when nothing can still appear before it. The next
   * batch is delivered after `onBatch` resolved; when it rejects, `follow` rejects with that reason.
   */
  follow(options: FollowOptions, onBatch: (records: readonly JournalEntry[]) => Promise<void>): Promise<void>;

  /** The position that the next record of the source will get. */
  end(source: string): Promise<bigint>;
}
export const Journal = Symbol('Journal');

export interface JournalRecord {
  readonly tenant: string;
  /** Canonical bytes of the event; carried, hashed and stored as they are. */
  readonly event: Uint8Array;
  /** Sealed values of the event (see contracts/sealed), or null. */
  readonly sealed: Uint8Array | null;
}

export interface JournalBatch {
  /** The process instance that appends; a UUID that is never used again after a restart. */
  readonly producer: string;
  /** Counts the batches of this producer from 1. */
  readonly number: number;
  readonly records: readonly JournalRecord[];
}

export interface JournalEntry extends JournalRecord {
  readonly position: bigint;
  /** When the journal took it, in milliseconds; part of the journal, so the same on every reading. */
  readonly at: number;
}

export interface FollowOptions {
  readonly source: string;
  readonly next: bigint;
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** While batches are not full, the next one begins no sooner than this after the one before: fewer, larger transactions. */
  readonly lingerMs?: number;
  readonly signal: AbortSignal;
}

/**
 * The journal will never do this; nothing was written. `stale`: a later batch of the same producer is durable, so this one is too.
 * `malformed`: not a batch. `replaced`: the cursor belongs to another journal, or to one that was cut.
 */
export class JournalRefusal extends Error {
  constructor(
    readonly reason: 'stale' | 'malformed' | 'replaced',
    detail: string,
  ) {
    super(`the journal refused: ${detail}`);
    this.name = 'JournalRefusal';
  }
}
