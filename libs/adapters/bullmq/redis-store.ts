import { createRedisBackend, type IQueueBackend, Queue } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import { EndingWorker } from './ending-worker.ts';
import type { JobRecord } from './job-record.ts';
import { EVENTS_KEPT, type JobStore, type OpenWorker, type StoreQueue } from './job-store.ts';
import { within } from './within.ts';

export interface RedisStoreOptions {
  readonly url: string;
  readonly prefix: string;
  readonly answerWithinMs: number;
  readonly onError: (error: Error) => void;
}

const OLDEST = [6, 2];

/** Jobs in a Redis that keeps what it is given. All queues share a connection, each worker has two. */
export class RedisStore implements JobStore {
  private client: Redis | undefined;
  private checked: Promise<void> | undefined;
  private readonly queues = new Map<string, StoreQueue>();
  private closed = false;

  constructor(private readonly options: RedisStoreOptions) {}

  async queue(name: string): Promise<StoreQueue> {
    // Nothing is kept here while Redis is away: who adds a job hears that it was not taken.
    this.client ??= this.connect('holdfast-jobs', { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: this.options.answerWithinMs });
    const client = this.client;
    await this.readiness(client);
    this.checked ??= checkServer(client);
    try {
      await this.checked;
    } catch (error) {
      this.checked = undefined;
      throw error;
    }
    let queue = this.queues.get(name);
    if (!queue) {
      const options = { connection: client, prefix: this.options.prefix, streams: { events: { maxLen: EVENTS_KEPT } } };
      queue = new Queue<JobRecord, void, string, JobRecord, void, string, IQueueBackend, unknown>(name, options, createRedisBackend as never);
      queue.on('error', this.options.onError);
      this.queues.set(name, queue);
    }
    return queue;
  }

  async openWorker(name: string, processor: Parameters<JobStore['openWorker']>[1], options: Parameters<JobStore['openWorker']>[2]): Promise<OpenWorker> {
    let over = false;
    // BullMQ makes the blocking connection as a copy of this one, so both end for good when the worker is over.
    const client = this.connect(`holdfast-jobs-${name}`, { maxRetriesPerRequest: null, retryStrategy: (times) => (over || this.closed ? null : retryAfter(times)) });
    const disconnect = (): Promise<void> => {
      over = true;
      client.disconnect();
      return Promise.resolve();
    };
    try {
      await this.readiness(client);
      await checkServer(client);
    } catch (error) {
      await disconnect();
      throw error;
    }
    const worker = new EndingWorker(name, processor, { ...options, connection: client, prefix: this.options.prefix } as never, createRedisBackend as never);
    return { worker, disconnect };
  }

  close(): Promise<void> {
    this.closed = true;
    this.client?.disconnect();
    return Promise.resolve();
  }

  private connect(name: string, options: RedisOptions): Redis {
    const client = new Redis(this.options.url, { connectionName: name, retryStrategy: (times) => (this.closed ? null : retryAfter(times)), connectTimeout: this.options.answerWithinMs, ...options });
    client.on('error', this.options.onError);
    return client;
  }

  /** A connection that is only just being made is waited for; one that was lost is not. */
  private async readiness(client: Redis): Promise<void> {
    if (client.status === 'connecting' || client.status === 'connect') {
      let done = (): void => undefined;
      const settled = new Promise<void>((resolve) => {
        done = resolve;
        client.once('ready', done).once('close', done);
      });
      await within(this.options.answerWithinMs, settled, () => undefined);
      client.off('ready', done).off('close', done);
    }
    if (client.status !== 'ready') throw new Error('no connection to Redis');
  }
}

const retryAfter = (times: number): number => Math.min(100 * times, 2_000);

/** A Redis that may forget jobs when its memory is full is no store of jobs. (BullMQ would print a warning and go on.) */
async function checkServer(client: Redis): Promise<void> {
  const info = await client.info();
  const [major = 0, minor = 0] = (/^redis_version:(\d+)\.(\d+)/m.exec(info) ?? []).slice(1).map(Number);
  if (major < OLDEST[0]! || (major === OLDEST[0] && minor < OLDEST[1]!)) throw new Error(`Redis is older than ${OLDEST.join('.')}`);
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy !== undefined && policy !== 'noeviction') throw new Error(`Redis has maxmemory-policy ${policy}, which may lose jobs; it must be noeviction`);
}
