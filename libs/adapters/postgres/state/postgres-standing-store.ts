import type { DataSource } from 'typeorm';
import { type Moment, type StandingApproval, type StandingChange, type StandingStore } from '#libs/approvals/core';
import { Refusal } from '#libs/contracts';
import type { CallIdentity } from '#libs/ports';
import { momentOf, type MomentRow, selectMoment } from './moment.ts';
import type { PostgresOutbox } from './postgres-outbox.ts';

/** Standing approvals that one call could use; more of them for one tool are somebody's mistake. */
const MOST_FOR_ONE = 50;

/** {@link StandingStore} in the operational database. */
export class PostgresStandingStore implements StandingStore {
  constructor(
    private readonly database: DataSource,
    private readonly outbox: PostgresOutbox,
  ) {}

  async for({ tenant, agent, server, tool }: CallIdentity): Promise<readonly StandingApproval[]> {
    const rows = (await this.database.query(
      `select state from state.standing_approval
       where tenant = $1 and server = $2 and tool = $3 and agent is not distinct from $4 and not revoked and until > extract(epoch from clock_timestamp()) * 1000
       order by until limit ${MOST_FOR_ONE}`,
      [tenant, server, tool, agent],
    )) as { state: StandingApproval }[];
    return rows.map(({ state }) => state);
  }

  async list(tenant: string, limit: number): Promise<readonly StandingApproval[]> {
    const rows = (await this.database.query('select state from state.standing_approval where tenant = $1 order by until desc, id limit $2', [tenant, limit])) as { state: StandingApproval }[];
    return rows.map(({ state }) => state);
  }

  change<T>(tenant: string, id: string, work: (found: StandingApproval | null, moment: Moment) => StandingChange<T>): Promise<{ readonly result: T; readonly number: bigint | null }> {
    return this.database.transaction(async (transaction) => {
      const [row] = (await transaction.query('select state from state.standing_approval where tenant = $1 and id = $2 for no key update', [tenant, id])) as { state: StandingApproval }[];
      const [moment] = (await transaction.query(`select ${selectMoment('$1')}`, [tenant])) as [MomentRow];
      const { result, next, events = [] } = work(row?.state ?? null, momentOf(moment));
      if (!next || events.length === 0) return { result, number: null };
      const { call, until, revoked, version } = next;
      const [written] = (await transaction.query(
        `with written as (insert into state.standing_approval (tenant, id, agent, server, tool, until, revoked, version, state) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           on conflict (tenant, id) do update set revoked = excluded.revoked, version = excluded.version, state = excluded.state where standing_approval.version = $10 returning 1)
         select count(*)::int as count from written`,
        [tenant, id, call.agent, call.server, call.tool, until, revoked, version, JSON.stringify(next), row?.state.version ?? 0],
      )) as [{ count: number }];
      // Two that make the same one at once: the second knows of no first one.
      if (written.count !== 1) throw new Refusal('decision_stale');
      return { result, number: await this.outbox.stage(transaction, events) };
    });
  }
}
