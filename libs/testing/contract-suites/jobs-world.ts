import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { DeadJob, JobCounts, Jobs, NewJob, RunningJob } from '#libs/ports';

/** Another process that uses the same jobs. */
export interface JobProcess {
  readonly said: readonly string[];
  readonly gone: Promise<void>;
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
}

export interface JobsUnderTest {
  /** As another process would see the jobs. It takes over from one that died after some seconds, and closes within a few. */
  connect(): Jobs;
  /** `hold` says `holds <id>` when it runs a job, `lost <id>` when its signal aborts, and never finishes it; `add` adds the job, says `added` and dies. */
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
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

export const nothing: JobCounts = { waiting: 0, delayed: 0, running: 0, dead: 0 };

/** Gives every test of a suite a queue and an instance of its own, and sees to it that nothing is left of either. */
export class JobsWorld {
  under!: JobsUnderTest;
  jobs!: Jobs;
  queue = '';
  private readonly opened: Jobs[] = [];
  private readonly processes: JobProcess[] = [];

  constructor(open: () => Promise<JobsUnderTest>) {
    beforeAll(async () => {
      this.under = await open();
    });
    afterAll(() => this.under.close());
    beforeEach(() => {
      this.queue = `q-${randomUUID().slice(0, 8)}`;
      this.jobs = this.connect();
    });
    afterEach(async () => {
      await Promise.all(this.processes.splice(0).map((started) => started.kill()));
      await Promise.all(this.opened.splice(0).map((one) => one.close()));
      const left = await eventually(() => this.under.connections(), (count) => count === 0);
      if (left > 0) throw new Error(`the test left ${left} connections`);
    });
  }

  connect(): Jobs {
    const another = this.under.connect();
    this.opened.push(another);
    return another;
  }

  start(does: 'hold' | 'add', id: string): JobProcess {
    const started = this.under.start(does, this.queue, id);
    this.processes.push(started);
    return started;
  }

  job(id: string, more: Partial<NewJob> = {}): NewJob {
    return { queue: this.queue, name: 'test', id, data: { id }, backoffMs: 20, ...more };
  }

  /** Works on the queue and notes what ran. */
  note(by: Jobs = this.jobs): RunningJob[] {
    const ran: RunningJob[] = [];
    by.work(this.queue, (running) => Promise.resolve(void ran.push(running)), { concurrency: 4 });
    return ran;
  }

  untilRan(ran: readonly RunningJob[], count: number): Promise<readonly RunningJob[]> {
    return eventually(() => ran, (seen) => seen.length >= count);
  }

  untilDead(count: number): Promise<readonly DeadJob[]> {
    return eventually(() => this.jobs.dead(this.queue, { limit: 100 }), (dead) => dead.length >= count);
  }

  /** Until nothing waits or runs; a store that does not answer is asked again. */
  async untilOver(): Promise<JobCounts | undefined> {
    return eventually(() => this.jobs.counts(this.queue).catch(() => undefined), (counts) => counts !== undefined && counts.waiting + counts.delayed + counts.running === 0);
  }
}
