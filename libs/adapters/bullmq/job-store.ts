import type { IQueueBackend, Processor, Queue, WorkerOptions } from 'bullmq';
import type { EndingWorker } from './ending-worker.ts';
import type { JobRecord } from './job-record.ts';

export type StoreQueue = Queue<JobRecord, void, string, JobRecord, void, string, IQueueBackend, unknown>;
export type StoreWorkerOptions = Omit<WorkerOptions<unknown>, 'connection'>;

export interface OpenWorker {
  readonly worker: EndingWorker;
  /** Lets go of connections, whatever hangs on them. */
  disconnect(): Promise<void>;
}

/** What BullMQ keeps its jobs in. */
export interface JobStore {
  /** Rejects when the store is away. */
  queue(name: string): Promise<StoreQueue>;
  /** Rejects when the store is away; a worker that was opened comes back by itself. */
  openWorker(name: string, processor: Processor<JobRecord, void>, options: StoreWorkerOptions): Promise<OpenWorker>;
  close(): Promise<void>;
}

/** Events are for listeners that we do not have; BullMQ keeps this many at least. */
export const EVENTS_KEPT = 100;
