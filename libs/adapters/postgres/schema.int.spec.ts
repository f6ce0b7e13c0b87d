import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { testDatabase, withClient } from '#libs/testing';
import { dumpSchema } from './dump-schema.ts';

const FILE = join(import.meta.dirname, 'schema.sql');

async function dump(): Promise<string> {
  const parts: string[] = ['-- What the migrations make of the two databases, for reading and reviewing; not a script.\n-- Written by schema.int.spec.ts with HOLDFAST_WRITE_SCHEMA=1.\n'];
  for (const kind of ['operational', 'audit'] as const) {
    const database = await testDatabase(kind);
    parts.push(await withClient(database.adminUrl, (client) => dumpSchema(client, `${kind} database`)));
    await database.drop();
  }
  return parts.join('\n');
}

describe('schema.sql', () => {
  it('is what the migrations make (HOLDFAST_WRITE_SCHEMA=1 and run this again after changing them)', async () => {
    const now = await dump();
    if (process.env['HOLDFAST_WRITE_SCHEMA'] === '1') writeFileSync(FILE, now);
    expect(readFileSync(FILE, 'utf8')).toBe(now);
  });

  it.each([
    ['a column', 'alter table audit.entry add column note text'],
    ['a right', 'grant delete on audit.entry to holdfast_reader'],
    ['a right on a column', 'grant update (bytes) on audit.entry to holdfast_projector'],
    ['a trigger switched off', 'alter table audit.entry disable trigger fence'],
    ['a trigger that replica mode passes by', 'alter table audit.entry enable trigger fence'],
    ['row security switched off', 'alter table audit.call disable row level security'],
    ['a wider policy', 'alter policy one_tenant on audit.call using (true)'],
    ['a body', `create or replace function audit.refuse_change() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$ begin return new; end $$`],
    ['a search path', 'alter function audit.refuse_change() reset all'],
    ['an owner', 'alter table audit.entry owner to holdfast_projector'],
    ['an index', 'drop index audit.entry_once'],
    ['a check', 'alter table audit.tile drop constraint tile_hashes_check'],
  ])('shows a changed schema: %s', async (_, sql) => {
    const database = await testDatabase('audit');
    await withClient(database.adminUrl, async (client) => {
      const before = await dumpSchema(client, 'audit');
      await client.query(sql);
      const after = await dumpSchema(client, 'audit');
      expect(after).not.toBe(before);
    });
    await database.drop();
  });
});
