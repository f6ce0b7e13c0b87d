import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { Begun, IdempotencyStore, OnceRequest } from '#libs/ports';

const KEPT = `interval '24 hours'`;
/** Who has not answered by then has died at it. */
const GIVEN_UP = `interval '60 seconds'`;
const MOST_OF_ONE = 5_000;

/** {@link IdempotencyStore} in the operational database. */
export class PostgresIdempotencyStore implements IdempotencyStore {
  constructor(private readonly database: DataSource) {}

  async begin({ tenant, person, key, digest }: OnceRequest): Promise<Begun> {
    return this.database.transaction(async (transaction) => {
      await transaction.query(`delete from state.idempotency where tenant = $1 and person = $2 and key = $3 and created_at < now() - ${KEPT}`, [tenant, person, key]);
      const [{ count }] = (await transaction.query('select count(*)::int as count from state.idempotency where tenant = $1 and person = $2 and key <> $3', [tenant, person, key])) as [{ count: number }];
      if (count >= MOST_OF_ONE) return { kind: 'full' };
      const [made] = (await transaction.query(
        `with made as (insert into state.idempotency (tenant, person, key, digest, id) values ($1, $2, $3, $4, $5) on conflict do nothing returning id) select id from made`,
        [tenant, person, key, digest, randomUUID()],
      )) as { id: string }[];
      if (made) return { kind: 'begun', id: made.id };
      const [found] = (await transaction.query(
        `select digest, id, answer, begun_at < clock_timestamp() - ${GIVEN_UP} as given_up from state.idempotency where tenant = $1 and person = $2 and key = $3 for update`,
        [tenant, person, key],
      )) as { digest: string; id: string; answer: string | null; given_up: boolean }[];
      // Removed a moment ago, by whoever could not do it.
      if (!found) return { kind: 'running' };
      if (found.digest !== digest) return { kind: 'other' };
      if (found.answer !== null) return { kind: 'answered', answer: found.answer };
      if (!found.given_up) return { kind: 'running' };
      await transaction.query('update state.idempotency set begun_at = clock_timestamp() where tenant = $1 and person = $2 and key = $3', [tenant, person, key]);
      return { kind: 'begun', id: found.id };
    });
  }

  async answered({ tenant, person, key, digest }: OnceRequest, answer: string): Promise<void> {
    await this.database.query('update state.idempotency set answer = $5 where tenant = $1 and person = $2 and key = $3 and digest = $4', [tenant, person, key, digest, answer]);
  }

  async forget({ tenant, person, key, digest }: OnceRequest): Promise<void> {
    await this.database.query('delete from state.idempotency where tenant = $1 and person = $2 and key = $3 and digest = $4 and answer is null', [tenant, person, key, digest]);
  }

  async sweep(limit: number): Promise<number> {
    const [{ count }] = (await this.database.query(
      `with gone as (delete from state.idempotency where ctid = any(array(select ctid from state.idempotency where created_at < now() - ${KEPT} order by created_at limit $1)) returning 1)
       select count(*)::int as count from gone`,
      [limit],
    )) as [{ count: number }];
    return count;
  }
}
