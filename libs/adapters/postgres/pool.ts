import pg from 'pg';

/** Positions and counters are bigint in the database and bigint here. */
const types = {
  getTypeParser: (oid: number, format?: string) => (oid === 20 ? (text: string) => BigInt(text) : (pg.types.getTypeParser as (oid: number, format?: string) => unknown)(oid, format)),
} as pg.CustomTypesConfig;

export interface PoolOptions {
  readonly url: string;
  readonly application: string;
  readonly max: number;
  /** A statement that takes longer is cancelled by the server. */
  readonly statementTimeoutMs?: number;
  /**
   * Commits return before they are synced to disk. Only for tables that are a function of the journal: after a crash of the server the
   * last of them are gone together with the cursor that moved in the same transactions, and are made again.
   */
  readonly derivedOnly?: boolean;
}

/** A pool whose idle connections may die without taking the process along; the next use connects anew. */
export function createPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.application,
    max: options.max,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    types,
    // Said either way: PGOPTIONS of the user's environment must not decide what durable means.
    options: `-c synchronous_commit=${options.derivedOnly === true ? 'off' : 'on'}`,
    ...(options.statementTimeoutMs === undefined ? {} : { statement_timeout: options.statementTimeoutMs }),
  });
  pool.on('error', () => undefined);
  return pool;
}
