import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testDatabase, type TestDatabase, withClient } from '#libs/testing';
import { eventually, jobsContract } from '../../testing/contract-suites/jobs.contract.ts';
import { BullmqJobs } from './bullmq-jobs.ts';
import { migrateJobs } from './migrate-jobs.ts';
import { startJobProcess } from './spec/start-job-process.ts';

const ROLE = 'holdfast_app';
const cutAll = `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()`;

jobsContract('BullMQ on PostgreSQL', async () => {
  const database = await testDatabase('operational');
  await migrateJobs({ adminUrl: database.adminUrl, role: ROLE });
  const url = database.url(ROLE);
  // Of the server, not of this database, which is about to let nobody in.
  const server = new URL(database.adminUrl);
  server.pathname = '/postgres';
  const ask = (sql: string, values: unknown[] = []) => withClient(server.href, (client) => client.query<{ count: string }>(sql, values));
  return {
    connect: () => BullmqJobs.onPostgres({ url, takeOverAfterMs: 2_000, closeWithinMs: 3_000, answerWithinMs: 3_000, onTrouble: () => undefined }),
    start: startJobProcess('postgres', url),
    cut: async () => void (await ask(cutAll, [database.name])),
    away: async () => {
      await ask(`alter database ${database.name} allow_connections false`);
      await ask(cutAll, [database.name]);
    },
    back: async () => void (await ask(`alter database ${database.name} allow_connections true`)),
    connections: async () => Number((await ask(`select count(*) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()`, [database.name])).rows[0]!.count),
    close: () => database.drop(),
  };
});

describe('a connection that ends while a job is marked as done', () => {
  it('does not make it a failed one', async () => {
    const database = await testDatabase('operational');
    await migrateJobs({ adminUrl: database.adminUrl, role: ROLE });
    const jobs = BullmqJobs.onPostgres({ url: database.url(ROLE), onTrouble: () => undefined });
    await withClient(database.adminUrl, async (blocker) => {
      let runs = 0;
      jobs.work(
        'q',
        async () => {
          runs++;
          await blocker.query('begin');
          await blocker.query('select from jobs.job for update');
        },
        { concurrency: 1 },
      );
      await jobs.add({ queue: 'q', name: 'n', id: '1', data: null, attempts: 1 });
      await withClient(database.adminUrl, async (admin) => {
        let killed = 0;
        while (killed === 0) {
          killed = (await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%move_to_completed%'`)).rowCount ?? 0;
        }
      });
      await blocker.query('rollback');
      const over = await eventually(() => jobs.counts('q'), ({ running }) => running === 0);
      expect([over, runs]).toEqual([{ waiting: 0, delayed: 0, running: 0, dead: 0 }, 1]);
    });
    await jobs.close();
    await database.drop();
  });
});

describe('the schema of the jobs', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase('operational');
    await Promise.all([1, 2, 3].map(() => migrateJobs({ adminUrl: database.adminUrl, role: ROLE })));
  });
  afterAll(() => database.drop());

  it.each([
    'create table jobs.mine (id int)',
    'create function jobs.mine() returns int language sql as $$ select 1 $$',
    'drop table jobs.job',
    'alter table jobs.job disable trigger all',
    'truncate jobs.job',
    'create or replace function jobs.pause(p_queue text, p_paused boolean) returns void language sql as $$ select null::void $$',
    `insert into jobs.migration (version, name, min_client_version) values (999, 'x', 999)`,
    'drop schema jobs cascade',
  ])('lets the application define nothing there: %s', async (sql) => {
    await withClient(database.url(ROLE), (client) => expect(client.query(sql)).rejects.toThrow(/permission denied|must be owner/));
  });

  it('lets other roles not even look', async () => {
    for (const sql of ['select * from jobs.job', `select jobs.next_delay('x')`]) {
      await withClient(database.url('holdfast_follower'), (client) => expect(client.query(sql)).rejects.toThrow('permission denied'));
    }
  });

  it('says so when it was not made', async () => {
    const empty = await testDatabase('operational');
    const jobs = BullmqJobs.onPostgres({ url: empty.url(ROLE), onTrouble: () => undefined });
    await expect(jobs.add({ queue: 'q', name: 'n', id: '1', data: null })).rejects.toThrow('not initialized');
    // And works as soon as it is.
    await migrateJobs({ adminUrl: empty.adminUrl, role: ROLE });
    await jobs.add({ queue: 'q', name: 'n', id: '1', data: null });
    expect((await jobs.counts('q')).waiting).toBe(1);
    await jobs.close();
    await empty.drop();
  });
});
