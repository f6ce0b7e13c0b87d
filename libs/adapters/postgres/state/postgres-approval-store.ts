import type { DataSource, EntityManager } from 'typeorm';
import { type ApprovalQuery, type ApprovalStore, type Change, type HeldCall, isUuid, type Moment, type Notice, type Opening, type StoredApproval, wakeAt } from '#libs/approvals/core';
import { Refusal } from '#libs/contracts';
import type { CallIdentity, Lane } from '#libs/ports';
import type { Listener } from '../listener.ts';
import { momentOf, selectMoment } from './moment.ts';
import type { PostgresOutbox } from './postgres-outbox.ts';

interface Row {
  readonly lane: Lane;
  readonly created_at: string;
  readonly changed_at: string;
  readonly state: HeldCall;
  readonly beside: Pick<StoredApproval, 'why' | 'impactClass' | 'channels' | 'inputSchema'>;
  readonly sealed: Buffer;
}

const COLUMNS = 'lane, created_at, changed_at, state, beside, sealed';
const CHANNEL = 'holdfast_approval';
const SETTLED = `('executed', 'failed', 'unknown', 'denied', 'expired', 'cancelled', 'killed')`;

/** {@link ApprovalStore} in the operational database. Every write stages its events in the same transaction. */
export class PostgresApprovalStore implements ApprovalStore {
  constructor(
    private readonly database: DataSource,
    private readonly listener: Listener,
    private readonly outbox: PostgresOutbox,
  ) {}

  open(opening: Opening): ReturnType<ApprovalStore['open']> {
    const { tenant, agent, joins, settledAfter } = opening;
    return this.database.transaction(async (transaction) => {
      // One after the other: who joins, and how many are held, depends on those that were opened before.
      await transaction.query(`select pg_advisory_xact_lock(hashtext('holdfast approvals'), hashtext($1))`, [tenant]);
      if (joins !== null) {
        const [equal] = (await transaction.query(
          `select ${COLUMNS} from state.approval where tenant = $1 and joins = $2
             and ((status in ('held', 'approved') and expires_at > $3) or status = 'claimed' or (status in ${SETTLED} and changed_at > $4))
           order by created_at desc limit 1`,
          [tenant, joins, Date.now(), settledAfter],
        )) as Row[];
        if (equal) return { kind: 'joined' as const, approval: stored(equal) };
      }
      const [found] = (await transaction.query(
        `select ${selectMoment('$1')}, count(*)::int as tenant, (count(*) filter (where agent is not distinct from $2))::int as agent
         from state.approval where tenant = $1 and status in ('held', 'approved')`,
        [tenant, agent],
      )) as [Parameters<typeof momentOf>[0] & { readonly tenant: number; readonly agent: number }];
      const decided = opening.decide({ agent: found.agent, tenant: found.tenant }, momentOf(found));
      if (!decided) return null;
      await this.write(transaction, decided.next, joins, 0);
      await this.tell(transaction, decided.next, decided.events.map(({ type }) => type));
      await this.outbox.stage(transaction, decided.events);
      return { kind: 'opened' as const, approval: decided.next };
    });
  }

  change<T>(tenant: string, id: string, work: (found: StoredApproval, moment: Moment) => Change<T>): Promise<{ readonly result: T; readonly number: bigint | null } | null> {
    if (!isUuid(id)) return Promise.resolve(null);
    return this.database.transaction(async (transaction) => {
      const [row] = (await transaction.query(`select ${COLUMNS}, ${selectMoment('$1')} from state.approval where tenant = $1 and id = $2 for no key update`, [tenant, id])) as (Row & Parameters<typeof momentOf>[0])[];
      if (!row) return null;
      const found = stored(row);
      const { result, next, events = [], answer } = work(found, momentOf(row));
      if (!next) return { result, number: null };
      await this.write(transaction, next, undefined, found.state.version);
      if (answer) await transaction.query('update state.approval set answer = $3 where tenant = $1 and id = $2', [tenant, id, Buffer.from(answer)]);
      if (events.length > 0) await this.tell(transaction, next, events.map(({ type }) => type));
      return { result, number: await this.outbox.stage(transaction, events) };
    });
  }

  async load(tenant: string, id: string): Promise<StoredApproval | null> {
    if (!isUuid(id)) return null;
    const [row] = (await this.database.query(`select ${COLUMNS} from state.approval where tenant = $1 and id = $2`, [tenant, id])) as Row[];
    return row ? stored(row) : null;
  }

  async answer(tenant: string, id: string): Promise<Uint8Array | null> {
    if (!isUuid(id)) return null;
    const [row] = (await this.database.query('select answer from state.approval where tenant = $1 and id = $2', [tenant, id])) as { answer: Buffer | null }[];
    return row?.answer ?? null;
  }

  async forgetAnswers(before: number, limit: number): Promise<number> {
    const [row] = (await this.database.query(
      `with forgotten as (update state.approval set answer = null where (tenant, id) in
         (select tenant, id from state.approval where answer is not null and changed_at < $1 order by changed_at limit $2) returning 1)
       select count(*)::int as count from forgotten`,
      [before, limit],
    )) as [{ count: number }];
    return row.count;
  }

  async list({ tenant, statuses, requester, limit, after }: ApprovalQuery): ReturnType<ApprovalStore['list']> {
    const place = after === undefined ? undefined : placeOf(after);
    const rows = (await this.database.query(
      `select ${COLUMNS}, id from state.approval where tenant = $1 and ($2::text[] is null or status = any($2)) and ($3::text is null or requester = $3)
         ${place ? 'and (created_at, id) < ($5::bigint, $6::uuid)' : ''}
       order by created_at desc, id desc limit $4`,
      [tenant, statuses ?? null, requester ?? null, limit + 1, ...(place ? [place.at, place.id] : [])],
    )) as (Row & { readonly id: string })[];
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return { items: page.map(stored), next: rows.length > limit && last ? `${last.created_at}.${last.id}` : null };
  }

