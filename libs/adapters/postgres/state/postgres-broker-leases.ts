import type pg from 'pg';
import type { BrokerLeases } from '#libs/ports';

/** {@link BrokerLeases} in the operational database, by its clock alone. */
export class PostgresBrokerLeases implements BrokerLeases {
  constructor(private readonly pool: pg.Pool) {}

  async start(instance: string, ttlMs: number): Promise<void> {
    await this.pool.query(`insert into state.broker_lease (instance, expires_at) values ($1, now() + $2 * interval '1 ms')`, [instance, ttlMs]);
  }

  async renew(instance: string, ttlMs: number): Promise<{ held: boolean; revision: number; brokers: number }> {
    const { rows } = await this.pool.query<{ held: boolean; revision: number | null; brokers: number }>(
      `with renewed as (
         update state.broker_lease set expires_at = now() + $2 * interval '1 ms'
         where instance = $1 and ended_at is null returning 1)
       select exists (select from renewed) as held, (select max(revision) from state.config_revision) as revision,
         (select count(*)::int from state.broker_lease where ended_at is null) as brokers`,
      [instance, ttlMs],
    );
    return { held: rows[0]!.held, revision: rows[0]!.revision ?? 0, brokers: rows[0]!.brokers };
  }

  async end(instance: string): Promise<void> {
    await this.pool.query('update state.broker_lease set ended_at = now() where instance = $1 and ended_at is null', [instance]);
  }

  async declareLost(): Promise<void> {
    await this.pool.query('update state.broker_lease set ended_at = now() where ended_at is null and expires_at <= now()');
  }

  async lost(): Promise<readonly string[]> {
    // Ended in order means ended while the lease still ran.
    const { rows } = await this.pool.query<{ instance: string }>('select instance from state.broker_lease where ended_at >= expires_at and reaped_at is null order by started_at');
    return rows.map((row) => row.instance);
  }

  async settled(instance: string): Promise<void> {
    await this.pool.query('update state.broker_lease set reaped_at = now() where instance = $1', [instance]);
  }

  async over(instance: string): Promise<boolean> {
    const { rows } = await this.pool.query<{ over: boolean }>('select ended_at is not null and (ended_at < expires_at or reaped_at is not null) as over from state.broker_lease where instance = $1', [instance]);
    return rows[0]?.over ?? true;
  }

  async revokeAll(): Promise<void> {
    await this.pool.query('update state.broker_lease set expires_at = least(expires_at, now()), ended_at = now() where ended_at is null');
  }
}
