import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { eventually, gate, type JobsWorld, nothing } from './jobs-world.ts';

export function jobsOfTheSameId(world: JobsWorld): void {
  describe('of the same id', () => {
    it('are one while it waits for its time, which stays', async () => {
      const runAtMs = Date.now() + 1_000;
      await world.jobs.add(world.job('same:1', { data: 'first', runAtMs }));
      await world.connect().add(world.job('same:1', { data: 'second' }));
      await world.jobs.add(world.job('same:1', { data: 'third', runAtMs: runAtMs + 600_000 }));
      expect(await world.jobs.counts(world.queue)).toEqual({ ...nothing, delayed: 1 });
      const ran = world.note();
      await world.untilRan(ran, 1);
      expect(Date.now()).toBeGreaterThanOrEqual(runAtMs);
      expect(await world.untilOver()).toEqual(nothing);
      expect(ran.map(({ data }) => data)).toEqual(['first']);
    });

    it('are one while it waits for its next attempt', async () => {
      const seen: unknown[] = [];
      world.jobs.work(
        world.queue,
        async ({ data, attempt }) => {
          seen.push([data, attempt]);
          if (attempt === 1) throw new Error('not yet');
          await Promise.resolve();
        },
        { concurrency: 4 },
      );
      await world.jobs.add(world.job('same', { data: 'first', backoffMs: 3_000 }));
      await eventually(() => world.jobs.counts(world.queue), ({ delayed }) => delayed === 1);
      await world.jobs.add(world.job('same', { data: 'second' }));
      expect(await world.untilOver()).toEqual(nothing);
      expect(seen).toEqual([
        ['first', 1],
        ['first', 2],
      ]);
    });

    it('are new jobs once it is done', async () => {
      const ran = world.note();
      for (const data of [1, 2, 3]) {
        await world.jobs.add(world.job('same', { data }));
        await world.untilRan(ran, data);
        await world.untilOver();
      }
      expect(ran.map(({ data }) => data)).toEqual([1, 2, 3]);
    });

    it('are run once more, the last of them, when they were added while it ran; never two at once', async () => {
      const [hold, another] = [gate(), world.connect()];
      let [now, most] = [0, 0];
      const ran: unknown[] = [];
      for (const by of [world.jobs, another]) {
        by.work(
          world.queue,
          async ({ data }) => {
            most = Math.max(most, ++now);
            ran.push(data);
            if (data === 'first') await hold.opened;
            now--;
          },
          { concurrency: 4 },
        );
      }
      await world.jobs.add(world.job('same', { data: 'first' }));
      await eventually(() => ran, (seen) => seen.length === 1);
      await world.jobs.add(world.job('same', { data: 'second' }));
      await another.addAll([world.job('same', { data: 'third' })]);
      await delay(300);
      expect(ran).toEqual(['first']);
      hold.open();
      await eventually(() => ran, (seen) => seen.length >= 2);
      expect(await world.untilOver()).toEqual(nothing);
      expect([ran, most]).toEqual([['first', 'third'], 1]);
    });

    it('may be added by its own handler, for later', async () => {
      const ran: [data: unknown, at: number][] = [];
      world.jobs.work(
        world.queue,
        async ({ data }) => {
          ran.push([data, Date.now()]);
          if (ran.length < 3) await world.jobs.add(world.job('every', { data: ran.length, runAtMs: Date.now() + 400 }));
        },
        { concurrency: 4 },
      );
      await world.jobs.add(world.job('every', { data: 0 }));
      await eventually(() => ran, (seen) => seen.length === 3);
      expect(await world.untilOver()).toEqual(nothing);
      expect(ran.map(([data]) => data)).toEqual([0, 1, 2]);
      expect(ran[2]![1] - ran[0]![1]).toBeGreaterThanOrEqual(800);
    });
  });
}
