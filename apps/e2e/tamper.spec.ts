import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { withClient } from '#libs/testing';
import { expectProven, settled } from './harness/history.ts';
import { world, type World } from './harness/world.ts';

describe('an administrator of the database changes the log', () => {
  let w: World;
  beforeAll(async () => {
    w = await world();
    await w.installation.start();
    for (let i = 0; i < 5; i++) await w.caller().call('wit__write', { marker: String(i) });
    await settled(w.installation, w.auditorToken);
  }, 90_000);
  afterAll(() => w.close(), 30_000);

  /** As somebody with every right on the server, fences taken down. */
  const asAdministrator = (sql: string): Promise<unknown> => {
    const directory = join(w.installation.data, 'postgres');
    const port = readFileSync(join(directory, 'cluster', 'postmaster.pid'), 'utf8').split('\n')[3];
    const url = `postgres://postgres:${readFileSync(join(directory, 'superuser'), 'utf8').trim()}@127.0.0.1:${port}/holdfast_audit`;
    return withClient(url, (client) => client.query(sql));
  };

  it('is proven before', () => expectProven(w.installation), 30_000);

  it.each([
    ['a value inside an event', `alter table audit.entry disable trigger all; update audit.entry set bytes = convert_to(replace(convert_from(bytes, 'UTF8'), '"allow"', '"maybe"'), 'UTF8') where idx = (select min(idx) from audit.entry where tenant = 'acme' and convert_from(bytes, 'UTF8') like '%"effect":"allow"%') and tenant = 'acme'`],
    ['the outcome in the table of calls', `update audit.call set outcome = 'failed' where tenant = 'acme' and outcome = 'succeeded'`],
    ['the end of the log cut off', `alter table audit.entry disable trigger all; alter table audit.sealed disable trigger all; delete from audit.sealed where tenant = 'acme' and idx >= 12; delete from audit.entry where tenant = 'acme' and idx >= 12`],
  ])('%s: verify says FAIL and ends with 1', async (_name, sql) => {
    await asAdministrator(sql);
    const verify = await w.installation.cli('audit', 'verify', '--json');
    expect(verify.code).toBe(1);
    const report = JSON.parse(verify.stdout) as { verdict: string; properties: { status: string; sentence: string }[] };
    expect(report.verdict).toBe('FAIL');
    expect(report.properties.filter((property) => property.status === 'FAIL').length).toBeGreaterThan(0);
  }, 30_000);
});
