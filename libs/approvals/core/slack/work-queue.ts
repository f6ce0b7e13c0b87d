import { Refusal } from '#libs/contracts';
import { JobHopeless, type Jobs, type JobWorker } from '#libs/ports';
import type { SlackWork } from './slack-desk.ts';
import type { Later } from './slack-inlet.ts';

export interface WorkQueueOptions {
  readonly press: (work: SlackWork) => Promise<void>;
  readonly wait: (ms: number) => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

const AT_ONCE = 8;
const WAITING = 1_000;
const ATTEMPTS = 3;
const PAUSE_MS = 300;

/**
 * {@link Later} in this process. What waits is lost when the process dies: the person sees that the message did not change and presses
 * again. {@link JobQueue} loses nothing.
 */
export class WorkQueue implements Later {
  private readonly waiting: SlackWork[] = [];
  private readonly running = new Set<Promise<void>>();

  constructor(private readonly options: WorkQueueOptions) {}

  async later(work: SlackWork): Promise<void> {
    if (this.waiting.length >= WAITING) throw new Refusal('overloaded');
    this.waiting.push(work);
    this.next();
  }

  /** Resolves when all of it is done. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  private next(): void {
    if (this.running.size >= AT_ONCE) return;
    const work = this.waiting.shift();
    if (!work) return;
    const done = this.work(work).finally(() => {
      this.running.delete(done);
      this.next();
    });
    this.running.add(done);
  }

  private async work(work: SlackWork): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.options.press(work);
      } catch (error) {
        if (attempt === ATTEMPTS || error instanceof JobHopeless) return this.options.onFault(error);
        await this.options.wait(PAUSE_MS * attempt);
      }
    }
  }
}

const QUEUE = 'slack';
const JOB_ATTEMPTS = 5;
const BACKOFF_MS = 500;

/** {@link Later} as jobs, for whichever process is there. */
export class JobQueue implements Later {
  constructor(
    private readonly jobs: Jobs,
    private readonly uuid: () => string,
  ) {}

  later(work: SlackWork): Promise<void> {
    return this.jobs.add({ queue: QUEUE, name: 'press', id: this.uuid(), data: work, attempts: JOB_ATTEMPTS, backoffMs: BACKOFF_MS });
  }

  work(press: (work: SlackWork) => Promise<void>): JobWorker {
    return this.jobs.work(QUEUE, (job) => press(job.data as SlackWork), { concurrency: AT_ONCE });
  }
}
