import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { JobsUnavailable, type RunningJob } from '#libs/ports';
import { eventually, type JobsWorld, nothing } from './jobs-world.ts';

export function jobsAndOutages(world: JobsWorld): void {
  describe('when the store is lost', () => {
    it('goes on after connections ended, again and again', async () => {
      const ids = Array.from({ length: 60 }, (_, i) => `through:${i}`);
      const ran = new Set<string>();
      world.jobs.work(
        world.queue,
        async ({ id }) => {
          await delay(20);
          ran.add(id);
        },
        { concurrency: 2 },
      );
      await world.jobs.addAll(ids.map((id) => world.job(id)));
      for (let round = 1; round <= 4; round++) {
        await eventually(() => ran, ({ size }) => size >= round * 10);
        await world.under.cut();
      }
      await eventually(() => ran, ({ size }) => size === ids.length);
      expect(ran.size).toBe(ids.length);
      await delay(500);
      await world.under.cut();
      await eventually(() => world.jobs.add(world.job('idle')).then(() => true, () => false), (added) => added);
      await eventually(() => ran, (seen) => seen.has('idle'));
      expect(ran).toContain('idle');
      const end = await world.untilOver();
      expect(end).toEqual(nothing);
    });

    it('does not call a job failed that was done when the connection ended', async () => {
      let runs = 0;
      world.jobs.work(
        world.queue,
        async () => {
          runs++;
          await world.under.cut();
        },
        { concurrency: 1 },
      );
      await world.jobs.add(world.job('done', { attempts: 1 }));
      await eventually(() => runs, (count) => count > 0);
      const end = await world.untilOver();
      expect(end).toEqual(nothing);
    });

    it('rejects jobs at once, and works again by itself when it is back', async () => {
      const before = world.note();
      await world.jobs.add(world.job('warm'));
      await world.untilRan(before, 1);
      await world.jobs.add(world.job('kept', { runAtMs: Date.now() + 1_500 }));
      const newcomer = world.connect();
      let asked: Promise<unknown> = Promise.resolve();
      await world.under.away();
      try {
        await expect(world.jobs.add(world.job('lost'))).rejects.toThrow(JobsUnavailable);
        await expect(newcomer.add(world.job('lost'))).rejects.toThrow(JobsUnavailable);
        newcomer.work(`${world.queue}-b`, ({ id }) => Promise.resolve(void before.push({ id } as RunningJob)), { concurrency: 1 });
        asked = world.jobs.counts(world.queue).catch(() => undefined);
        await delay(2_500);
      } finally {
        await world.under.back();
      }
      await asked;
      await world.untilRan(before, 2);
      expect(before.map(({ id }) => id)).toEqual(['warm', 'kept']);
      for (const [by, id] of [
        [world.jobs, 'of old'],
        [newcomer, 'of new'],
      ] as const) {
        const added = await eventually(() => by.add(world.job(id, { queue: by === world.jobs ? world.queue : `${world.queue}-b` })).then(() => true, () => false), (yes) => yes);
        expect(added).toBe(true);
      }
      await world.untilRan(before, 4);
      expect(before.map(({ id }) => id).toSorted()).toEqual(['kept', 'of new', 'of old', 'warm']);
    });

    it('closes while it is away, with a worker that ran and one that never could', async () => {
      const ran = world.note();
      await world.jobs.add(world.job('warm'));
      await world.untilRan(ran, 1);
      const newcomer = world.connect();
      await world.under.away();
      try {
        world.note(newcomer);
        await delay(500);
        await Promise.all([world.jobs.close(), newcomer.close()]);
      } finally {
        await world.under.back();
      }
      await expect(world.jobs.add(world.job('late'))).rejects.toThrow(JobsUnavailable);
    });
  });
}
