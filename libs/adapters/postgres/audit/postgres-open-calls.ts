import type pg from 'pg';
import type { Journal, OpenCall, OpenCalls } from '#libs/ports';

/** {@link OpenCalls} on the audit database, connected as holdfast_settler. */
export class PostgresOpenCalls implements OpenCalls {
  constructor(
    private readonly pool: pg.Pool,
    private readonly journal: Journal,
  ) {}

  async caughtUp(): Promise<boolean> {
    return (await this.lag()) === 0n;
  }

  /** Records in the journal that are not projected yet, over all sources. */
  async lag(): Promise<bigint> {
    let lag = 0n;
    for (const source of await this.journal.sources()) {
      const end = await this.journal.end(source);
      const { rows } = await this.pool.query<{ next: bigint | null }>('select audit.projected($1) as next', [source]);
      lag += end - BigInt(rows[0]!.next ?? 0);
    }
    return lag;
  }

  async of(instance: string, limit: number): Promise<readonly OpenCall[]> {
    const { rows } = await this.pool.query<{ tenant: string; call: string; decision: string; actor_user: string | null; actor_client: string | null; actor_agent: string | null }>('select * from audit.open_calls($1, $2)', [instance, limit]);
    return rows.map((row) => ({
      tenant: row.tenant,
      call: row.call,
      decision: row.decision,
      ...(row.actor_user === null ? {} : { user: row.actor_user }),
      ...(row.actor_client === null ? {} : { client: row.actor_client }),
      ...(row.actor_agent === null ? {} : { agent: row.actor_agent }),
    }));
  }

  async stateOf(tenant: string, call: string): Promise<{ readonly state: string; readonly outcome: string | null } | null> {
    const { rows } = await this.pool.query<{ state: string; outcome: string | null }>('select * from audit.call_state($1, $2)', [tenant, call]);
    return rows[0] ?? null;
  }
}
