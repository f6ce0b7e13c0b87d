import { type DeadJob, jobBounds, type JobCounts, type JobHandler, type Jobs, JobsRefusal, JobsUnavailable, type JobWorker, type NewJob } from '#libs/ports';
import { checkQueue, checkText, checkWhole, deadJob, errorText, prepareJob, prepareRecord, type PreparedJob, type StoredJob } from './job-record.ts';
import type { JobStore, StoreQueue } from './job-store.ts';
import { PostgresStore } from './postgres-store.ts';
import { RedisStore } from './redis-store.ts';
import { SupervisedWorker } from './supervised-worker.ts';
import { within } from './within.ts';

/** What went wrong in the background. */
export interface JobTrouble {
  readonly error: Error;
  /** The job whose attempt failed; absent when the trouble is with the store. */
  readonly job?: { readonly queue: string; readonly name: string; readonly id: string; readonly attempt: number; readonly dead: boolean };
}

export interface BullmqJobsOptions {
  /** Trouble with the store is told once in ten seconds for each sentence, attempts that failed each time. */
  readonly onTrouble: (trouble: JobTrouble) => void;
  /** How long the store may take to answer; 5 s if absent. */
  readonly answerWithinMs?: number;
  /** How long closing waits for running jobs; 10 s if absent. */
  readonly closeWithinMs?: number;
  /** A job of a process that died, or stood still, for this long is free to be run by another; 30 s if absent. It takes up to twice as long until one does. */
  readonly takeOverAfterMs?: number;
}

const TOLD_AGAIN_AFTER_MS = 10_000;
const SENTENCES_KEPT = 32;

