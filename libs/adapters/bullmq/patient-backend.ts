import { setTimeout as delay } from 'node:timers/promises';
import { PostgresQueueBackend } from 'bullmq';

const TRIES = 6;
const BETWEEN_TRIES_MS = 250;
const AFTER_FAILED_FETCH_MS = 500;
const LONGEST_SLEEP_S = 30;

/**
 * BullMQ's backend for PostgreSQL with the patience that it lacks for connections that end. Without it a job that was done is kept as
 * failed when the connection ends while it is marked as done, and a worker that cannot fetch asks again at once, for as long as the
 * database is starting up.
 */
export class PatientBackend extends PostgresQueueBackend {
  /** Timers of a machine that slept, or whose clock was set, are off: nobody sleeps for an hour on them. */
  override get maximumBlockTimeout(): number {
    return LONGEST_SLEEP_S;
  }

  override moveToActive: PostgresQueueBackend['moveToActive'] = (...args) => this.slowly(() => super.moveToActive(...args));
  override waitForJob: PostgresQueueBackend['waitForJob'] = (...args) => this.slowly(() => super.waitForJob(...args));

  override moveToCompleted: PostgresQueueBackend['moveToCompleted'] = (...args) => this.persist(() => super.moveToCompleted(...args));
  override moveToFailed: PostgresQueueBackend['moveToFailed'] = (...args) => this.persist(() => super.moveToFailed(...args));
  override moveToDelayed: PostgresQueueBackend['moveToDelayed'] = (...args) => this.persist(() => super.moveToDelayed(...args));
  override retryJob: PostgresQueueBackend['retryJob'] = (...args) => this.persist(() => super.retryJob(...args));

  private async slowly<T>(fetch: () => Promise<T>): Promise<T> {
    try {
      return await fetch();
    } catch (error) {
      if (!this.closing) await delay(AFTER_FAILED_FETCH_MS);
      throw error;
    }
  }

  private async persist<T>(step: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await step();
      } catch (error) {
        // Numbers are BullMQ's own verdicts: the job is gone, or somebody else has it.
        if (typeof (error as { code?: unknown }).code === 'number' || attempt >= TRIES || this.closing) throw error;
        await delay(BETWEEN_TRIES_MS * attempt);
      }
    }
  }
}
