import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { jobBounds, JobHopeless, JobPostponed } from '#libs/ports';
import { eventually, type JobsWorld, nothing } from './jobs-world.ts';

export function failingJobs(world: JobsWorld): void {
  describe('that fail', () => {
    it('are tried again until they do not', async () => {
      const seen: number[] = [];
      world.jobs.work(
        world.queue,
        async ({ attempt }) => {
          seen.push(attempt);
          if (attempt < 4) throw new Error('not yet');
          await Promise.resolve();
        },
        { concurrency: 1 },
      );
      await world.jobs.add(world.job('flaky', { attempts: 4 }));
      expect(await world.untilOver()).toEqual(nothing);
      expect(seen).toEqual([1, 2, 3, 4]);
    });

    it('as often as they may are dead, can be looked at and be tried again', async () => {
      const before = Date.now();
      let well = false;
      const seen: number[] = [];
      world.jobs.work(
        world.queue,
        async ({ attempt }) => {
          seen.push(attempt);
          if (!well) throw new Error(`\0 ${'long '.repeat(500)}`);
          await Promise.resolve();
        },
        { concurrency: 1 },
      );
      await world.jobs.add(world.job('bad:1', { attempts: 2, data: { of: 'it' } }));
      const [dead] = await world.untilDead(1);
      expect(dead).toMatchObject({ queue: world.queue, name: 'test', id: 'bad:1', data: { of: 'it' }, attempts: 2 });
      expect(dead!.lastError).toHaveLength(jobBounds.errorLength);
      expect(dead!.lastError.startsWith('\uFFFD long long')).toBe(true);
      expect(dead!.failedAtMs).toBeGreaterThanOrEqual(before);
      expect(await world.jobs.counts(world.queue)).toEqual({ ...nothing, dead: 1 });

      // It does not stand in the way of the next one of its id.
      await world.jobs.add(world.job('bad:1', { attempts: 1 }));
      expect((await world.untilDead(2)).map(({ id, attempts }) => [id, attempts])).toEqual([
        ['bad:1', 1],
        ['bad:1', 2],
      ]);

      well = true;
      expect(await world.jobs.retryDead(world.queue, dead!.key)).toBe(true);
      expect(await world.jobs.retryDead(world.queue, dead!.key)).toBe(false);
      expect(await world.jobs.retryDead(world.queue, randomUUID())).toBe(false);
      expect(await world.untilOver()).toEqual({ ...nothing, dead: 1 });
      expect(seen).toEqual([1, 2, 1, 1]);
    });

    it('for a reason that stays are dead at once', async () => {
      world.jobs.work(world.queue, () => Promise.reject(new JobHopeless('nobody has this address')), { concurrency: 1 });
      await world.jobs.add(world.job('hopeless', { attempts: 10 }));
      const [dead] = await world.untilDead(1);
      expect([dead!.lastError, dead!.attempts]).toEqual(['nobody has this address', 1]);
    });

    it('with something that is no error fail all the same', async () => {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- that is the point
      world.jobs.work(world.queue, () => Promise.reject('a mere text'), { concurrency: 1 });
      await world.jobs.add(world.job('odd', { attempts: 1 }));
      expect((await world.untilDead(1))[0]!.lastError).toBe('a mere text');
    });

    it('are listed page by page, the latest first', async () => {
      world.jobs.work(world.queue, ({ id }) => Promise.reject(new JobHopeless(id)), { concurrency: 1 });
      for (const id of ['1', '2', '3', '4', '5']) {
        await world.jobs.add(world.job(id));
        await world.untilDead(Number(id));
      }
      const ids: string[][] = [];
      for (let after: string | undefined; ; ) {
        const page = await world.jobs.dead(world.queue, { limit: 2, ...(after === undefined ? {} : { after }) });
        if (page.length === 0) break;
        ids.push(page.map(({ id }) => id));
        after = page.at(-1)!.key;
      }
      expect(ids).toEqual([['5', '4'], ['3', '2'], ['1']]);
    });

    it('not at all but come back later cost no attempt', async () => {
      const seen: number[] = [];
      world.jobs.work(
        world.queue,
        async ({ attempt }) => {
          seen.push(attempt);
          if (seen.length < 4) throw new JobPostponed(100);
          await Promise.resolve();
        },
        { concurrency: 1 },
      );
      await world.jobs.add(world.job('limited', { attempts: 1 }));
      await eventually(() => seen, () => seen.length === 4);
      expect(await world.untilOver()).toEqual(nothing);
      expect(seen).toEqual([1, 1, 1, 1]);
    });

    it('by being postponed do not come back before that', async () => {
      const at: number[] = [];
      world.jobs.work(
        world.queue,
        async () => {
          at.push(Date.now());
          if (at.length === 1) throw new JobPostponed(1_200);
          await Promise.resolve();
        },
        { concurrency: 1 },
      );
      await world.jobs.add(world.job('limited'));
      await eventually(() => at, () => at.length === 2);
      expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(1_200);
    });
  });
}
