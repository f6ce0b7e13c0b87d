import type { DataSource } from 'typeorm';
import { isUuid, type ReviewLink, type ReviewLinkStore } from '#libs/approvals/core';

const MOST_OF_ONE = 1_000;

/** {@link ReviewLinkStore} in the operational database. */
export class PostgresReviewLinks implements ReviewLinkStore {
  constructor(private readonly database: DataSource) {}

  async add(hash: Uint8Array, { tenant, approval, step, recipient }: Omit<ReviewLink, 'used'>): Promise<boolean> {
    if (!isUuid(approval)) return false;
    const [{ count }] = (await this.database.query(
      `with added as (insert into state.review_link (hash, tenant, approval, step, recipient)
         select $1, tenant, id, $4, $5 from state.approval a where tenant = $2 and id = $3
           and (select count(*) from state.review_link l where l.tenant = $2 and l.approval = $3) < ${MOST_OF_ONE}
         returning 1)
       select count(*)::int as count from added`,
      [Buffer.from(hash), tenant, approval, step, recipient],
    )) as [{ count: number }];
    return count === 1;
  }

  async find(hash: Uint8Array): Promise<ReviewLink | null> {
    const [row] = (await this.database.query('select tenant, approval, step, recipient, used_at is not null as used from state.review_link where hash = $1', [Buffer.from(hash)])) as ReviewLink[];
    return row ?? null;
  }

  async use(hash: Uint8Array): Promise<void> {
    await this.database.query('update state.review_link set used_at = now() where hash = $1 and used_at is null', [Buffer.from(hash)]);
  }

  async sweep(before: number, limit: number): Promise<number> {
    const [{ count }] = (await this.database.query(
      `with gone as (delete from state.review_link where hash = any(array(select hash from state.review_link where created_at < to_timestamp($1::double precision / 1000) order by created_at limit $2)) returning 1)
       select count(*)::int as count from gone`,
      [before, limit],
    )) as [{ count: number }];
    return count;
  }
}
