import type { DataSource } from 'typeorm';
import type { Delivery, DeliveryStore, Sent } from '#libs/approvals/core';
import type { EventDraft } from '#libs/contracts';
import type { PostgresOutbox } from './postgres-outbox.ts';

/** {@link DeliveryStore} in the operational database. */
export class PostgresDeliveryStore implements DeliveryStore {
  constructor(
    private readonly database: DataSource,
    private readonly outbox: PostgresOutbox,
  ) {}

  async begin(tenant: string, approval: string, delivery: Delivery): Promise<'new' | 'begun' | 'over'> {
    const rows = (await this.database.query(
      `with made as (insert into state.delivery (tenant, approval, id, delivery, status) values ($1, $2, $3, $4, 'begun') on conflict do nothing returning 'new' as status)
       select status from made union all select status from state.delivery where tenant = $1 and approval = $2 and id = $3`,
      [tenant, approval, delivery.id, JSON.stringify(delivery)],
    )) as { status: string }[];
    const status = rows[0]?.status ?? 'begun';
    return status === 'new' || status === 'begun' ? status : 'over';
  }

  async sent(tenant: string, approval: string, delivery: Delivery, reference: string | null): Promise<void> {
    await this.database.query(`update state.delivery set status = 'sent', reference = $4 where tenant = $1 and approval = $2 and id = $3`, [tenant, approval, delivery.id, reference]);
  }

  async notSent(tenant: string, approval: string, delivery: Delivery): Promise<void> {
    await this.database.query(`delete from state.delivery where tenant = $1 and approval = $2 and id = $3 and status = 'begun'`, [tenant, approval, delivery.id]);
  }

  async failed(tenant: string, approval: string, delivery: Delivery, event: EventDraft): Promise<void> {
    await this.database.transaction(async (transaction) => {
      const [row] = (await transaction.query(
        `with changed as (update state.delivery set status = 'failed' where tenant = $1 and approval = $2 and id = $3 and status = 'begun' returning 1) select count(*)::int as count from changed`,
        [tenant, approval, delivery.id],
      )) as [{ count: number }];
      // Told once, however often a job tries.
      if (row.count > 0) await this.outbox.stage(transaction, [event]);
    });
  }

  async changeable(tenant: string, approval: string): Promise<readonly Sent[]> {
    return this.database.query(`select delivery, reference from state.delivery where tenant = $1 and approval = $2 and status = 'sent' and reference is not null order by begun_at`, [tenant, approval]);
  }
}
