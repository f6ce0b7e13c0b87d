// The built product as a process of its own, for the tools that look at it from outside.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from './prepare.mjs';

const READY_MS = 60_000;
const STOP_MS = 20_000;

/**
 * Starts it in a directory of its own, on a free port, and waits until it serves. `stop` ends it and says with which code; `kill` ends
 * whatever is left of it, and does no harm when nothing is. `signal` gives up while it starts.
 */
export async function startHoldfast({ directory, node = process.execPath, env = {}, signal }) {
  // The database server may run as somebody else.
  chmodSync(directory, 0o755);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const data = join(directory, 'data');
  const environment = { PATH: process.env.PATH, HOME: process.env.HOME, HOLDFAST_DATA: data, HOLDFAST_PORT: String(port), LOG_LEVEL: 'warn', ...env };
  const server = spawn(node, [join(root, 'dist', 'apps', 'solo', 'main.js')], { cwd: directory, env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => server.once('exit', (code, signal) => resolve(code ?? signal)));
  const kill = () => {
    server.kill('SIGKILL');
    endDatabase(data);
  };
  const stop = async () => {
    server.kill('SIGTERM');
    const code = await Promise.race([ended, sleep(STOP_MS, `still there after ${STOP_MS} ms`, { ref: false })]);
    kill();
    return code;
  };
  try {
    await ready(url, ended, signal);
  } catch (error) {
    kill();
    throw error;
  }
  return { url, data, environment, stop, kill };
}

/** It outlives a server that was killed, and is no child of it. */
function endDatabase(data) {
  const file = join(data, 'postgres', 'cluster', 'postmaster.pid');
  if (!existsSync(file)) return;
  try {
    process.kill(Number(readFileSync(file, 'utf8').split('\n')[0]), 'SIGQUIT');
  } catch {
    // Gone already, which is what was wanted.
  }
}

async function ready(url, ended, signal) {
  for (let waited = 0; waited < READY_MS; waited += 100) {
    signal?.throwIfAborted();
    const over = await Promise.race([ended, sleep(100)]);
    if (over !== undefined) throw new Error(`Holdfast ended with ${over}`);
    if (await fetch(`${url}/readyz`).then((response) => response.ok, () => false)) return;
  }
  throw new Error('Holdfast was not ready in time');
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
