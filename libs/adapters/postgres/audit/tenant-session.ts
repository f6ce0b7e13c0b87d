import type pg from 'pg';

export type Ask = <R extends pg.QueryResultRow>(text: string, values: readonly unknown[]) => Promise<pg.QueryResult<R>>;

/**
 * Runs in one read-only transaction that sees one tenant: row-level security of the reader role takes the tenant from it, and it ends
 * with the transaction. Repeatable read: everything asked in it is of one moment.
 */
export async function asTenant<T>(pool: pg.Pool, tenant: string, use: (ask: Ask) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin isolation level repeatable read read only');
    await client.query(`select set_config('holdfast.tenant', $1, true)`, [tenant]);
    const result = await use((text, values) => client.query(text, [...values]));
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: unknown) => {
      broken = failure as Error;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
