import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { findRedis, startRedis } from '#libs/testing';
import { jobsContract } from '../../testing/contract-suites/jobs.contract.ts';
import { BullmqJobs } from './bullmq-jobs.ts';
import { startJobProcess } from './spec/start-job-process.ts';

const server = findRedis();

async function admin<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { connectionName: 'spec' });
  client.on('error', () => undefined);
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

if (server === undefined) {
  const reason = 'no redis-server in the path, and HOLDFAST_REDIS_SERVER does not name one';
  process.stderr.write(`skipped: jobs on Redis, because there is ${reason}\n`);
  // oxlint-disable-next-line jest/no-disabled-tests, jest/expect-expect -- not every machine has Redis, and then says so
  it.skip(`Jobs: BullMQ on Redis: ${reason}`, () => undefined);
} else {
  jobsContract('BullMQ on Redis', async () => {
    const redis = await startRedis(server);
    return {
      connect: () => BullmqJobs.onRedis({ url: redis.url, takeOverAfterMs: 2_000, closeWithinMs: 3_000, answerWithinMs: 3_000, onTrouble: () => undefined }),
      start: startJobProcess('redis', redis.url),
      cut: () => admin(redis.url, async (client) => void (await client.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes'))),
      away: () => redis.kill(),
      back: () => redis.start(),
      connections: () => admin(redis.url, async (client) => String(await client.client('LIST')).split('\n').filter((line) => line !== '' && !line.includes('name=spec')).length),
      close: () => redis.stop(),
    };
  });

  describe('a Redis that may forget jobs', () => {
    it('is refused as a store of them', async () => {
      const redis = await startRedis(server);
      await admin(redis.url, (client) => client.config('SET', 'maxmemory-policy', 'allkeys-lru'));
      const troubles: string[] = [];
      const jobs = BullmqJobs.onRedis({ url: redis.url, onTrouble: ({ error }) => troubles.push(error.message) });
      await expect(jobs.add({ queue: 'q', name: 'n', id: '1', data: null })).rejects.toThrow('noeviction');
      await jobs.close();
      expect(troubles).toEqual([]);
      await redis.stop();
    });
  });
}
