import type pg from 'pg';
import { frontierOf, joinHashes, type LogState, sameBytes, splitHashes, StoredLogDamaged, TILE_WIDTH, tileLevels, tileRoot } from '#libs/audit/core';

type Query = <R extends pg.QueryResultRow>(query: string | pg.QueryConfig) => Promise<pg.QueryResult<R>>;

/**
 * What appending to these logs needs. The hashes behind the last full tiles are read back from entries and tiles and held against
 * the stored frontier, so that nothing is ever built on a log whose tail contradicts its head.
 */
export async function loadLogs(query: Query, tenants: readonly string[]): Promise<LogState[]> {
  const { rows } = await query<{ tenant: string; size: bigint; frontier: Buffer; chain: Buffer }>({ text: 'select * from audit.log_head where tenant = any($1)', values: [tenants] });
  const logs: LogState[] = [];
  for (const row of rows) {
    const size = Number(row.size);
    const partial = await loadPartialTiles(query, row.tenant, size);
    const frontier = splitHashes(row.frontier);
    if (!sameBytes(joinHashes(frontierOf(partial)), row.frontier)) throw new StoredLogDamaged(row.tenant, 'its entries and tiles do not add up to its head');
    logs.push({ tenant: row.tenant, tree: { size, frontier, partial }, chain: row.chain });
  }
  return logs;
}

/** Hashes behind the last full tile of each level: leaves from entries, above them the roots of the last full tiles below. */
export async function loadPartialTiles(query: Query, tenant: string, size: number): Promise<Uint8Array[][]> {
  const partial: Uint8Array[][] = [];
  for (let level = 0; level < tileLevels(size); level++) {
    const hashes = Math.floor(size / TILE_WIDTH ** level);
    const first = hashes - (hashes % TILE_WIDTH);
    const found = level === 0 ? await leaves(query, tenant, first, hashes) : await roots(query, tenant, level - 1, first, hashes);
    if (found.length !== hashes - first) throw new StoredLogDamaged(tenant, `it has ${found.length} of the ${hashes - first} hashes at the end of level ${level}`);
    partial.push(found);
  }
  return partial;
}

async function leaves(query: Query, tenant: string, from: number, to: number): Promise<Uint8Array[]> {
  const { rows } = await query<{ leaf: Buffer }>({ text: 'select leaf from audit.entry where tenant = $1 and idx >= $2 and idx < $3 order by idx', values: [tenant, from, to] });
  return rows.map((row) => row.leaf);
}

async function roots(query: Query, tenant: string, level: number, from: number, to: number): Promise<Uint8Array[]> {
  const { rows } = await query<{ hashes: Buffer }>({ text: 'select hashes from audit.tile where tenant = $1 and level = $2 and n >= $3 and n < $4 order by n', values: [tenant, level, from, to] });
  return rows.map((row) => tileRoot(row.hashes));
}
