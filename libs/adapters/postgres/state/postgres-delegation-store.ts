import type { DataSource } from 'typeorm';
import type { DelegationChange, DelegationScope, DelegationStore, GeneralDelegation, Moment } from '#libs/approvals/core';
import { momentOf, type MomentRow, selectMoment } from './moment.ts';
import type { PostgresOutbox } from './postgres-outbox.ts';

interface Row {
  readonly id: string;
  readonly delegator: string;
  readonly delegate: string;
  readonly until: string;
  readonly scope: DelegationScope;
  readonly revoked: boolean;
}

const COLUMNS = 'id, delegator, delegate, until, scope, revoked';

/** {@link DelegationStore} in the operational database. */
export class PostgresDelegationStore implements DelegationStore {
  constructor(
    private readonly database: DataSource,
    private readonly outbox: PostgresOutbox,
  ) {}

  async list(tenant: string, person: string | null, limit: number): Promise<readonly GeneralDelegation[]> {
    const rows = (await this.database.query(
      `select ${COLUMNS} from state.delegation
       where tenant = $1 and not revoked and until > extract(epoch from clock_timestamp()) * 1000 and ($2::text is null or delegator = $2 or delegate = $2)
       order by until, id limit $3`,
      [tenant, person, limit],
    )) as Row[];
    return rows.map(delegationOf);
  }

  change<T>(tenant: string, id: string, work: (found: GeneralDelegation | null, moment: Moment) => DelegationChange<T>): Promise<T> {
    return this.database.transaction(async (transaction) => {
      // Whether there is a chain, and how many there are, depends on those that were made before.
      await transaction.query(`select pg_advisory_xact_lock(hashtext('holdfast delegations'), hashtext($1))`, [tenant]);
      const [row] = (await transaction.query(`select ${COLUMNS} from state.delegation where tenant = $1 and id = $2`, [tenant, id])) as Row[];
      const [moment] = (await transaction.query(`select ${selectMoment('$1')}`, [tenant])) as [MomentRow];
      const { result, next, events = [] } = work(row ? delegationOf(row) : null, momentOf(moment));
      if (!next) return result;
      await transaction.query(
        `insert into state.delegation (tenant, id, delegator, delegate, until, scope, revoked) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (tenant, id) do update set revoked = excluded.revoked`,
        [tenant, id, next.from, next.to, next.until, JSON.stringify(next.scope), next.revoked],
      );
      await this.outbox.stage(transaction, events);
      return result;
    });
  }
}

function delegationOf({ id, delegator, delegate, until, scope, revoked }: Row): GeneralDelegation {
  return { id, from: delegator, to: delegate, until: Number(until), scope, revoked };
}
