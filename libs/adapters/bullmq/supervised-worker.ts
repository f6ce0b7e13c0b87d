import { DelayedError, UnrecoverableError } from 'bullmq';
import { jobBounds, type JobHandler, JobHopeless, JobPostponed, type JobWorker } from '#libs/ports';
import { backoffAfter, errorText, type StoredJob } from './job-record.ts';
import type { JobStore, OpenWorker } from './job-store.ts';
import { pause, within } from './within.ts';

export interface SupervisedWorkerOptions {
  readonly store: JobStore;
  readonly queue: string;
  readonly handler: JobHandler;
  readonly concurrency: number;
  readonly takeOverAfterMs: number;
  readonly closeWithinMs: number;
  readonly onError: (error: Error) => void;
  readonly onFailure: (error: Error, job: StoredJob) => void;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5_000;
const WHILE_AWAY_MS = 1_000;
const DISCONNECT_WITHIN_MS = 1_000;
/** How long the last outcomes may take to be written down. */
const WRITTEN_WITHIN_MS = 3_000;

/** A worker of BullMQ that is there as soon as its store is, and gone when it is asked to go. */
export class SupervisedWorker implements JobWorker {
  private readonly stop = new AbortController();
  private readonly opening: Promise<OpenWorker | undefined>;
  private closing: Promise<void> | undefined;
  private running = 0;
  private onIdle = (): void => undefined;

  constructor(private readonly options: SupervisedWorkerOptions) {
    this.opening = this.open();
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async open(): Promise<OpenWorker | undefined> {
    for (let wait = FIRST_RETRY_MS; !this.stop.signal.aborted; wait = Math.min(2 * wait, LAST_RETRY_MS)) {
      try {
        return await this.openOnce();
      } catch (error) {
        this.options.onError(error as Error);
        await pause(wait, this.stop.signal);
      }
    }
    return undefined;
  }

  private async openOnce(): Promise<OpenWorker> {
    const { store, queue, concurrency, takeOverAfterMs, onError, onFailure } = this.options;
    // All three parameters are named: BullMQ counts them to know whether a signal is wanted.
    const open = await store.openWorker(queue, (job, token, signal) => this.run(job, token, signal), {
      concurrency,
      // Begins below, when somebody listens.
      autorun: false,
      // A job of a process that died is taken over after its lock has run out, at the second look after that.
      lockDuration: takeOverAfterMs,
      stalledInterval: Math.ceil(takeOverAfterMs / 2),
      maxStalledCount: jobBounds.lostRuns,
      maxStartedAttempts: jobBounds.runs,
      runRetryDelay: WHILE_AWAY_MS,
      settings: { backoffStrategy: (attempt, _type, _error, job) => backoffAfter(attempt, (job as StoredJob | undefined)?.data.backoffMs ?? 1_000) },
    });
    open.worker.on('error', onError);
    open.worker.on('failed', (job, error) => job && onFailure(error, job));
    open.worker.on('lockRenewalFailed', (ids) => ids.forEach((id) => open.worker.cancelJob(id, 'it may run elsewhere')));
    open.worker.run().catch(onError);
    return open;
  }

  private async run(job: StoredJob, token: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    this.running++;
    try {
      await this.options.handler({
        queue: this.options.queue,
        name: job.name,
        id: job.data.id,
        data: JSON.parse(job.data.json),
        attempt: job.attemptsMade + 1,
        signal: signal!,
      });
    } catch (error) {
      if (error instanceof JobPostponed) {
        const afterMs = Number.isFinite(error.afterMs) ? Math.min(Math.max(error.afterMs, 0), jobBounds.aheadMs) : 0;
        await job.moveToDelayed(Date.now() + Math.round(afterMs), token);
        throw new DelayedError();
      }
      if (error instanceof JobHopeless) throw new UnrecoverableError(errorText(error));
      throw new Error(errorText(error), { cause: error });
    } finally {
      if (--this.running === 0) this.onIdle();
    }
  }

  private async end(): Promise<void> {
    this.stop.abort();
    const open = await within(this.options.closeWithinMs, this.opening, () => undefined);
    // Comes too late for anybody to wait for it, and is not left behind.
    if (!open) return void this.opening.then((late) => late && this.letGo(late));
    const over = open.worker.end();
    const idle = new Promise<void>((resolve) => {
      this.onIdle = resolve;
      if (this.running === 0) resolve();
    });
    // BullMQ's own closing hangs while the store is away.
    const written = idle.then(() => within(WRITTEN_WITHIN_MS, over, () => undefined));
    await within(this.options.closeWithinMs, Promise.race([over, written]), () => undefined);
    if (this.running > 0) this.options.onError(new Error(`the worker of ${this.options.queue} was not done in time; what it has not finished runs again`));
    await this.letGo(open);
  }

  private async letGo(open: OpenWorker): Promise<void> {
    await within(DISCONNECT_WITHIN_MS, Promise.allSettled([open.worker.abandon(), open.disconnect()]), () => undefined);
  }
}
