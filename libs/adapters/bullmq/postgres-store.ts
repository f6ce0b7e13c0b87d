import { type IQueueBackend, PostgresConnection, Queue } from 'bullmq';
import { EndingWorker } from './ending-worker.ts';
import { EVENTS_KEPT, type JobStore, type OpenWorker, type StoreQueue } from './job-store.ts';
import type { JobRecord } from './job-record.ts';
import { PatientBackend } from './patient-backend.ts';

export interface PostgresStoreOptions {
  readonly url: string;
  readonly schema: string;
  readonly answerWithinMs: number;
  readonly onError: (error: Error) => void;
}

const CONNECTIONS_OF_QUEUES = 4;
const CONNECTIONS_OF_A_WORKER = 3;

/** Jobs in a schema of a PostgreSQL database. All queues share a few connections; each worker has some of its own, one of them to listen. */
export class PostgresStore implements JobStore {
  private connection: Promise<PostgresConnection> | undefined;
  private queues = new Map<string, StoreQueue>();

  constructor(private readonly options: PostgresStoreOptions) {}

  async queue(name: string): Promise<StoreQueue> {
    this.connection ??= this.connect('holdfast-jobs', CONNECTIONS_OF_QUEUES);
    const connecting = this.connection;
    try {
      const connection = await connecting;
      let queue = this.queues.get(name);
      if (!queue) {
        const backend = (_: string, options: object): IQueueBackend => new PatientBackend(connection, name, options as never, false);
        queue = new Queue<JobRecord, void, string, JobRecord, void, string, IQueueBackend, unknown>(name, { connection: {}, streams: { events: { maxLen: EVENTS_KEPT } } }, backend as never);
        queue.on('error', this.options.onError);
        this.queues.set(name, queue);
      }
      return queue;
    } catch (error) {
      if (this.connection === connecting) this.connection = undefined;
      throw error;
    }
  }

  async openWorker(name: string, processor: Parameters<JobStore['openWorker']>[1], options: Parameters<JobStore['openWorker']>[2]): Promise<OpenWorker> {
    const connection = await this.connect(`holdfast-jobs-${name}`, CONNECTIONS_OF_A_WORKER);
    const backend = (_: string, given: object): IQueueBackend => new PatientBackend(connection, name, given as never, true, `holdfast-jobs-${name}`);
    const worker = new EndingWorker(name, processor, { ...options, connection: {} }, backend as never);
    return { worker, disconnect: () => connection.close() };
  }

  async close(): Promise<void> {
    const connection = await this.connection?.catch(() => undefined);
    await connection?.close();
  }

  /** BullMQ remembers for ever that a connection was not ready the first time, so one that was not is thrown away. */
  private async connect(application: string, max: number): Promise<PostgresConnection> {
    const { url, schema, answerWithinMs } = this.options;
    const connection = new PostgresConnection({
      connectionString: url,
      schema,
      skipVersionCheck: true,
      max,
      application_name: application,
      connectionTimeoutMillis: answerWithinMs,
      // The server cancels first; the client gives up on one that does not answer at all.
      statement_timeout: answerWithinMs,
      query_timeout: answerWithinMs + 1_000,
      keepAlive: true,
      // Said, because PGOPTIONS of the user's environment must not decide what durable means.
      options: '-c synchronous_commit=on',
    });
    connection.on('error', this.options.onError);
    try {
      await connection.waitUntilReady();
      return connection;
    } catch (error) {
      connection.close().catch(() => undefined);
      throw error;
    }
  }
}
