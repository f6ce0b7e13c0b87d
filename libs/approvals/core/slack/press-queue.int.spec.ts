import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { BullmqJobs, migrateJobs } from '#libs/adapters/bullmq';
import { testDatabase, type TestDatabase } from '#libs/testing';
import type { SlackWork } from './slack-desk.ts';
import { PressQueue } from './press-queue.ts';

let database: TestDatabase;
let jobs: BullmqJobs;
beforeAll(async () => {
  database = await testDatabase('operational');
  await migrateJobs({ adminUrl: database.adminUrl, role: 'holdfast_app' });
  jobs = BullmqJobs.onPostgres({ url: database.url('holdfast_app'), onTrouble: () => undefined });
});
afterAll(async () => {
  await jobs.close();
  await database.drop();
});

it('presses are done as jobs, each of them, and again when something was away', async () => {
  let id = 0;
  const queue = new PressQueue(jobs, () => `press-${++id}`);
  const work: SlackWork = { tenant: 'acme', user: 'U0GRACE', trigger: '1.2.a', channel: null, handle: 'h' };
  const done: SlackWork[] = [];
  await queue.later(work);
  await queue.later(work);
  await new Promise<void>((resolve) => {
    let failed = false;
    queue.work(async (press) => {
      if (!failed) {
        failed = true;
        throw new Error('away');
      }
      done.push(press);
      if (done.length === 2) resolve();
    });
  });
  expect(done).toEqual([work, work]);
});