/** Jobs on BullMQ, in PostgreSQL or in Redis. No process needs to be the leader; processes may come and go. */
export class BullmqJobs implements Jobs {
  private readonly workers = new Set<SupervisedWorker>();
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly store: JobStore,
    private readonly options: Required<BullmqJobsOptions>,
    private readonly onError: (error: Error) => void,
  ) {}

  /** In the schema that `migrateJobs` made, with a role that has rights there. */
  static onPostgres(options: BullmqJobsOptions & { readonly url: string; readonly schema?: string }): BullmqJobs {
    const complete = withDefaults(options);
    const onError = toldOnce(options.onTrouble);
    return new BullmqJobs(new PostgresStore({ url: options.url, schema: options.schema ?? 'jobs', answerWithinMs: complete.answerWithinMs, onError }), complete, onError);
  }

  /** In a Redis of 6.2 or newer with `maxmemory-policy noeviction` and an append-only file; all keys begin with `prefix`. */
  static onRedis(options: BullmqJobsOptions & { readonly url: string; readonly prefix?: string }): BullmqJobs {
    const complete = withDefaults(options);
    const onError = toldOnce(options.onTrouble);
    return new BullmqJobs(new RedisStore({ url: options.url, prefix: options.prefix ?? 'holdfast', answerWithinMs: complete.answerWithinMs, onError }), complete, onError);
  }

  async add(job: NewJob): Promise<void> {
    const { name, data, opts } = prepareJob(job, Date.now());
    await this.ask(job.queue, (queue) => queue.add(name, data, opts));
  }

  async addAll(jobs: readonly NewJob[]): Promise<void> {
    if (jobs.length > jobBounds.jobsAtOnce) throw new JobsRefusal(`more than ${jobBounds.jobsAtOnce} at once`);
    const now = Date.now();
    const byQueue = new Map<string, PreparedJob[]>();
    for (const job of jobs) {
      const prepared = prepareJob(job, now);
      const others = byQueue.get(job.queue);
      if (others) others.push(prepared);
      else byQueue.set(job.queue, [prepared]);
    }
    for (const [name, prepared] of byQueue) await this.ask(name, (queue) => queue.addBulk(prepared));
  }

  async remove(queue: string, id: string): Promise<boolean> {
    checkText('id', id);
    return this.ask(queue, async (open) => {
      const key = await open.getDeduplicationJobId(id);
      return key !== null && (await open.remove(key)) === 1;
    });
  }

  work(queue: string, handler: JobHandler, { concurrency }: { readonly concurrency: number }): JobWorker {
    checkQueue(queue);
    checkWhole('concurrency', concurrency, 1, jobBounds.concurrency);
    if (this.closing) throw new JobsUnavailable('it is closed');
    const { takeOverAfterMs, closeWithinMs } = this.options;
    const worker = new SupervisedWorker({ store: this.store, queue, handler, concurrency, takeOverAfterMs, closeWithinMs, onError: this.onError, onFailure: (error, job) => this.tellFailure(queue, error, job) });
    this.workers.add(worker);
    return { close: () => worker.close().finally(() => this.workers.delete(worker)) };
  }

  async dead(queue: string, { limit, after }: { readonly limit: number; readonly after?: string }): Promise<readonly DeadJob[]> {
    checkWhole('limit', limit, 1, jobBounds.deadPage);
    return this.ask(queue, async (open) => {
      const keys = await open.getRanges(['failed'], 0, jobBounds.dead - 1, false);
      const start = after === undefined ? 0 : keys.indexOf(after) + 1;
      const jobs = await Promise.all(keys.slice(start, start + limit).map((key) => open.getJob(key) as Promise<StoredJob | undefined>));
      return jobs.flatMap((job) => (job?.finishedOn === undefined ? [] : [deadJob(queue, job)]));
    });
  }

  async retryDead(queue: string, key: string): Promise<boolean> {
    return this.ask(queue, async (open) => {
      const job = (await open.getJob(key)) as StoredJob | undefined;
      if (!job || (await open.getJobState(key)) !== 'failed') return false;
      const now = Date.now();
      const { name, data, opts } = prepareRecord(job.name, job.data, now, now);
      // First the new one: a crash in between leaves both rather than none.
      await open.add(name, data, opts);
      await open.remove(key);
      return true;
    });
  }

  async counts(queue: string): Promise<JobCounts> {
    return this.ask(queue, async (open) => {
      const { waiting = 0, delayed = 0, active = 0, failed = 0 } = await open.getJobCounts('waiting', 'delayed', 'active', 'failed');
      return { waiting, delayed, running: active, dead: failed };
    });
  }

  close(): Promise<void> {
    this.closing ??= (async () => {
      await Promise.all([...this.workers].map((worker) => worker.close()));
      await within(this.options.closeWithinMs, this.store.close(), () => undefined);
    })();
    return this.closing;
  }

  private async ask<T>(name: string, use: (queue: StoreQueue) => Promise<T>): Promise<T> {
    checkQueue(name);
    if (this.closing) throw new JobsUnavailable('it is closed');
    const { answerWithinMs } = this.options;
    const asking = (async () => use(await this.store.queue(name)))();
    try {
      return await within(answerWithinMs, asking, () => {
        throw new Error(`no answer within ${answerWithinMs} ms`);
      });
    } catch (error) {
      throw new JobsUnavailable(errorText(error), { cause: error });
    }
  }

  private tellFailure(queue: string, error: Error, job: StoredJob): void {
    try {
      this.options.onTrouble({ error: (error.cause as Error | undefined) ?? error, job: { queue, name: job.name, id: job.data.id, attempt: job.attemptsMade, dead: job.finishedOn !== undefined } });
    } catch {
      // Telling is not worth a job; and BullMQ would print what is thrown here.
    }
  }
}

const withDefaults = (options: BullmqJobsOptions): Required<BullmqJobsOptions> => ({
  onTrouble: options.onTrouble,
  answerWithinMs: options.answerWithinMs ?? 5_000,
  closeWithinMs: options.closeWithinMs ?? 10_000,
  takeOverAfterMs: options.takeOverAfterMs ?? 30_000,
});

/** An outage makes every worker say the same several times a second. */
function toldOnce(onTrouble: BullmqJobsOptions['onTrouble']): (error: Error) => void {
  const told = new Map<string, number>();
  return (error) => {
    const now = performance.now();
    const last = told.get(error.message);
    if (last !== undefined && now - last < TOLD_AGAIN_AFTER_MS) return;
    if (told.size >= SENTENCES_KEPT) told.clear();
    told.set(error.message, now);
    try {
      onTrouble({ error });
    } catch {
      // See above.
    }
  };
}
