import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { type RememberedLog, verifyLog, type VerifyOptions, type VerifyReport } from '#libs/audit/core';
import type { JournalRecord } from '#libs/ports';
import { EventWriter, journalOf, projectInto, testDatabase, type TestDatabase } from '#libs/testing';
import { createPool } from '../pool.ts';
import { PostgresAuditReader } from './postgres-audit-reader.ts';

const CALLS = 250;

function history(calls: number): JournalRecord[] {
  const [one, two] = [new EventWriter('broker one'), new EventWriter('broker two')];
  const records = [one.started('acme'), two.started('acme'), one.started('globex')];
  for (let i = 0; i < calls; i++) records.push(...one.call('acme', `a-${i}`), two.requested('acme', `b-${i}`), two.decided('acme', `b-${i}`, 'deny'), ...one.call('globex', `g-${i}`));
  return records;
}

const failed = (report: VerifyReport): string[] => report.properties.filter((property) => property.status === 'FAIL').map((property) => property.property);

describe('verifying a stored log', () => {
  let database: TestDatabase;
  let admin: pg.Client;
  let pool: pg.Pool;
  const records = history(CALLS);
  const verify = (tenant = 'acme', options: VerifyOptions = {}): Promise<VerifyReport> => new PostgresAuditReader(pool).atOneMoment(tenant, (log) => verifyLog(log, options));

  beforeAll(async () => {
    database = await testDatabase('audit');
    await projectInto(database, await journalOf(records));
    admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
    pool = createPool({ url: database.url('holdfast_reader'), application: 'verify-spec', max: 2 });
  });
  afterAll(async () => {
    await pool.end();
    await admin.end();
    await database.drop();
  });

  it('passes what was not touched, and says what it could not check', async () => {
    const seen: number[] = [];
    const report = await verify('acme', { progress: (done) => void seen.push(done) });
    expect(report.properties.filter((property) => property.status !== 'PASS')).toEqual([
      expect.objectContaining({ property: 'truncation', status: 'NOT CHECKED', notGiven: true }),
      expect.objectContaining({ property: 'sealed values', status: 'NOT CHECKED', notGiven: true }),
      expect.objectContaining({ property: 'findings', status: 'NOT CHECKED', notGiven: true }),
      expect.objectContaining({ property: 'signatures', status: 'NOT CHECKED', notGiven: true }),
    ]);
    expect(report).toMatchObject({ verdict: 'PASS', size: 2 + CALLS * 5, from: 0 });
    expect(seen.at(-1)).toBe(report.size);
  });

  it('says that there is nothing when there is nothing', async () => {
    expect(await verify('nobody')).toMatchObject({ verdict: 'NO ENTRIES', size: 0 });
  });

  describe('from a remembered size', () => {
    let early: RememberedLog;
    beforeAll(async () => {
      const other = await testDatabase('audit');
      await projectInto(other, await journalOf(records.slice(0, 2000)));
      const otherPool = createPool({ url: other.url('holdfast_reader'), application: 'verify-spec', max: 1 });
      early = (await new PostgresAuditReader(otherPool).atOneMoment('acme', (log) => verifyLog(log))).remember!;
      await otherPool.end();
      await other.drop();
    });

    it('reads only what is new and finds the same root', async () => {
      const whole = await verify('acme', { remembered: early });
      const rest = await verify('acme', { remembered: early, incremental: true });
      expect(early.size).toBeGreaterThan(1024);
      expect(rest).toMatchObject({ verdict: 'PASS', from: early.size, root: whole.root });
      expect(whole.properties.find((property) => property.property === 'truncation')!.status).toBe('PASS');
      expect(rest.remember).toEqual(whole.remember);
    });

    it.each([true, false])('fails when the past is another one (incremental: %s)', async (incremental) => {
      const forged = { ...early, frontier: early.frontier.with(-1, early.frontier[0]!) };
      expect(failed(await verify('acme', { remembered: forged, incremental }))).toContain('truncation');
    });

    it('fails when the log is shorter than it was', async () => {
      const report = await verify('acme', { remembered: { ...early, size: 100_000 }, incremental: true });
      expect(failed(report)).toEqual(['truncation']);
    });
  });

  // What somebody with all rights over the database can do: fences down, change, fences up. Each is undone after its test.
  describe('after an attack', () => {
    let remembered: RememberedLog;
    beforeAll(async () => {
      remembered = (await verify()).remember!;
    });
    beforeEach(async () => {
      await admin.query('begin');
      for (const table of ['entry', 'tile', 'sealed', 'log_head']) await admin.query(`alter table audit.${table} disable trigger all`);
    });
    afterEach(() => admin.query('rollback'));

    /** Verifies what the attacker's transaction made, before it is rolled back. */
    const verifyAttacked = async (options: VerifyOptions = {}): Promise<VerifyReport> => {
      const asked: pg.Pool = Object.assign(Object.create(pool) as pg.Pool, {
        connect: () => Promise.resolve({ query: (text: string, values?: unknown[]) => (/^(begin|commit|rollback)/.test(text) ? Promise.resolve({ rows: [] }) : admin.query(text, values)), release: () => undefined }),
      });
      return new PostgresAuditReader(asked).atOneMoment('acme', (log) => verifyLog(log, options));
    };

    it.each<[string, readonly string[], readonly string[]]>([
      ['a value in an entry', [`update audit.entry set bytes = convert_to(replace(convert_from(bytes, 'UTF8'), '"argsBytes":12', '"argsBytes":13'), 'UTF8') where tenant = 'acme' and idx = 2`], ['leaf hashes', 'hash chain', 'tiles', 'head', 'producers', 'calls']],
      ['an entry together with its leaf hash', [`update audit.entry set bytes = convert_to(replace(convert_from(bytes, 'UTF8'), '"argsBytes":12', '"argsBytes":13'), 'UTF8') where tenant = 'acme' and idx = 2`, `update audit.entry set leaf = sha256('\\x00'::bytea || bytes) where tenant = 'acme' and idx = 2`], ['hash chain', 'tiles', 'head', 'producers', 'calls']],
      ['one bit of an entry', [`update audit.entry set bytes = set_byte(bytes, 300, get_byte(bytes, 300) # 1) where tenant = 'acme' and idx = 1000`], ['leaf hashes', 'hash chain', 'tiles', 'head', 'canonical form', 'producers', 'calls']],
      ['one bit of a leaf hash', [`update audit.entry set leaf = set_byte(leaf, 5, get_byte(leaf, 5) # 1) where tenant = 'acme' and idx = 700`], ['leaf hashes']],
      ['one bit of the chain', [`update audit.entry set chain = set_byte(chain, 5, get_byte(chain, 5) # 1) where tenant = 'acme' and idx = 700`], ['hash chain']],
      ['one bit of a tile', [`update audit.tile set hashes = set_byte(hashes, 5000, get_byte(hashes, 5000) # 1) where tenant = 'acme' and n = 2`], ['tiles']],
      ['the root in the head', [`update audit.log_head set frontier = set_byte(frontier, 1, get_byte(frontier, 1) # 1) where tenant = 'acme'`], ['head']],
      ['an entry removed', [`delete from audit.sealed where tenant = 'acme'`, `delete from audit.entry where tenant = 'acme' and idx = 500`], ['entries', 'hash chain', 'tiles', 'head', 'producers', 'calls']],
      ['the tail removed and the head left', [`delete from audit.sealed where tenant = 'acme'`, `delete from audit.entry where tenant = 'acme' and idx > 1100`], ['entries', 'head', 'calls']],
      ['two entries swapped', [`alter table audit.sealed drop constraint sealed_tenant_idx_fkey`, `update audit.entry set idx = idx + 100000 where tenant = 'acme' and idx in (600, 601)`, `update audit.entry set idx = case idx when 100600 then 601 else 600 end where tenant = 'acme' and idx > 100000`], ['hash chain', 'tiles', 'head']],
      ['an entry replaced by one of another tenant', [`alter table audit.sealed drop constraint sealed_tenant_idx_fkey`, `update audit.entry a set bytes = g.bytes, leaf = g.leaf from audit.entry g where a.tenant = 'acme' and a.idx = 700 and g.tenant = 'globex' and g.idx = 300`], ['hash chain', 'tiles', 'head', 'canonical form', 'columns', 'producers', 'calls']],
      ['an entry written behind the end', [`insert into audit.entry select idx + 1, seq + 100000, producer, tenant, leaf, chain, bytes from audit.entry where tenant = 'acme' order by idx desc limit 1`], ['entries', 'hash chain', 'head', 'columns', 'producers', 'calls']],
      ['a tile removed', [`delete from audit.tile where tenant = 'acme' and n = 1`], ['tiles']],
      ['a tile too many', [`insert into audit.tile select tenant, level, n + 100, hashes from audit.tile where tenant = 'acme' and n = 1`], ['tiles']],
      ['a level too many', [`insert into audit.tile select tenant, 5, n, hashes from audit.tile where tenant = 'acme' and n = 1`], ['tiles']],
      ['the number beside an entry', [`update audit.entry set seq = seq + 100000 where tenant = 'acme' and idx = 10`], ['columns']],
      ['who made a call, in the read model only', [`update audit.call set actor_user = 'mallory' where tenant = 'acme' and call = 'a-7'`], ['calls']],
      ['a call hidden from the read model', [`delete from audit.call where tenant = 'acme' and call = 'a-7'`], ['calls']],
      ['a call invented in the read model', [`insert into audit.call (tenant, call, state, via, broker, first_index, events, event_count) values ('acme', 'x', 'open', 'mcp', gen_random_uuid(), 999999, '{}', 0)`], ['calls']],
      ['a call invented before all others in the read model', [`insert into audit.call (tenant, call, state, via, broker, first_index, events, event_count) values ('acme', 'x', 'open', 'mcp', gen_random_uuid(), -1, '{}', 0)`], ['calls']],
      ['an entry put before the first', [`insert into audit.entry select -5, seq + 100000, producer, tenant, leaf, chain, bytes from audit.entry where tenant = 'acme' and idx = 10`], ['entries', 'hash chain', 'tiles', 'head', 'columns', 'producers', 'calls']],
      ['a tile below the first level', [`insert into audit.tile select tenant, -1, n, hashes from audit.tile where tenant = 'acme' and n = 1`], ['tiles']],
      ['a log without a head', [`delete from audit.log_head where tenant = 'acme'`], ['entries', 'tiles', 'head']],
    ])('finds %s', async (_, statements, properties) => {
      for (const statement of statements) expect((await admin.query(statement)).rowCount).not.toBe(0);
      const report = await verifyAttacked();
      expect(failed(report)).toEqual(properties);
      expect(report.verdict).toBe('FAIL');
      expect(report.remember).toBeUndefined();
    });

    it('a tail cut off together with everything derived from it shows only against what somebody remembers', async () => {
      // The attacker restores an old, genuine state of the whole log.
      const other = await testDatabase('audit');
      await projectInto(other, await journalOf(records.slice(0, 1500)));
      const old = createPool({ url: other.url('holdfast_reader'), application: 'verify-spec', max: 1 });
      const reader = new PostgresAuditReader(old);
      const blind = await reader.atOneMoment('acme', (log) => verifyLog(log));
      expect(blind.verdict).toBe('PASS');
      expect(blind.properties.find((property) => property.property === 'truncation')!.status).toBe('NOT CHECKED');
      expect(failed(await reader.atOneMoment('acme', (log) => verifyLog(log, { remembered })))).toEqual(['truncation']);
      await old.end();
      await other.drop();
    });

    it('an attacker who rewrites entry, leaf, chain, tile and head alike is found by whoever remembers a root', async () => {
      // A whole log made anew with one value changed: everything derived is genuine, the producer's own chain included.
      const other = await testDatabase('audit');
      const forger = [new EventWriter('broker one'), new EventWriter('broker two')] as const;
      await projectInto(other, await journalOf([forger[0].started('acme'), forger[1].started('acme'), forger[0].started('globex'), ...Array.from({ length: CALLS }, (_, i) => [...forger[0].call('acme', i === 3 ? 'forged' : `a-${i}`), forger[1].requested('acme', `b-${i}`), forger[1].decided('acme', `b-${i}`, 'deny')]).flat()]));
      const forgedPool = createPool({ url: other.url('holdfast_reader'), application: 'verify-spec', max: 1 });
      const reader = new PostgresAuditReader(forgedPool);
      expect((await reader.atOneMoment('acme', (log) => verifyLog(log))).verdict).toBe('PASS');
      expect(failed(await reader.atOneMoment('acme', (log) => verifyLog(log, { remembered })))).toEqual(['truncation']);
      await forgedPool.end();
      await other.drop();
    });
  });
});
