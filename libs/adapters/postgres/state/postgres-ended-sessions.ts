import type { DataSource } from 'typeorm';
import type { EndedSessions } from '#libs/ports';

/** {@link EndedSessions} in the operational database. */
export class PostgresEndedSessions implements EndedSessions {
  constructor(private readonly database: DataSource) {}

  async end(id: string, untilMs: number): Promise<void> {
    await this.database.query('insert into state.ended_session (id, until) values ($1, to_timestamp($2::double precision / 1000)) on conflict do nothing', [id, untilMs]);
  }

  async isEnded(id: string): Promise<boolean> {
    return ((await this.database.query('select from state.ended_session where id = $1', [id])) as unknown[]).length > 0;
  }

  async sweep(limit: number): Promise<number> {
    const [{ count }] = (await this.database.query(
      `with gone as (delete from state.ended_session where id = any(array(select id from state.ended_session where until < now() order by until limit $1)) returning 1)
       select count(*)::int as count from gone`,
      [limit],
    )) as [{ count: number }];
    return count;
  }
}
