import type { CallRow, LogReading, StoredEntry, StoredHead } from '#libs/audit/core';
import { callFromColumns } from './call-columns.ts';
import type { Ask } from './tenant-session.ts';

const ENTRIES_PER_PAGE = 1_000;
const TILES_PER_PAGE = 64;
const CALLS_PER_PAGE = 500;
/** Below every index: whoever reads from the beginning must also meet rows that were put in front of it. */
const BEFORE_ALL = '-9223372036854775808';

interface EntryColumns {
  readonly idx: bigint;
  readonly producer: string;
  readonly seq: bigint;
  readonly bytes: Buffer;
  readonly leaf: Buffer;
  readonly chain: Buffer;
}

/** {@link LogReading} inside one transaction; every reading is paged by key. */
export class PostgresLogReading implements LogReading {
  constructor(
    readonly tenant: string,
    private readonly ask: Ask,
  ) {}

  async head(): Promise<StoredHead | null> {
    const { rows } = await this.ask<{ size: bigint; frontier: Buffer; chain: Buffer }>('select size, frontier, chain from audit.log_head where tenant = $1', [this.tenant]);
    const row = rows[0];
    return row ? { size: Number(row.size), frontier: row.frontier, chain: row.chain } : null;
  }

  async *entries(from: number): AsyncGenerator<readonly StoredEntry[]> {
    for (let next: number | string = from === 0 ? BEFORE_ALL : from; ; ) {
      const { rows }: { rows: EntryColumns[] } = await this.ask<EntryColumns>(`select idx, producer, seq, bytes, leaf, chain from audit.entry where tenant = $1 and idx >= $2 order by idx limit ${ENTRIES_PER_PAGE}`, [this.tenant, next]);
      if (rows.length === 0) return;
      const entries = rows.map(toEntry);
      yield entries;
      next = entries.at(-1)!.index + 1;
    }
  }

  async entriesAt(indexes: readonly number[]): Promise<readonly StoredEntry[]> {
    const { rows } = await this.ask<EntryColumns>('select idx, producer, seq, bytes, leaf, chain from audit.entry where tenant = $1 and idx = any($2::bigint[]) order by idx', [this.tenant, indexes]);
    return rows.map(toEntry);
  }

  async entryOf(producer: string, seq: number): Promise<StoredEntry | null> {
    const { rows } = await this.ask<EntryColumns>('select idx, producer, seq, bytes, leaf, chain from audit.entry where tenant = $1 and producer = $2 and seq = $3', [this.tenant, producer, seq]);
    return rows[0] ? toEntry(rows[0]) : null;
  }

  async *tiles(level: number, from: number): AsyncGenerator<readonly { readonly n: number; readonly hashes: Uint8Array }[]> {
    for (let next = from; ; ) {
      const { rows } = await this.ask<{ n: bigint; hashes: Buffer }>(`select n, hashes from audit.tile where tenant = $1 and level = $2 and n >= $3 order by n limit ${TILES_PER_PAGE}`, [this.tenant, level, next]);
      if (rows.length === 0) return;
      const tiles = rows.map((row) => ({ n: Number(row.n), hashes: row.hashes }));
      yield tiles;
      next = tiles.at(-1)!.n + 1;
    }
  }

  async tilesOutside(level: number): Promise<number> {
    const { rows } = await this.ask<{ count: bigint }>('select count(*) as count from audit.tile where tenant = $1 and (level > $2 or level < 0 or n < 0)', [this.tenant, level]);
    return Number(rows[0]!.count);
  }

  async *calls(): AsyncGenerator<readonly CallRow[]> {
    for (let next: number | string = BEFORE_ALL; ; ) {
      const { rows }: { rows: Record<string, unknown>[] } = await this.ask<Record<string, unknown>>(`select * from audit.call where tenant = $1 and first_index >= $2 order by first_index limit ${CALLS_PER_PAGE}`, [this.tenant, next]);
      if (rows.length === 0) return;
      const calls = rows.map(callFromColumns);
      yield calls;
      next = calls.at(-1)!.firstIndex + 1;
    }
  }
}

export function toEntry(row: EntryColumns): StoredEntry {
  return { index: Number(row.idx), producer: row.producer, seq: Number(row.seq), bytes: row.bytes, leaf: row.leaf, chain: row.chain };
}
