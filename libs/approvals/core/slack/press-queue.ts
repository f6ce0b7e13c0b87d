import type { Jobs, JobWorker } from '#libs/ports';
import type { SlackWork } from './slack-desk.ts';
import type { Later } from './slack-inlet.ts';

const QUEUE = 'slack';
const AT_ONCE = 8;
const ATTEMPTS = 5;
const BACKOFF_MS = 500;

/** {@link Later} as jobs, for whichever process is there. What was answered is done, whatever dies meanwhile. */
export class PressQueue implements Later {
  constructor(
    private readonly jobs: Pick<Jobs, 'add' | 'work'>,
    private readonly uuid: () => string,
  ) {}

  later(work: SlackWork): Promise<void> {
    return this.jobs.add({ queue: QUEUE, name: 'press', id: this.uuid(), data: work, attempts: ATTEMPTS, backoffMs: BACKOFF_MS });
  }

  work(press: (work: SlackWork) => Promise<void>): JobWorker {
    return this.jobs.work(QUEUE, (job) => press(job.data as SlackWork), { concurrency: AT_ONCE });
  }
}
