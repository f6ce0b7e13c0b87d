import type pg from 'pg';
import type { Journal, OpenCall, OpenCalls } from '#libs/ports';
import { rethrow } from './store-errors.ts';

/** {@link OpenCalls} from the read model; looks across tenants, so it is connected as holdfast_projector. */
export class PostgresOpenCalls implements OpenCalls {
  constructor(
    private readonly pool: pg.Pool,
    private readonly journal: Journal,
  ) {}

  async caughtUp(): Promise<boolean> {
    // The journal first: what it holds now is what the tables must have.
    const ends = await Promise.all((await this.journal.sources()).map(async (source) => [source, await this.journal.end(source)] as const));
    const { rows } = await this.query<{ source: string; next: bigint }>('select source, next from audit.cursor', []);
    const cursors = new Map(rows.map((row) => [row.source, BigInt(row.next)]));
    return ends.every(([source, end]) => (cursors.get(source) ?? 0n) >= end);
  }

  async of(instance: string, limit: number): Promise<readonly OpenCall[]> {
    const { rows } = await this.query<{ tenant: string; call: string; decision: string; actor_user: string | null; actor_client: string | null; actor_agent: string | null }>(
      `select tenant, call, decision, actor_user, actor_client, actor_agent from audit.call where state = 'open' and broker = $1 order by requested_at, tenant, first_index limit $2`,
      [instance, limit],
    );
    return rows.map((row) => ({
      tenant: row.tenant,
      call: row.call,
      decision: row.decision,
      ...(row.actor_user === null ? {} : { user: row.actor_user }),
      ...(row.actor_client === null ? {} : { client: row.actor_client }),
      ...(row.actor_agent === null ? {} : { agent: row.actor_agent }),
    }));
  }

  private async query<R extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<pg.QueryResult<R>> {
    try {
      return await this.pool.query<R>(text, [...values]);
    } catch (error) {
      return rethrow(error);
    }
  }
}
