import { setTimeout as delay } from 'node:timers/promises';
import { BullmqJobs } from '../bullmq-jobs.ts';

// A process of its own for the contract suite: `hold` takes a job and never finishes it, `add` adds one and dies on the spot.
const [kind, url, does, queue, id] = process.argv.slice(2) as [string, string, string, string, string];
const options = { url, takeOverAfterMs: 2_000, onTrouble: () => undefined };
const jobs = kind === 'postgres' ? BullmqJobs.onPostgres(options) : BullmqJobs.onRedis(options);
const say = (word: string): Promise<void> => new Promise((resolve) => process.stdout.write(`${word}\n`, () => resolve()));

if (does === 'add') {
  await jobs.add({ queue, name: 'from-elsewhere', id, data: { id } });
  await say('added');
  process.kill(process.pid, 'SIGKILL');
} else {
  jobs.work(
    queue,
    async (job) => {
      job.signal.addEventListener('abort', () => void say(`lost ${job.id}`));
      await say(`holds ${job.id}`);
      await delay(600_000);
    },
    { concurrency: 1 },
  );
}
