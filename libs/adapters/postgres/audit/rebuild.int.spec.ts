import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compareRebuilt, rebuild, type RebuildReport } from '#libs/audit/core';
import type { JournalRecord } from '#libs/ports';
import { EventWriter, journalOf, projectInto, testDatabase, type TestDatabase, withClient } from '#libs/testing';
import { PostgresLogReading } from './postgres-log-reading.ts';

/** All that is in the audit tables, as text, in a fixed order. */
async function contents(database: TestDatabase): Promise<Record<string, string>> {
  const tables = { cursor: 'source', log_head: 'tenant', entry: 'tenant, idx', tile: 'tenant, level, n', sealed: 'tenant, idx, path', producer: 'tenant, producer', call: 'tenant, call', finding: 'tenant, id' };
  return withClient(database.adminUrl, async (client) => {
    const out: Record<string, string> = {};
    for (const [table, order] of Object.entries(tables)) {
      const { rows } = await client.query<{ digest: string; n: string }>(`select count(*) as n, encode(sha256(convert_to(coalesce(string_agg(t::text, E'\\n' order by ${order}), ''), 'UTF8')), 'hex') as digest from audit.${table} t`);
      out[table] = `${rows[0]!.n} rows ${rows[0]!.digest}`;
    }
    return out;
  });
}

/** A journal with everything in it that a projector may meet. */
function history(): JournalRecord[] {
  const [one, two, relay] = [new EventWriter('broker one'), new EventWriter('broker two'), new EventWriter('relay')];
  const records: JournalRecord[] = [one.started('acme'), two.started('acme'), one.started('globex')];
  for (let i = 0; i < 150; i++) {
    records.push(...one.call('acme', `a-${i}`), ...two.call(i % 3 === 0 ? 'globex' : 'acme', `b-${i}`, i % 7 === 0 ? 'failed' : 'succeeded'));
    if (i % 10 === 0) records.push(one.requested('globex', `c-${i}`), one.decided('globex', `c-${i}`, 'deny'));
  }
  const [requested, decided, completed] = one.call('acme', 'torn');
  const twin = new EventWriter('broker one');
  records.push(
    decided!, completed!, // a hole of one
    { tenant: 'acme', event: Buffer.from('not json'), sealed: null },
    { tenant: 'globex', event: one.requested('acme', 'elsewhere').event, sealed: null }, // wrong tenant, and a hole in acme
    records[5]!, records[5]!, records[6]!, // repeated
    twin.requested('acme', 'usurper'), // another event with the number of an old one
    requested!, // late
    { tenant: 'Not A Tenant', event: Buffer.from('{}'), sealed: null },
    { ...one.requested('acme', 'stripped'), sealed: null },
    relay.started('acme'), relay.requested('acme', 'nul', { exposed: 'a\u0000b', tool: '\u0000' }), relay.decided('acme', 'nul'), relay.outcomeUnknown('acme', 'nul', relay.producer), relay.completed('acme', 'nul'),
    relay.abandoned('acme', 'nobody-asked'),
    ...one.call('acme', 'last'),
  );
  return records;
}

describe('rebuilding the audit tables from the journal', () => {
  const records = history();
  const databases: TestDatabase[] = [];
  let reference: Record<string, string>;
  const projected = async (sizes: readonly number[]): Promise<Record<string, string>> => {
    const database = await testDatabase('audit');
    databases.push(database);
    await projectInto(database, await journalOf(records), sizes);
    return contents(database);
  };
  beforeAll(async () => {
    reference = await projected([500]);
  });
  afterAll(() => Promise.all(databases.map((database) => database.drop())));

  it('fills every table and makes an entry of every record but the three that were repeated', () => {
    expect(Object.fromEntries(Object.entries(reference).map(([table, row]) => [table, Number(row.split(' ')[0])]))).toEqual({ cursor: 1, log_head: 3, entry: records.length - 3, tile: expect.any(Number), sealed: expect.any(Number), producer: expect.any(Number), call: expect.any(Number), finding: expect.any(Number) });
  });

  it.each([
    ['one by one', [1]],
    ['sevens', [7]],
    ['uneven pieces, a fresh projector after each of the first', [1, 255, 2, 64, 3, 128, 17, 5, 90]],
  ])('gives bit-identical tables when the journal is cut into %s', async (_, sizes) => {
    expect(await projected(sizes)).toEqual(reference);
  });

  describe('in memory, held against what is stored', () => {
    const compare = async (change?: string): Promise<Record<string, RebuildReport>> => {
      const database = databases[0]!;
      const rebuilt = await rebuild({ journal: await journalOf([...records, ...new EventWriter('later').call('acme', 'later')]), source: 'memory', until: BigInt(records.length), maxRecords: 64 });
      return withClient(database.adminUrl, async (admin) => {
        await admin.query('begin');
        for (const table of ['log_head', 'call']) await admin.query(`alter table audit.${table} disable trigger all`);
        if (change !== undefined) expect((await admin.query(change)).rowCount).toBe(1);
        const reports: Record<string, RebuildReport> = {};
        for (const tenant of ['acme', 'globex', '_system', 'nobody']) reports[tenant] = await compareRebuilt(rebuilt, new PostgresLogReading(tenant, (text, values) => admin.query(text, [...values])));
        await admin.query('rollback');
        return reports;
      });
    };
    const failed = (report: RebuildReport): string[] => report.properties.filter((property) => property.status === 'FAIL').map((property) => property.property);

    it('is equal, root by root and row by row', async () => {
      const reports = await compare();
      expect(Object.entries(reports).map(([tenant, { verdict }]) => [tenant, verdict])).toEqual([['acme', 'PASS'], ['globex', 'PASS'], ['_system', 'PASS'], ['nobody', 'NO ENTRIES']]);
      for (const report of Object.values(reports)) expect(report.rebuiltRoot).toBe(report.storedRoot);
    });

    it.each([
      ['a root', `update audit.log_head set frontier = set_byte(frontier, 0, get_byte(frontier, 0) # 1) where tenant = 'acme'`, ['root']],
      ['a size', `update audit.log_head set size = size + 1 where tenant = 'acme'`, ['root']],
      ['a row', `update audit.call set actor_user = 'mallory' where tenant = 'acme' and call = 'a-9'`, ['calls']],
      ['a row that is gone', `delete from audit.call where tenant = 'acme' and call = 'a-9'`, ['calls']],
    ])('finds %s that the journal does not make', async (_, change, properties) => {
      expect(failed((await compare(change))['acme']!)).toEqual(properties);
    });
  });
});
