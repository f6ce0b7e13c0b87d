import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type DeadJob, jobBounds, type JobCounts, JobHopeless, JobPostponed, type Jobs, JobsRefusal, JobsUnavailable, type NewJob, type RunningJob } from '#libs/ports';

/** Another process that uses the same jobs. */
export interface JobProcess {
  readonly said: readonly string[];
  readonly gone: Promise<void>;
  kill(): Promise<void>;
}

export interface JobsUnderTest {
  /** As another process would see the jobs. It takes over from one that died after some seconds, and closes within a few. */
  connect(): Jobs;
  /** `hold` says `holds <id>` when it runs a job, and never finishes it; `add` adds the job, says `added` and dies. */
  start(does: 'hold' | 'add', queue: string, id: string): JobProcess;
  /** Ends every connection there is, once. */
  cut(): Promise<void>;
  /** Makes the store refuse everybody, with every connection ended, until `back`. */
  away(): Promise<void>;
  back(): Promise<void>;
  /** How many connections of ours the store sees. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

const PATIENCE_MS = 45_000;

export async function eventually<T>(look: () => T | Promise<T>, until: (seen: T) => boolean): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (until(seen) || performance.now() > end) return seen;
    await delay(20);
  }
}

/** A promise that the test resolves. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** What {@link Jobs} promises, on each of its adapters. */
export function jobsContract(name: string, open: () => Promise<JobsUnderTest>): void {
  describe(`Jobs: ${name}`, () => {
    let under: JobsUnderTest;
    let jobs: Jobs;
    let queue: string;
    const opened: Jobs[] = [];
    const processes: JobProcess[] = [];

    const connect = (): Jobs => {
      const another = under.connect();
      opened.push(another);
      return another;
    };
    const start = (does: 'hold' | 'add', id: string): JobProcess => {
      const started = under.start(does, queue, id);
      processes.push(started);
      return started;
    };
    const job = (id: string, more: Partial<NewJob> = {}): NewJob => ({ queue, name: 'test', id, data: { id }, backoffMs: 20, ...more });
    /** Works on the queue and notes what ran. */
    const note = (by: Jobs = jobs): RunningJob[] => {
      const ran: RunningJob[] = [];
      by.work(queue, (running) => Promise.resolve(void ran.push(running)), { concurrency: 4 });
      return ran;
    };
    const untilRan = (ran: readonly RunningJob[], count: number): Promise<readonly RunningJob[]> => eventually(() => ran, (seen) => seen.length >= count);
    const untilDead = (count: number): Promise<readonly DeadJob[]> => eventually(() => jobs.dead(queue, { limit: 100 }), (dead) => dead.length >= count);
    const untilOver = (): Promise<JobCounts> => eventually(() => jobs.counts(queue), (counts) => counts.waiting + counts.delayed + counts.running === 0);
    const nothing: JobCounts = { waiting: 0, delayed: 0, running: 0, dead: 0 };

    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under.close());
    beforeEach(() => {
      queue = `q-${randomUUID().slice(0, 8)}`;
      jobs = connect();
    });
    afterEach(async () => {
      await Promise.all(processes.splice(0).map((started) => started.kill()));
      await Promise.all(opened.splice(0).map((one) => one.close()));
      expect(await eventually(() => under.connections(), (count) => count === 0)).toBe(0);
    });

    it('runs a job with what it was added with, and keeps nothing of it', async () => {
      const data = { z: 1, a: ['\0', '\ud800', 'é', 1e21, null], nested: { '': [] } };
      await jobs.add(job('held:call/1 {x}', { name: 'wake up', data }));
      const [running] = await untilRan(note(), 1);
      expect([running!.queue, running!.name, running!.id, running!.attempt, running!.signal.aborted]).toEqual([queue, 'wake up', 'held:call/1 {x}', 1, false]);
      expect(JSON.stringify(running!.data)).toBe(JSON.stringify(data));
      expect(await untilOver()).toEqual(nothing);
    });

    it('runs no job before its time, and one whose time is past at once', async () => {
      const ran: [id: string, at: number][] = [];
      jobs.work(queue, (running) => Promise.resolve(void ran.push([running.id, Date.now()])), { concurrency: 4 });
      const runAtMs = Date.now() + 1_500;
      await jobs.add(job('later', { runAtMs }));
      await jobs.add(job('past', { runAtMs: 1 }));
      await eventually(() => ran, (seen) => seen.length === 2);
      expect(ran.map(([id]) => id)).toEqual(['past', 'later']);
      expect(ran[1]![1]).toBeGreaterThanOrEqual(runAtMs);
    });

    it('runs each of many jobs once, with several workers and no more at a time than these may', async () => {
      const ids = Array.from({ length: 200 }, (_, i) => `many:${i}`);
      const ran: string[] = [];
      const now = new Map<Jobs, number>();
      let most = 0;
      for (const by of [jobs, connect()]) {
        now.set(by, 0);
        by.work(
          queue,
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
      await jobs.addAll(ids.map((id) => job(id)));
      await untilOver();
      expect(ran.toSorted()).toEqual(ids.toSorted());
      expect(most).toBe(3);
    });

    it('adds jobs of several queues at once', async () => {
      const other = `${queue}-b`;
      await jobs.addAll([job('a'), job('b', { queue: other }), job('c'), job('a', { data: 'again' })]);
      expect([await jobs.counts(queue), await jobs.counts(other)]).toEqual([{ ...nothing, waiting: 2 }, { ...nothing, waiting: 1 }]);
      await jobs.addAll([]);
      const ran = note();
      await untilRan(ran, 2);
      expect(ran.map(({ id, data }) => [id, data]).toSorted()).toEqual([
        ['a', { id: 'a' }],
        ['c', { id: 'c' }],
      ]);
      expect(await jobs.remove(other, 'b')).toBe(true);
    });

    describe('of the same id', () => {
      it('are one while it waits for its time, which stays', async () => {
        const runAtMs = Date.now() + 1_000;
        await jobs.add(job('same:1', { data: 'first', runAtMs }));
        await connect().add(job('same:1', { data: 'second' }));
        await jobs.add(job('same:1', { data: 'third', runAtMs: runAtMs + 600_000 }));
        expect(await jobs.counts(queue)).toEqual({ ...nothing, delayed: 1 });
        const ran = note();
        await untilRan(ran, 1);
        expect(Date.now()).toBeGreaterThanOrEqual(runAtMs);
        expect(await untilOver()).toEqual(nothing);
        expect(ran.map(({ data }) => data)).toEqual(['first']);
      });

      it('are one while it waits for its next attempt', async () => {
        const seen: unknown[] = [];
        jobs.work(
          queue,
          async ({ data, attempt }) => {
            seen.push([data, attempt]);
            if (attempt === 1) throw new Error('not yet');
            await Promise.resolve();
          },
          { concurrency: 4 },
        );
        await jobs.add(job('same', { data: 'first', backoffMs: 3_000 }));
        await eventually(() => jobs.counts(queue), ({ delayed }) => delayed === 1);
        await jobs.add(job('same', { data: 'second' }));
        expect(await untilOver()).toEqual(nothing);
        expect(seen).toEqual([
          ['first', 1],
          ['first', 2],
        ]);
      });

      it('are new jobs once it is done', async () => {
        const ran = note();
        for (const data of [1, 2, 3]) {
          await jobs.add(job('same', { data }));
          await untilRan(ran, data);
          await untilOver();
        }
        expect(ran.map(({ data }) => data)).toEqual([1, 2, 3]);
      });

      it('are run once more, the last of them, when they were added while it ran; never two at once', async () => {
        const [hold, another] = [gate(), connect()];
        let now = 0;
        const ran: unknown[] = [];
        for (const by of [jobs, another]) {
          by.work(
            queue,
            async ({ data }) => {
              expect(++now).toBe(1);
              ran.push(data);
              if (data === 'first') await hold.opened;
              now--;
            },
            { concurrency: 4 },
          );
        }
        await jobs.add(job('same', { data: 'first' }));
        await eventually(() => ran, (seen) => seen.length === 1);
        await jobs.add(job('same', { data: 'second' }));
        await another.addAll([job('same', { data: 'third' })]);
        await delay(300);
        expect(ran).toEqual(['first']);
        hold.open();
        await eventually(() => ran, (seen) => seen.length >= 2);
        expect(await untilOver()).toEqual(nothing);
        expect(ran).toEqual(['first', 'third']);
      });

      it('may be added by its own handler, for later', async () => {
        const ran: [data: unknown, at: number][] = [];
        jobs.work(
          queue,
          async ({ data }) => {
            ran.push([data, Date.now()]);
            if (ran.length < 3) await jobs.add(job('every', { data: ran.length, runAtMs: Date.now() + 400 }));
          },
          { concurrency: 4 },
        );
        await jobs.add(job('every', { data: 0 }));
        await eventually(() => ran, (seen) => seen.length === 3);
        expect(await untilOver()).toEqual(nothing);
        expect(ran.map(([data]) => data)).toEqual([0, 1, 2]);
        expect(ran[2]![1] - ran[0]![1]).toBeGreaterThanOrEqual(800);
      });
    });

    describe('that fail', () => {
      it('are tried again until they do not', async () => {
        const seen: number[] = [];
        jobs.work(
          queue,
          async ({ attempt }) => {
            seen.push(attempt);
            if (attempt < 4) throw new Error('not yet');
            await Promise.resolve();
          },
          { concurrency: 1 },
        );
        await jobs.add(job('flaky', { attempts: 4 }));
        expect(await untilOver()).toEqual(nothing);
        expect(seen).toEqual([1, 2, 3, 4]);
      });

      it('as often as they may are dead, can be looked at and be tried again', async () => {
        const before = Date.now();
        let well = false;
        const seen: number[] = [];
        jobs.work(
          queue,
          async ({ attempt }) => {
            seen.push(attempt);
            if (!well) throw new Error(`\0 ${'long '.repeat(500)}`);
            await Promise.resolve();
          },
          { concurrency: 1 },
        );
        await jobs.add(job('bad:1', { attempts: 2, data: { of: 'it' } }));
        const [dead] = await untilDead(1);
        expect(dead).toMatchObject({ queue, name: 'test', id: 'bad:1', data: { of: 'it' }, attempts: 2 });
        expect(dead!.lastError).toHaveLength(jobBounds.errorLength);
        expect(dead!.lastError.startsWith('\uFFFD long long')).toBe(true);
        expect(dead!.failedAtMs).toBeGreaterThanOrEqual(before);
        expect(await jobs.counts(queue)).toEqual({ ...nothing, dead: 1 });

        // It does not stand in the way of the next one of its id.
        await jobs.add(job('bad:1', { attempts: 1 }));
        expect((await untilDead(2)).map(({ id, attempts }) => [id, attempts])).toEqual([
          ['bad:1', 1],
          ['bad:1', 2],
        ]);

        well = true;
        expect(await jobs.retryDead(queue, dead!.key)).toBe(true);
        expect(await jobs.retryDead(queue, dead!.key)).toBe(false);
        expect(await jobs.retryDead(queue, randomUUID())).toBe(false);
        expect(await untilOver()).toEqual({ ...nothing, dead: 1 });
        expect(seen).toEqual([1, 2, 1, 1]);
      });

      it('for a reason that stays are dead at once', async () => {
        jobs.work(queue, () => Promise.reject(new JobHopeless('nobody has this address')), { concurrency: 1 });
        await jobs.add(job('hopeless', { attempts: 10 }));
        const [dead] = await untilDead(1);
        expect([dead!.lastError, dead!.attempts]).toEqual(['nobody has this address', 1]);
      });

      it('with something that is no error fail all the same', async () => {
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- that is the point
        jobs.work(queue, () => Promise.reject('a mere text'), { concurrency: 1 });
        await jobs.add(job('odd', { attempts: 1 }));
        expect((await untilDead(1))[0]!.lastError).toBe('a mere text');
      });

      it('are listed page by page, the latest first', async () => {
        jobs.work(queue, ({ id }) => Promise.reject(new JobHopeless(id)), { concurrency: 1 });
        for (const id of ['1', '2', '3', '4', '5']) {
          await jobs.add(job(id));
          await untilDead(Number(id));
        }
        const ids: string[][] = [];
        for (let after: string | undefined; ; ) {
          const page = await jobs.dead(queue, { limit: 2, ...(after === undefined ? {} : { after }) });
          if (page.length === 0) break;
          ids.push(page.map(({ id }) => id));
          after = page.at(-1)!.key;
        }
        expect(ids).toEqual([['5', '4'], ['3', '2'], ['1']]);
      });

      it('not at all but come back later cost no attempt', async () => {
        const seen: number[] = [];
        jobs.work(
          queue,
          async ({ attempt }) => {
            seen.push(attempt);
            if (seen.length < 4) throw new JobPostponed(100);
            await Promise.resolve();
          },
          { concurrency: 1 },
        );
        await jobs.add(job('limited', { attempts: 1 }));
        await eventually(() => seen, () => seen.length === 4);
        expect(await untilOver()).toEqual(nothing);
        expect(seen).toEqual([1, 1, 1, 1]);
      });

      it('by being postponed do not come back before that', async () => {
        const at: number[] = [];
        jobs.work(
          queue,
          async () => {
            at.push(Date.now());
            if (at.length === 1) throw new JobPostponed(1_200);
            await Promise.resolve();
          },
          { concurrency: 1 },
        );
        await jobs.add(job('limited'));
        await eventually(() => at, () => at.length === 2);
        expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(1_200);
      });
    });

    it('takes back a job that waits, and no other', async () => {
      await jobs.add(job('waits', { runAtMs: Date.now() + 60_000 }));
      await jobs.add(job('due'));
      expect([await jobs.remove(queue, 'waits'), await jobs.remove(queue, 'due'), await jobs.remove(queue, 'waits'), await jobs.remove(queue, 'never was')]).toEqual([true, true, false, false]);
      expect(await jobs.counts(queue)).toEqual(nothing);
      const hold = gate();
      let runs = 0;
      jobs.work(queue, () => (runs++, hold.opened), { concurrency: 1 });
      await jobs.add(job('runs'));
      await eventually(() => runs, (count) => count === 1);
      expect(await jobs.remove(queue, 'runs')).toBe(false);
      hold.open();
      expect(await untilOver()).toEqual(nothing);
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
      await expect(jobs.add(job('wrong', wrong))).rejects.toThrow(JobsRefusal);
      await expect(jobs.addAll([job('right'), job('wrong', wrong)])).rejects.toThrow(JobsRefusal);
      expect(await jobs.counts(queue)).toEqual(nothing);
    });

    it('refuses to work beyond its bounds', async () => {
      expect(() => jobs.work(queue, () => Promise.resolve(), { concurrency: jobBounds.concurrency + 1 })).toThrow(JobsRefusal);
      await expect(jobs.dead(queue, { limit: jobBounds.deadPage + 1 })).rejects.toThrow(JobsRefusal);
      await expect(jobs.addAll(Array.from({ length: jobBounds.jobsAtOnce + 1 }, () => job('x')))).rejects.toThrow(JobsRefusal);
    });

    describe('when a process ends', () => {
      it('runs again what a killed process was running', async () => {
        const holder = start('hold', 'unused');
        await jobs.add(job('held:1'));
        await eventually(() => holder.said, (said) => said.includes('holds held:1'));
        const ran = note();
        await delay(500);
        expect(ran).toEqual([]);
        await holder.kill();
        await untilRan(ran, 1);
        expect(ran.map(({ id, attempt }) => [id, attempt])).toEqual([['held:1', 1]]);
        expect(await untilOver()).toEqual(nothing);
      });

      it('runs what a process added that died at once', async () => {
        const ran = note();
        const adder = start('add', 'left:1');
        await adder.gone;
        expect(adder.said).toEqual(['added']);
        expect((await untilRan(ran, 1)).map(({ id, name }) => [id, name])).toEqual([['left:1', 'from-elsewhere']]);
      });
    });

    describe('when it closes', () => {
      it('waits for the running jobs, and takes no other', async () => {
        const hold = gate();
        const ran: string[] = [];
        const worker = jobs.work(
          queue,
          async ({ id }) => {
            ran.push(id);
            await hold.opened;
            ran.push(`${id} over`);
          },
          { concurrency: 1 },
        );
        await jobs.addAll([job('a'), job('b')]);
        await eventually(() => ran, (seen) => seen.length === 1);
        const closed = worker.close().then(() => ran.push('closed'));
        await delay(200);
        hold.open();
        await closed;
        const first = ran[0]!;
        expect(ran).toEqual([first, `${first} over`, 'closed']);
        expect(await jobs.counts(queue)).toEqual({ ...nothing, waiting: 1 });
      });

      it('gives up a job that does not end, tells it so, and lets another worker run it', async () => {
        const begun: RunningJob[] = [];
        const [another, never] = [connect(), gate()];
        another.work(queue, (running) => (begun.push(running), never.opened), { concurrency: 1 });
        await jobs.add(job('endless', { attempts: 1 }));
        await untilRan(begun, 1);
        await another.close();
        expect(begun[0]!.signal.aborted).toBe(true);
        const ran = note();
        await untilRan(ran, 1);
        never.open();
        expect(await untilOver()).toEqual(nothing);
        expect(ran.map(({ id, attempt }) => [id, attempt])).toEqual([['endless', 1]]);
      });

      it('is of no use any more', async () => {
        await jobs.close();
        await jobs.close();
        await expect(jobs.add(job('late'))).rejects.toThrow(JobsUnavailable);
        expect(() => jobs.work(queue, () => Promise.resolve(), { concurrency: 1 })).toThrow(JobsUnavailable);
      });
    });

    describe('when the store is lost', () => {
      it('goes on after connections ended, again and again', async () => {
        const ids = Array.from({ length: 60 }, (_, i) => `through:${i}`);
        const ran = new Set<string>();
        jobs.work(
          queue,
          async ({ id }) => {
            await delay(20);
            ran.add(id);
          },
          { concurrency: 2 },
        );
        await jobs.addAll(ids.map((id) => job(id)));
        for (let round = 1; round <= 4; round++) {
          await eventually(() => ran, ({ size }) => size >= round * 10);
          await under.cut();
        }
        await eventually(() => ran, ({ size }) => size === ids.length);
        expect(ran.size).toBe(ids.length);
        await delay(500);
        await under.cut();
        await eventually(() => jobs.add(job('idle')).then(() => true, () => false), (added) => added);
        await eventually(() => ran, (seen) => seen.has('idle'));
        expect(ran).toContain('idle');
        const end = await eventually(() => jobs.counts(queue).catch(() => undefined), (counts) => counts !== undefined && counts.waiting + counts.delayed + counts.running === 0);
        expect(end).toEqual(nothing);
      });

      it('does not call a job failed that was done when the connection ended', async () => {
        let runs = 0;
        jobs.work(
          queue,
          async () => {
            runs++;
            await under.cut();
          },
          { concurrency: 1 },
        );
        await jobs.add(job('done', { attempts: 1 }));
        await eventually(() => runs, (count) => count > 0);
        const end = await eventually(() => jobs.counts(queue).catch(() => undefined), (counts) => counts !== undefined && counts.waiting + counts.delayed + counts.running === 0);
        expect(end).toEqual(nothing);
      });

      it('rejects jobs at once, and works again by itself when it is back', async () => {
        const before = note();
        await jobs.add(job('warm'));
        await untilRan(before, 1);
        await jobs.add(job('kept', { runAtMs: Date.now() + 1_500 }));
        const newcomer = connect();
        let asked: Promise<unknown> = Promise.resolve();
        await under.away();
        try {
          await expect(jobs.add(job('lost'))).rejects.toThrow(JobsUnavailable);
          await expect(newcomer.add(job('lost'))).rejects.toThrow(JobsUnavailable);
          newcomer.work(`${queue}-b`, ({ id }) => Promise.resolve(void before.push({ id } as RunningJob)), { concurrency: 1 });
          asked = jobs.counts(queue).catch(() => undefined);
          await delay(2_500);
        } finally {
          await under.back();
        }
        await asked;
        await untilRan(before, 2);
        expect(before.map(({ id }) => id)).toEqual(['warm', 'kept']);
        for (const [by, id] of [
          [jobs, 'of old'],
          [newcomer, 'of new'],
        ] as const) {
          const added = await eventually(() => by.add(job(id, { queue: by === jobs ? queue : `${queue}-b` })).then(() => true, () => false), (yes) => yes);
          expect(added).toBe(true);
        }
        await untilRan(before, 4);
        expect(before.map(({ id }) => id).toSorted()).toEqual(['kept', 'of new', 'of old', 'warm']);
      });

      it('closes while it is away, with a worker that ran and one that never could', async () => {
        const ran = note();
        await jobs.add(job('warm'));
        await untilRan(ran, 1);
        const newcomer = connect();
        await under.away();
        try {
          note(newcomer);
          await delay(500);
          await Promise.all([jobs.close(), newcomer.close()]);
        } finally {
          await under.back();
        }
        await expect(jobs.add(job('late'))).rejects.toThrow(JobsUnavailable);
      });
    });
  });
}
