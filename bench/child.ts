import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** In a child: tells the parent where it listens, and ends when the parent is gone, however it went. */
export function announce(message: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
  process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
}

export interface Child {
  readonly pid: number;
  readonly port: number;
  readonly stop: () => Promise<void>;
}

const ANNOUNCE_MS = 20_000;

/** Starts a script of this folder as a process of its own (compiled or not, like the caller) and waits for its port. */
export async function startChild(script: string, args: readonly string[] = []): Promise<Child> {
  const file = join(import.meta.dirname, script + extname(import.meta.filename));
  const child = spawn(process.execPath, [...process.execArgv, file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => undefined);
  try {
    const [line] = (await once(child.stdout, 'data', { signal: AbortSignal.timeout(ANNOUNCE_MS) })) as [Buffer];
    const { port } = JSON.parse(line.toString()) as { port: number };
    return { pid: child.pid!, port, stop: () => stopProcess(child, 2_000) };
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`${script} did not start`, { cause: error });
  }
}

/** Asks a process to end, and ends it when it does not within `patienceMs`. */
export async function stopProcess(child: ChildProcess, patienceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const done = new AbortController();
  await Promise.race([exited, sleep(patienceMs, undefined, { signal: done.signal }).catch(() => undefined)]);
  done.abort();
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await exited;
}
