/**
 * Work to be done later, by whichever process is there then: wake-ups, notifications. State is elsewhere; a job only says where to
 * look, so whoever adds jobs also sweeps for what a lost one missed, and a handler that is called twice does nothing the second time.
 *
 * At least once: a job whose `add` resolved runs until its handler resolves, fails for good, or it is removed. It runs again when its
 * process died, or lost its hold on it (it stood still for long, or the store was away). Order is not promised. A job that is due runs
 * as soon as a worker of its queue is free; one that is due later never earlier by the clock of the worker's machine.
 */
export interface Jobs {
  /**
   * Resolves when the job is stored. While the store is away it rejects with {@link JobsUnavailable} at once or after a few seconds, and
   * does not try again by itself; whether the job is stored is then unknown, and adding it again is right. What breaks a bound is
   * refused with {@link JobsRefusal}.
   *
   * `id` says that two jobs are one, within their queue:
   * - while one waits (for its time, for a worker, for its next attempt), adding it again changes nothing, neither its data nor its time;
   * - while one runs, the last one added takes its place when it is over, its delay counted from then: what was changed after the
   *   handler looked is looked at;
   * - one that is over, done or failed for good, is no more: the next one is a new job.
   * So two of the same id never run at once.
   */
  add(job: NewJob): Promise<void>;

  /** The same for several at once, of one or more queues; all jobs of a queue are stored or none. */
  addAll(jobs: readonly NewJob[]): Promise<void>;

  /** Takes back a job that waits; best effort. False: there is none, or it runs. */
  remove(queue: string, id: string): Promise<boolean>;

  /** Begins to work on a queue, now or as soon as the store is there; goes on by itself whenever the store was away. */
  work(queue: string, handler: JobHandler, options: { readonly concurrency: number }): JobWorker;

  /**
   * Jobs that failed for good, the latest first, at most `limit` of them; after `after`, the `key` of the last one seen. When that one is
   * gone the view begins anew.
   */
  dead(queue: string, page: { readonly limit: number; readonly after?: string }): Promise<readonly DeadJob[]>;

  /** Adds a dead job again, as `add` would, due at once and with all its attempts, and takes it out of the view. False: there is none by this key. */
  retryDead(queue: string, key: string): Promise<boolean>;

  counts(queue: string): Promise<JobCounts>;

  /** Closes all workers and connections; like {@link JobWorker.close} it ends within a bound. */
  close(): Promise<void>;
}
export const Jobs = Symbol('Jobs');

/** What every implementation keeps to. */
export const jobBounds = {
  /** Of a queue's name: lower-case letters, digits and `-`. */
  queueLength: 48,
  /** Of an id and of a name: printable ASCII. */
  idLength: 200,
  /** Of the data as JSON. A job carries ids, not contents. */
  dataBytes: 16_384,
  jobsAtOnce: 1_000,
  attempts: 50,
  /** No wait between two attempts is longer, whatever the number of the attempt. */
  backoffMs: 600_000,
  /** The furthest `runAtMs`, and the longest that a handler may postpone. */
  aheadMs: 366 * 86_400_000,
  /** A job that was begun more often than this, for whatever reason, fails for good. */
  runs: 1_000,
  /** So does one whose process died, or lost it, more often than this. */
  lostRuns: 10,
  concurrency: 100,
  /** Of the last error's text. */
  errorLength: 500,
  /** Dead jobs kept in each queue, and for how long; of jobs that are done nothing is kept. */
  dead: 1_000,
  deadMs: 30 * 86_400_000,
  deadPage: 100,
} as const;

export interface NewJob {
  readonly queue: string;
  /** What kind of job it is, for the handler and for people. */
  readonly name: string;
  readonly id: string;
  /** Plain JSON; the handler gets what `JSON.parse(JSON.stringify(data))` gives. */
  readonly data: unknown;
  /** Not before this, in milliseconds since the epoch; at once if it is absent or past. */
  readonly runAtMs?: number;
  /** How often the handler may reject before the job fails for good; 10 if absent. */
  readonly attempts?: number;
  /** After attempt n the job waits between half of and all of `backoffMs * 2^(n-1)`, bounded by {@link jobBounds}; 1000 if absent. */
  readonly backoffMs?: number;
}

export interface RunningJob {
  readonly queue: string;
  readonly name: string;
  readonly id: string;
  readonly data: unknown;
  /** Counts from 1; runs that were lost or postponed do not count. */
  readonly attempt: number;
  /** Aborts when the job may be running elsewhere by now, or is given up because its worker closes: stop. */
  readonly signal: AbortSignal;
}

/**
 * Resolves when the job is done. A {@link JobPostponed} puts it off, a {@link JobHopeless} fails it for good; every other rejection is an
 * attempt that failed. The message of an error is kept and shown to operators: no secrets, no values of users.
 */
export type JobHandler = (job: RunningJob) => Promise<void>;

export interface JobWorker {
  /**
   * Takes no further jobs and resolves when the running ones are over, or given up because they took longer than a bound: these run again
   * elsewhere. Never hangs, the store being there or not.
   */
  close(): Promise<void>;
}

export interface DeadJob {
  /** Names this failure; several dead jobs may have the same id. */
  readonly key: string;
  readonly queue: string;
  readonly name: string;
  readonly id: string;
  readonly data: unknown;
  /** How often its handler rejected. */
  readonly attempts: number;
  readonly lastError: string;
  readonly failedAtMs: number;
}

export interface JobCounts {
  /** Due, and no worker was free yet. */
  readonly waiting: number;
  /** Not due yet: for its time, or for its next attempt. */
  readonly delayed: number;
  readonly running: number;
  readonly dead: number;
}

/** Thrown by a handler: not now, but after this long. Costs no attempt; for a rate limit that says when to come back. */
export class JobPostponed extends Error {
  constructor(readonly afterMs: number) {
    super('postponed');
    this.name = 'JobPostponed';
  }
}

/** Thrown by a handler: trying again is of no use. */
export class JobHopeless extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'JobHopeless';
  }
}

/** What was asked for breaks a bound or is not a job; nothing was stored. */
export class JobsRefusal extends Error {
  constructor(detail: string) {
    super(`the job was refused: ${detail}`);
    this.name = 'JobsRefusal';
  }
}

/** The store did not answer; whether it did what was asked is unknown. */
export class JobsUnavailable extends Error {
  constructor(detail: string, options?: { cause: unknown }) {
    super(`the job store is not available: ${detail}`, options);
    this.name = 'JobsUnavailable';
  }
}
