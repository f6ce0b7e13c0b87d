import { type IQueueBackend, Worker } from 'bullmq';
import type { JobRecord } from './job-record.ts';

/** A worker of BullMQ that leaves nothing behind, also when its own closing hangs on a store that is away. */
export class EndingWorker extends Worker<JobRecord, void, string, IQueueBackend> {
  /** Looking for jobs of dead processes waits for its next turn after an error, and not for some seconds that nothing can end. */
  protected override checkConnectionError<T>(look: () => Promise<T>): Promise<T | undefined> {
    return super.checkConnectionError(look, 0);
  }

  /** Closes, and is not looking for jobs of dead processes any more from the beginning. */
  async end(): Promise<void> {
    await this.pause(true);
    await this.close();
  }

  /** Gives up what it still runs: the locks run out. */
  async abandon(): Promise<void> {
    this.cancelAllJobs('its worker closes');
    await this.lockManager.close();
    await this.backend.close(true);
  }
}
