// The everything server as a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../prepare.mjs';

const START_MS = 20_000;
const STOP_MS = 5_000;

/** `eras` is `modern` or `legacy` for a server that speaks only this one. */
export async function startEverything(eras = 'both') {
  const child = spawn(process.execPath, [join(root, 'dist', 'apps', 'e2e', 'everything', 'main.js')], { env: { PATH: process.env.PATH, EVERYTHING_ERAS: eras }, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await Promise.race([ended, sleep(STOP_MS, undefined, { ref: false })]);
    child.kill('SIGKILL');
  };
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line'), ended.then(() => undefined), sleep(START_MS, undefined, { ref: false })]);
  if (first === undefined) {
    await stop();
    throw new Error('the everything server did not start');
  }
  return { url: JSON.parse(first[0]).url, stop };
}
