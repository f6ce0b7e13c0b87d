import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { jobBounds, type Jobs, JobsRefusal, type NewJob } from '#libs/ports';
import { jobsAndEndings } from './jobs-endings.ts';
import { failingJobs } from './jobs-failing.ts';
import { jobsOfTheSameId } from './jobs-ids.ts';
import { jobsAndOutages } from './jobs-outages.ts';
import { eventually, gate, type JobsUnderTest, JobsWorld, nothing } from './jobs-world.ts';

export { eventually, type JobProcess, type JobsUnderTest } from './jobs-world.ts';

/** What {@link Jobs} promises, on each of its adapters. */
export function jobsContract(name: string, open: () => Promise<JobsUnderTest>): void {
  describe(`Jobs: ${name}`, () => {
    const world = new JobsWorld(open);

    it('runs a job with what it was added with, and keeps nothing of it', async () => {
      const data = { z: 1, a: ['\0', '\ud800', 'é', 1e21, null], nested: { '': [] } };
      await world.jobs.add(world.job('held:call/1 {x}', { name: 'wake up', data }));
      const [running] = await world.untilRan(world.note(), 1);
      expect([running!.queue, running!.name, running!.id, running!.attempt, running!.signal.aborted]).toEqual([world.queue, 'wake up', 'held:call/1 {x}', 1, false]);
      expect(JSON.stringify(running!.data)).toBe(JSON.stringify(data));
      expect(await world.untilOver()).toEqual(nothing);
    });

    it('runs no job before its time, and one whose time is past at once', async () => {
      const ran: [id: string, at: number][] = [];
      world.jobs.work(world.queue, (running) => Promise.resolve(void ran.push([running.id, Date.now()])), { concurrency: 4 });
      const runAtMs = Date.now() + 1_500;
      await world.jobs.add(world.job('later', { runAtMs }));
      await world.jobs.add(world.job('past', { runAtMs: 1 }));
      await eventually(() => ran, (seen) => seen.length === 2);
      expect(ran.map(([id]) => id)).toEqual(['past', 'later']);
      expect(ran[1]![1]).toBeGreaterThanOrEqual(runAtMs);
    });

    it('runs each of many jobs once, with several workers and no more at a time than these may', async () => {
      const ids = Array.from({ length: 200 }, (_, i) => `many:${i}`);
      const ran: string[] = [];
      const now = new Map<Jobs, number>();
      let most = 0;
      for (const by of [world.jobs, world.connect()]) {
        now.set(by, 0);
        by.work(
          world.queue,
          async ({ id }) => {
            now.set(by, now.get(by)! + 1);
            most = Math.max(most, now.get(by)!);
            await delay(5);
            ran.push(id);
            now.set(by, now.get(by)! - 1);
          },
          { concurrency: 3 },
        );
      }
      await world.jobs.addAll(ids.map((id) => world.job(id)));
      await world.untilOver();
      expect(ran.toSorted()).toEqual(ids.toSorted());
      expect(most).toBe(3);
    });

    it('adds jobs of several queues at once', async () => {
      const other = `${world.queue}-b`;
      await world.jobs.addAll([world.job('a'), world.job('b', { queue: other }), world.job('c'), world.job('a', { data: 'again' })]);
      expect([await world.jobs.counts(world.queue), await world.jobs.counts(other)]).toEqual([{ ...nothing, waiting: 2 }, { ...nothing, waiting: 1 }]);
      await world.jobs.addAll([]);
      const ran = world.note();
      await world.untilRan(ran, 2);
      expect(new Map(ran.map(({ id, data }) => [id, data]))).toEqual(
        new Map([
          ['a', { id: 'a' }],
          ['c', { id: 'c' }],
        ]),
      );
      expect(await world.jobs.remove(other, 'b')).toBe(true);
    });

    it('takes back a job that waits, and no other', async () => {
      await world.jobs.add(world.job('waits', { runAtMs: Date.now() + 60_000 }));
      await world.jobs.add(world.job('due'));
      expect([await world.jobs.remove(world.queue, 'waits'), await world.jobs.remove(world.queue, 'due'), await world.jobs.remove(world.queue, 'waits'), await world.jobs.remove(world.queue, 'never was')]).toEqual([true, true, false, false]);
      expect(await world.jobs.counts(world.queue)).toEqual(nothing);
      const hold = gate();
      let runs = 0;
      world.jobs.work(world.queue, () => (runs++, hold.opened), { concurrency: 1 });
      await world.jobs.add(world.job('runs'));
      await eventually(() => runs, (count) => count === 1);
      expect(await world.jobs.remove(world.queue, 'runs')).toBe(false);
      hold.open();
      expect(await world.untilOver()).toEqual(nothing);
      expect(runs).toBe(1);
    });

    it.each<[string, Partial<NewJob>]>([
      ['a queue with a colon', { queue: 'a:b' }],
      ['a queue without a name', { queue: '' }],
      ['an id that is too long', { id: 'x'.repeat(jobBounds.idLength + 1) }],
      ['an id with a line break', { id: 'a\nb' }],
      ['no id', { id: '' }],
      ['no name', { name: '' }],
      ['data that is too long', { data: 'é'.repeat(jobBounds.dataBytes / 2) }],
      ['data that is not JSON', { data: undefined }],
      ['no attempts', { attempts: 0 }],
      ['too many attempts', { attempts: jobBounds.attempts + 1 }],
      ['a time too far ahead', { runAtMs: Date.now() + jobBounds.aheadMs + 60_000 }],
      ['a time that is none', { runAtMs: Number.NaN }],
      ['a backoff that is too long', { backoffMs: jobBounds.backoffMs + 1 }],
    ])('refuses %s, and stores nothing', async (_, wrong) => {
      await expect(world.jobs.add(world.job('wrong', wrong))).rejects.toThrow(JobsRefusal);
      await expect(world.jobs.addAll([world.job('right'), world.job('wrong', wrong)])).rejects.toThrow(JobsRefusal);
      expect(await world.jobs.counts(world.queue)).toEqual(nothing);
    });

    it('refuses to work beyond its bounds', async () => {
      expect(() => world.jobs.work(world.queue, () => Promise.resolve(), { concurrency: jobBounds.concurrency + 1 })).toThrow(JobsRefusal);
      await expect(world.jobs.dead(world.queue, { limit: jobBounds.deadPage + 1 })).rejects.toThrow(JobsRefusal);
      await expect(world.jobs.addAll(Array.from({ length: jobBounds.jobsAtOnce + 1 }, () => world.job('x')))).rejects.toThrow(JobsRefusal);
    });

    // Not last: timers of a client that was cut off may need some seconds to end, and the test runner wants to go.
    jobsAndOutages(world);
    jobsOfTheSameId(world);
    failingJobs(world);
    jobsAndEndings(world);
  });
}
