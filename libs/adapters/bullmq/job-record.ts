import { randomUUID } from 'node:crypto';
import type { Job, JobsOptions } from 'bullmq';
import { type DeadJob, jobBounds, JobsRefusal, type NewJob } from '#libs/ports';

/**
 * How a job of ours is kept as one of BullMQ's. Our id is its deduplication id, which may hold anything, while a job id of BullMQ may hold
 * no `:` and blocks the next job of the same id for as long as the failed one is kept. The data is JSON inside a string, because jsonb
 * refuses `\u0000` and lone surrogates and forgets the order of keys.
 */
export interface JobRecord {
  readonly id: string;
  readonly json: string;
  readonly attempts: number;
  readonly backoffMs: number;
}

export type StoredJob = Job<JobRecord, void>;

export interface PreparedJob {
  readonly name: string;
  readonly data: JobRecord;
  readonly opts: JobsOptions;
}

/** The name of our strategy among BullMQ's; it is computed by the worker. */
const BACKOFF = 'capped';

/** Checks a job against the bounds of the port and writes it down. */
export function prepareJob(job: NewJob, nowMs: number): PreparedJob {
  checkQueue(job.queue);
  checkText('id', job.id);
  checkText('name', job.name);
  const json = JSON.stringify(job.data) as string | undefined;
  if (json === undefined) throw new JobsRefusal('its data is not JSON');
  if (Buffer.byteLength(json) > jobBounds.dataBytes) throw new JobsRefusal(`its data is longer than ${jobBounds.dataBytes} bytes`);
  const { attempts = 10, backoffMs = 1_000, runAtMs = nowMs } = job;
  checkWhole('attempts', attempts, 1, jobBounds.attempts);
  checkWhole('backoffMs', backoffMs, 1, jobBounds.backoffMs);
  checkWhole('runAtMs', runAtMs, 0, nowMs + jobBounds.aheadMs);
  return prepareRecord(job.name, { id: job.id, json, attempts, backoffMs }, nowMs, runAtMs);
}

/** The same for a record that was checked when it was first added. */
export function prepareRecord(name: string, record: JobRecord, nowMs: number, runAtMs: number): PreparedJob {
  return {
    name,
    data: record,
    opts: {
      // Given, because BullMQ counts its own with a sequence for each queue, which it would have to be allowed to create.
      jobId: randomUUID(),
      deduplication: { id: record.id, keepLastIfActive: true },
      timestamp: nowMs,
      delay: Math.max(0, runAtMs - nowMs),
      attempts: record.attempts,
      backoff: { type: BACKOFF, delay: record.backoffMs },
      removeOnComplete: true,
      removeOnFail: { count: jobBounds.dead, age: jobBounds.deadMs / 1_000 },
      stackTraceLimit: 0,
    },
  };
}

/** How long to wait after attempt n; the jitter keeps jobs that failed together from coming back together. */
export function backoffAfter(attempt: number, backoffMs: number): number {
  const full = Math.min(jobBounds.backoffMs, backoffMs * 2 ** (attempt - 1));
  return Math.max(1, Math.round(full * (0.5 + Math.random() / 2)));
}

export function deadJob(queue: string, job: StoredJob): DeadJob {
  return {
    key: job.id!,
    queue,
    name: job.name,
    id: job.data.id,
    data: JSON.parse(job.data.json),
    attempts: job.attemptsMade,
    lastError: job.failedReason ?? '',
    failedAtMs: job.finishedOn ?? 0,
  };
}

/** The text of an error as it can be kept: bounded, and of characters that a column of text takes. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.slice(0, jobBounds.errorLength).replaceAll('\0', '\uFFFD').toWellFormed();
}

export function checkQueue(queue: string): void {
  if (queue.length > jobBounds.queueLength || !/^[a-z0-9][a-z0-9-]*$/.test(queue)) throw new JobsRefusal('its queue has no name of lower-case letters, digits and -');
}

export function checkText(what: string, text: string): void {
  if (text.length > jobBounds.idLength || !/^[\x20-\x7e]+$/.test(text)) throw new JobsRefusal(`its ${what} is not printable ASCII of at most ${jobBounds.idLength} characters`);
}

export function checkWhole(what: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) throw new JobsRefusal(`its ${what} is not a whole number from ${least} to ${most}`);
}