  async changedSince(tenant: string, { at, id }: { readonly at: number; readonly id: string | null }, limit: number): Promise<readonly StoredApproval[]> {
    const rows = (await this.database.query(`select ${COLUMNS} from state.approval where tenant = $1 and (changed_at, id) > ($2::bigint, $3::uuid) order by changed_at, id limit $4`, [
      tenant,
      Math.max(0, at),
      id ?? '00000000-0000-0000-0000-000000000000',
      limit,
    ])) as Row[];
    return rows.map(stored);
  }

  async lastExecuted({ tenant, agent, server, method, tool }: CallIdentity, before: number): Promise<StoredApproval | null> {
    // Not `is not distinct from`, which no index serves.
    const [row] = (await this.database.query(
      `select ${COLUMNS} from state.approval
       where tenant = $1 and ${agent === null ? '($2::text is null and agent is null)' : 'agent = $2'} and state -> 'binding' ->> 'server' = $3 and state -> 'binding' ->> 'tool' = $4
         and state -> 'binding' ->> 'method' = $5 and status = 'executed' and created_at < $6
       order by changed_at desc limit 1`,
      [tenant, agent, server, tool, method, before],
    )) as Row[];
    return row ? stored(row) : null;
  }

  async moment(tenant: string): Promise<Moment> {
    const [row] = (await this.database.query(`select ${selectMoment('$1')}`, [tenant])) as [Parameters<typeof momentOf>[0]];
    return momentOf(row);
  }

  due(now: number, limit: number): Promise<readonly { readonly tenant: string; readonly id: string }[]> {
    return this.database.query('select tenant, id from state.approval where wake_at <= $1 order by wake_at limit $2', [now, limit]);
  }

  async unsettled(before: number, limit: number): Promise<readonly StoredApproval[]> {
    return ((await this.database.query(`select ${COLUMNS} from state.approval where status = 'claimed' and changed_at < $1 order by changed_at limit $2`, [before, limit])) as Row[]).map(stored);
  }

  async releasable(lane: Lane, limit: number): Promise<readonly StoredApproval[]> {
    return ((await this.database.query(`select ${COLUMNS} from state.approval where status = 'approved' and lane = $1 order by changed_at limit $2`, [lane, limit])) as Row[]).map(stored);
  }

  async notices(limit: number): Promise<readonly Notice[]> {
    return this.database.query('select tenant, approval, version, events from state.approval_notice order by tenant, approval, version limit $1', [limit]);
  }

  async told({ tenant, approval, version }: Notice): Promise<void> {
    await this.database.query('delete from state.approval_notice where tenant = $1 and approval = $2 and version = $3', [tenant, approval, version]);
  }

  changes(listener: Parameters<ApprovalStore['changes']>[0]): void {
    this.listener.on(CHANNEL, (payload) => listener(JSON.parse(payload) as Parameters<typeof listener>[0]));
  }

  /** `joins` is undefined where it stays what it is. */
  private async write(transaction: EntityManager, next: StoredApproval, joins: string | null | undefined, before: number): Promise<void> {
    const { state, lane, why, impactClass, channels, inputSchema, sealed, createdAt, changedAt } = next;
    const { tenant } = state.binding;
    const values = [tenant, state.id, state.status, state.version, lane, changedAt, state.expiresAt, wakeAt(next), JSON.stringify(state), Buffer.from(sealed)];
    const [row] =
      joins === undefined
        ? ((await transaction.query(
            `with changed as (update state.approval set status = $3, version = $4, lane = $5, changed_at = $6, expires_at = $7, wake_at = $8, state = $9, sealed = $10
                where tenant = $1 and id = $2 and version = $11 returning 1)
             select count(*)::int as written from changed`,
            [...values, before],
          )) as [{ written: number }])
        : ((await transaction.query(
            `with made as (insert into state.approval (tenant, id, status, version, lane, changed_at, expires_at, wake_at, state, sealed, call, joins, agent, requester, created_at, beside)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) returning 1)
             select count(*)::int as written from made`,
            [...values, state.call, joins, state.binding.agent, state.binding.user, createdAt, JSON.stringify({ why, impactClass, channels, inputSchema })],
          )) as [{ written: number }]);
    if (row.written !== 1) throw new Refusal('decision_stale');
  }

  /** Keeps that people are to be told, and tells whoever listens right now. */
  private async tell(transaction: EntityManager, { state, lane }: StoredApproval, events: readonly string[]): Promise<void> {
    const { id, binding, status, version } = state;
    await transaction.query(
      `with kept as (insert into state.approval_notice (tenant, approval, version, events) values ($1, $2, $3, $4)
         on conflict (tenant, approval, version) do update set events = approval_notice.events || excluded.events)
       select pg_notify('${CHANNEL}', $5)`,
      [binding.tenant, id, version, events, JSON.stringify({ tenant: binding.tenant, approval: id, status, lane })],
    );
  }
}

function stored(row: Row): StoredApproval {
  const { state, lane, beside, sealed } = row;
  return { state, lane, ...beside, sealed, createdAt: Number(row.created_at), changedAt: Number(row.changed_at) };
}

function placeOf(after: string): { readonly at: string; readonly id: string } {
  const [, at, id] = /^(\d{1,16})\.([0-9a-f-]{36})$/.exec(after) ?? [];
  if (at === undefined || id === undefined || !isUuid(id)) throw new Refusal('request_invalid', 'not valid: after');
  return { at, id };
}
