import type { CallRow } from '../calls/call-row.ts';

export interface StoredEntry {
  readonly index: number;
  readonly producer: string;
  readonly seq: number;
  readonly bytes: Uint8Array;
  readonly leaf: Uint8Array;
  readonly chain: Uint8Array;
}

export interface StoredHead {
  readonly size: number;
  readonly frontier: Uint8Array;
  readonly chain: Uint8Array;
}

/**
 * What is stored of one tenant's log, all of one moment. Everything comes in pages of bounded size and in order; nothing is
 * interpreted, so that what a check sees is what lies in the tables.
 */
export interface LogReading {
  readonly tenant: string;
  head(): Promise<StoredHead | null>;
  /** Entries with an index of at least `from`, by index; from 0 also whatever stands before it. */
  entries(from: number): AsyncIterable<readonly StoredEntry[]>;
  /** Entries with these indexes; a missing one is absent. */
  entriesAt(indexes: readonly number[]): Promise<readonly StoredEntry[]>;
  /** The entry with this producer and number. */
  entryOf(producer: string, seq: number): Promise<StoredEntry | null>;
  /** Tiles of a level with a number of at least `from`, by number. */
  tiles(level: number, from: number): AsyncIterable<readonly { readonly n: number; readonly hashes: Uint8Array }[]>;
  /** How many tiles stand where no tree has any: at a level above `level`, or at a negative level or number. */
  tilesOutside(level: number): Promise<number>;
  /** Call rows, by the index of their first event. */
  calls(): AsyncIterable<readonly CallRow[]>;
}
