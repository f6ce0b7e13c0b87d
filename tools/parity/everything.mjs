// The servers behind Holdfast, as processes of their own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../prepare.mjs';

const START_MS = 20_000;
const STOP_MS = 5_000;

/** `eras` is `modern` or `legacy` for a server that speaks only this one. */
export function startEverything(eras = 'both') {
  return start('everything', { EVERYTHING_ERAS: eras });
}

/** Has what the scenarios about tasks want, as ordinary tools. */
export function startChores() {
  return start('chores', {});
}

async function start(name, env) {
  const child = spawn(process.execPath, [join(root, 'dist', 'apps', 'e2e', name, 'main.js')], { env: { PATH: process.env.PATH, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
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
    throw new Error(`the ${name} server did not start`);
  }
  return { url: JSON.parse(first[0]).url, stop };
}
