import type pg from 'pg';
import { type AuditReader, base64url, type CallFilter, type CallRow, type CallWithTimeline, type EventFilter, type Finding, type LoggedEvent, type LogReading, type Page, type PageRequest, readEvent, type StoredEntry } from '#libs/audit/core';
import { Refusal } from '#libs/contracts';
import { callFromColumns } from './call-columns.ts';
import { PostgresLogReading, toEntry } from './postgres-log-reading.ts';
import { isPassing } from './store-errors.ts';
import { asTenant } from './tenant-session.ts';

/** How many entries one request for filtered events looks at. */
const MAX_LOOKED_AT = 20_000;

const CALL_CONDITIONS = {
  user: 'actor_user =',
  client: 'actor_client =',
  agent: 'actor_agent =',
  server: 'server =',
  tool: 'tool =',
  class: 'class =',
  outcome: 'outcome =',
  decision: 'effect =',
  state: 'state =',
  run: 'run =',
  from: 'requested_at >=',
  to: 'requested_at <',
} as const satisfies Record<keyof CallFilter, string>;

/** {@link AuditReader} on the audit database, connected as holdfast_reader. */
export class PostgresAuditReader implements AuditReader {
  constructor(private readonly pool: pg.Pool) {}

  async calls(tenant: string, filter: CallFilter, page: PageRequest): Promise<Page<CallRow>> {
    const values: unknown[] = [tenant];
    const conditions = ['tenant = $1'];
    for (const [name, condition] of Object.entries(CALL_CONDITIONS)) {
      const value = filter[name as keyof CallFilter];
      if (value !== undefined) conditions.push(`${condition} $${values.push(storable(value))}`);
    }
    if (page.after !== undefined) conditions.push(`first_index < $${values.push(cursor(page.after))}`);
    const rows = await this.as(tenant, async (_, ask) => (await ask<Record<string, unknown>>(`select * from audit.call where ${conditions.join(' and ')} order by first_index desc limit ${page.limit + 1}`, values)).rows);
    return pageOf(rows.map(callFromColumns), page.limit, (row) => row.firstIndex);
  }

  async call(tenant: string, id: string): Promise<CallWithTimeline | null> {
    return this.as(tenant, async (log, ask) => {
      const { rows } = await ask<Record<string, unknown>>('select * from audit.call where tenant = $1 and call = $2', [tenant, storable(id)]);
      if (!rows[0]) return null;
      const call = callFromColumns(rows[0]);
      return { call, timeline: (await log.entriesAt(call.events)).map(toLogged) };
    });
  }

  async events(tenant: string, filter: EventFilter, page: PageRequest): Promise<Page<LoggedEvent>> {
    const from = page.after === undefined ? 0 : cursor(page.after) + 1;
    const wanted = Object.values(filter).some((value) => value !== undefined);
    const upTo = from + (wanted ? MAX_LOOKED_AT : page.limit);
    return this.as(tenant, async (log, ask) => {
      const { rows } = await ask<Parameters<typeof toEntry>[0]>(
        `select idx, producer, seq, bytes, leaf, chain from (select *, convert_from(bytes, 'UTF8')::json as event from audit.entry where tenant = $1 and idx >= $2 and idx < $3) e
          where ($4::text is null or event ->> 'type' = $4) and ($5::text is null or event ->> 'time' >= $5) and ($6::text is null or event ->> 'time' < $6)
          order by idx limit ${page.limit + 1}`,
        [tenant, from, upTo, filter.type ?? null, filter.from ?? null, filter.to ?? null],
      );
      const size = (await log.head())?.size ?? 0;
      const items = rows.slice(0, page.limit).map((row) => toLogged(toEntry(row)));
      if (rows.length > page.limit) return { items, next: String(items.at(-1)!.index) };
      return { items, next: upTo < size ? String(upTo - 1) : null };
    });
  }

  async findings(tenant: string, page: PageRequest): Promise<Page<Finding>> {
    const [position, id] = page.after === undefined ? [null, null] : findingCursor(page.after);
    const rows = await this.as(tenant, async (_, ask) => (await ask<Record<string, unknown>>(`select * from audit.finding where tenant = $1 and ($2::bigint is null or (position, id) > ($2, $3)) order by position, id limit ${page.limit + 1}`, [tenant, position, id])).rows);
    return pageOf(rows.map(findingFromColumns), page.limit, (finding) => `${finding.position} ${finding.id}`);
  }

  atOneMoment<T>(tenant: string, read: (log: LogReading) => Promise<T>): Promise<T> {
    return this.as(tenant, (log) => read(log));
  }

  private async as<T>(tenant: string, read: (log: LogReading, ask: Parameters<Parameters<typeof asTenant<T>>[2]>[0]) => Promise<T>): Promise<T> {
    try {
      return await asTenant(this.pool, tenant, (ask) => read(new PostgresLogReading(tenant, ask), ask));
    } catch (error) {
      throw isPassing(error) ? new Refusal('database_unavailable') : error;
    }
  }
}

function pageOf<T>(found: readonly T[], limit: number, cursorOf: (item: T) => string | number): Page<T> {
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? String(cursorOf(items.at(-1)!)) : null };
}

function cursor(after: string): number {
  if (!/^\d{1,15}$/.test(after)) throw new Refusal('request_invalid', 'after is not a cursor of this list');
  return Number(after);
}

function findingCursor(after: string): readonly [position: string, id: string] {
  const match = /^(\d{1,18}) (.{1,300})$/.exec(after);
  if (!match || after.includes('\u0000')) throw new Refusal('request_invalid', 'after is not a cursor of this list');
  return [match[1]!, match[2]!];
}

/** A value with U+0000 is in no column. */
function storable(value: string): string {
  return value.replaceAll('\u0000', '\uFFFD');
}

function toLogged(entry: StoredEntry): LoggedEvent {
  const reading = readEvent(entry.bytes);
  return { index: entry.index, leaf: base64url(entry.leaf), event: 'rejected' in reading ? null : reading.event };
}

export function findingFromColumns(row: Readonly<Record<string, unknown>>): Finding {
  const number = (value: unknown): number | null => (value === null ? null : Number(value));
  return {
    tenant: row['tenant'] as string,
    id: row['id'] as string,
    kind: row['kind'] as Finding['kind'],
    producer: row['producer'] as string | null,
    fromSeq: number(row['from_seq']),
    toSeq: number(row['to_seq']),
    index: number(row['idx']),
    source: row['source'] as string,
    position: String(row['position']),
    at: Number(row['at']),
    count: Number(row['count']),
    closedAt: number(row['closed_at']),
    closedIndex: number(row['closed_idx']),
  };
}
