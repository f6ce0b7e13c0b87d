import { Refusal } from '#libs/contracts';
import type { Progress } from './queries.ts';

const encoder = new TextEncoder();
const line = (value: unknown): Uint8Array => encoder.encode(`${JSON.stringify(value)}\n`);

/**
 * A long answer as NDJSON: progress lines while it is being made, then one line with the result or with the error. When the reader
 * goes away the work is told at its next step and ends.
 */
export async function* progressLines<T>(work: (progress: Progress) => Promise<T>): AsyncGenerator<Uint8Array> {
  let latest: { done: number; total: number } | undefined;
  let wake: () => void = () => undefined;
  let gone = false;
  let finished = false;
  const running = work((done, total) => {
    if (gone) throw new Error('nobody is waiting for this any more');
    latest = { done, total };
    wake();
  }).finally(() => {
    finished = true;
    wake();
  });
  running.catch(() => undefined);
  try {
    while (!finished) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (finished || latest) resolve();
      });
      if (latest) yield line({ progress: latest });
      latest = undefined;
    }
    yield line({ result: await running });
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal('internal');
    yield line({ error: { code: refusal.code, title: refusal.message } });
  } finally {
    gone = true;
  }
}
