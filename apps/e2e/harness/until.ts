import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 20_000;

/** Waits for a condition, looking again and again; the bound is there so that a defect fails instead of hanging. */
export async function until<T>(what: string, look: () => T | Promise<T>, patienceMs = PATIENCE_MS): Promise<NonNullable<Exclude<T, false>>> {
  for (let waited = 0; waited < patienceMs; waited += 20) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found as NonNullable<Exclude<T, false>>;
    await sleep(20);
  }
  throw new Error(`waited in vain: ${what}`);
}
