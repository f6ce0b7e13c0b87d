import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { JobsUnavailable, type RunningJob } from '#libs/ports';
import { eventually, gate, type JobsWorld, nothing } from './jobs-world.ts';

export function jobsAndEndings(world: JobsWorld): void {
  describe('when a process ends', () => {
    it('runs again what a killed process was running', async () => {
      const holder = world.start('hold', 'unused');
      await world.jobs.add(world.job('held:1'));
      await eventually(() => holder.said, (said) => said.includes('holds held:1'));
      const ran = world.note();
      await delay(500);
      expect(ran).toEqual([]);
      await holder.kill();
      await world.untilRan(ran, 1);
      expect(ran.map(({ id, attempt }) => [id, attempt])).toEqual([['held:1', 1]]);
      expect(await world.untilOver()).toEqual(nothing);
    });

    it('runs elsewhere what a process held that stood still, and tells it so when it goes on', async () => {
      const holder = world.start('hold', 'unused');
      await world.jobs.add(world.job('held:2', { attempts: 1 }));
      await eventually(() => holder.said, (said) => said.includes('holds held:2'));
      const hold = gate();
      const ran: RunningJob[] = [];
      world.jobs.work(world.queue, (running) => (ran.push(running), hold.opened), { concurrency: 1 });
      holder.freeze();
      await world.untilRan(ran, 1);
      holder.thaw();
      await eventually(() => holder.said, (said) => said.includes('lost held:2'));
      expect(holder.said).toEqual(['holds held:2', 'lost held:2']);
      expect(ran.map(({ signal }) => signal.aborted)).toEqual([false]);
      hold.open();
      expect(await world.untilOver()).toEqual(nothing);
      expect(ran).toHaveLength(1);
    });

    it('runs what a process added that died at once', async () => {
      const ran = world.note();
      const adder = world.start('add', 'left:1');
      await adder.gone;
      expect(adder.said).toEqual(['added']);
      expect((await world.untilRan(ran, 1)).map(({ id, name }) => [id, name])).toEqual([['left:1', 'from-elsewhere']]);
    });
  });

  describe('when it closes', () => {
    it('waits for the running jobs, and takes no other', async () => {
      const hold = gate();
      const ran: string[] = [];
      const worker = world.jobs.work(
        world.queue,
        async ({ id }) => {
          ran.push(id);
          await hold.opened;
          ran.push(`${id} over`);
        },
        { concurrency: 1 },
      );
      await world.jobs.addAll([world.job('a'), world.job('b')]);
      await eventually(() => ran, (seen) => seen.length === 1);
      const closed = worker.close().then(() => ran.push('closed'));
      await delay(200);
      hold.open();
      await closed;
      const first = ran[0]!;
      expect(ran).toEqual([first, `${first} over`, 'closed']);
      expect(await world.jobs.counts(world.queue)).toEqual({ ...nothing, waiting: 1 });
    });

    it('gives up a job that does not end, tells it so, and lets another worker run it', async () => {
      const begun: RunningJob[] = [];
      const [another, never] = [world.connect(), gate()];
      another.work(world.queue, (running) => (begun.push(running), never.opened), { concurrency: 1 });
      await world.jobs.add(world.job('endless', { attempts: 1 }));
      await world.untilRan(begun, 1);
      await another.close();
      expect(begun[0]!.signal.aborted).toBe(true);
      const ran = world.note();
      await world.untilRan(ran, 1);
      never.open();
      expect(await world.untilOver()).toEqual(nothing);
      expect(ran.map(({ id, attempt }) => [id, attempt])).toEqual([['endless', 1]]);
    });

    it('is of no use any more', async () => {
      await world.jobs.close();
      await world.jobs.close();
      await expect(world.jobs.add(world.job('late'))).rejects.toThrow(JobsUnavailable);
      expect(() => world.jobs.work(world.queue, () => Promise.resolve(), { concurrency: 1 })).toThrow(JobsUnavailable);
    });
  });
}
