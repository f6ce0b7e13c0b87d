import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { batch, journalContract, read } from '../../../testing/contract-suites/journal.contract.ts';
import { createPool } from '../pool.ts';
import { PostgresJournal } from './postgres-journal.ts';

async function open(database: TestDatabase): Promise<{ journal: PostgresJournal; pool: pg.Pool; close(): Promise<void> }> {
  const url = database.url('holdfast_app');
  const pool = createPool({ url, application: 'journal-test', max: 4 });
  const journal = new PostgresJournal(pool, url);
  return { journal, pool, close: async () => (await journal.close(), await pool.end()) };
}

journalContract('embedded PostgreSQL', async () => {
  const database = await testDatabase('operational');
  const { journal, close } = await open(database);
  return { journal, close: async () => (await close(), await database.drop()) };
});

describe('embedded journal under attack and crash', () => {
  let database: TestDatabase;
  let admin: pg.Client;
  beforeAll(async () => {
    database = await testDatabase('operational');
    admin = new pg.Client({ connectionString: database.adminUrl });
    admin.on('error', () => undefined);
    await admin.connect();
  });
  afterAll(async () => {
    await admin.end();
    await database.drop();
  });

  it.each([
    `insert into journal.record values (0, 'acme', 0, 'x', null)`,
    `update journal.record set event = 'x'`,
    `delete from journal.record`,
    `truncate journal.record`,
    `update journal.head set next = 0`,
    `delete from journal.producer`,
    `drop table journal.record`,
    `alter table journal.record disable trigger all`,
    `set session_replication_role = replica`,
  ])('refuses the application role: %s', async (sql) => {
    const client = new pg.Client({ connectionString: database.url('holdfast_app') });
    await client.connect();
    await expect(client.query(sql)).rejects.toThrow(/permission denied|must be owner/);
    await client.end();
  });

  it('refuses to change a record even to its owner with triggers bypassed by replica mode', async () => {
    const { journal, close } = await open(database);
    await journal.append(batch(randomUUID(), 1, ['acme', 'kept']));
    await close();
    await admin.query('set session_replication_role = replica');
    await expect(admin.query(`update journal.record set event = 'forged'`)).rejects.toThrow('never changed or removed');
    await expect(admin.query('delete from journal.record')).rejects.toThrow('never changed or removed');
    await expect(admin.query('truncate journal.record')).rejects.toThrow('never changed or removed');
    await admin.query('reset session_replication_role');
  });

  it('a backend killed between any two statements of an append leaves all of the batch or nothing, and the retry makes it once', async () => {
    const { journal, close } = await open(database);
    const [source] = await journal.sources();
    const begin = await journal.end(source!);
    // Another transaction holds the head row, so that the append stands still in the middle; its backend is then killed.
    const statements = [
      'select from journal.head for update', // before the head
      'lock table journal.producer in access exclusive mode', // after the head, before the producer
      'lock table journal.record in access exclusive mode', // before the records
    ];
    let sent = 0;
    for (const hold of statements) {
      const blocker = new pg.Client({ connectionString: database.adminUrl });
      await blocker.connect();
      await blocker.query('begin');
      await blocker.query(hold);
      const victim = await open(database);
      const lost = batch(randomUUID(), 1, ['acme', `a${sent}`], ['acme', `b${sent}`]);
      const appending = victim.journal.append(lost).then(
        () => 'acknowledged',
        () => 'unknown',
      );
      let killed = 0;
      while (killed === 0) {
        killed = (await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%journal.append%'`)).rowCount ?? 0;
      }
      expect(await appending).toBe('unknown');
      await blocker.query('rollback');
      await blocker.end();
      expect(await journal.end(source!)).toBe(begin + BigInt(sent * 2));
      await victim.journal.append(lost);
      await victim.journal.append(lost);
      sent++;
      expect(await journal.end(source!)).toBe(begin + BigInt(sent * 2));
      await victim.close();
    }
    const seen = await read(journal, begin, sent * 2);
    expect(seen.map((entry) => Buffer.from(entry.event).toString())).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2']);
    await close();
  });

  it('an append that commits late is never skipped by a follower that has seen what came before it', async () => {
    const { journal, close } = await open(database);
    const [source] = await journal.sources();
    const begin = await journal.end(source!);
    const slow = new pg.Client({ connectionString: database.adminUrl });
    await slow.connect();
    await slow.query('begin');
    await slow.query(`select journal.append('${randomUUID()}', 1, array['acme'], 'early', array[5], '', array[0])`);
    const reading = read(journal, begin, 2);
    const second = journal.append(batch(randomUUID(), 1, ['acme', 'later']));
    await slow.query('commit');
    await second;
    await slow.end();
    expect((await reading).map((entry) => Buffer.from(entry.event).toString())).toEqual(['early', 'later']);
    await close();
  });

  it('says which position is missing when somebody with all rights removed a record', async () => {
    const { journal, close } = await open(database);
    const [source] = await journal.sources();
    const begin = await journal.end(source!);
    await journal.append(batch(randomUUID(), 1, ['acme', 'one'], ['acme', 'two'], ['acme', 'three']));
    await admin.query('alter table journal.record disable trigger all');
    await admin.query('delete from journal.record where position = $1', [String(begin + 1n)]);
    await admin.query('alter table journal.record enable always trigger fence, enable always trigger fence_truncate');
    await expect(read(journal, begin, 3)).rejects.toThrow(`position ${begin + 1n} is missing`);
    await close();
  });
});
