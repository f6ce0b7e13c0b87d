import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock, Ids } from '#libs/ports';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicUs: () => Math.round(performance.now() * 1000),
};

let lastMs = 0;
let counter = 0;
let pool = '';
let used = 0;

/** 62 random bits as the last two groups of a UUID, variant included; drawn in blocks. */
function randomGroups(): string {
  if (used + 16 > pool.length) {
    pool = randomBytes(2048).toString('hex');
    used = 0;
  }
  const hex = pool.slice(used, (used += 16));
  return `${'89ab'[Number.parseInt(hex[0]!, 16) & 3]!}${hex.slice(1, 4)}-${hex.slice(4)}`;
}

/** UUID version 7, increasing within this process also inside one millisecond and when the clock is set back. */
function uuidv7(): string {
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    counter = 0;
  } else if (++counter > 0x0fff) {
    lastMs++;
    counter = 0;
  }
  const time = lastMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${randomGroups()}`;
}

export const systemIds: Ids = { uuid: uuidv7, randomBytes: (length) => randomBytes(length) };

/** Waits; resolves early, without an error, when the signal aborts. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
}

export function timer(ms: number, callback: () => void): () => void {
  const handle = setTimeout(callback, ms);
  return () => clearTimeout(handle);
}

export const yieldTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
