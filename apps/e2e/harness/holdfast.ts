import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = join(import.meta.dirname, '..', '..', '..');
const SOLO = join(root, 'dist', 'apps', 'solo', 'main.js');
const CLI = join(root, 'dist', 'apps', 'cli', 'main.js');
const READY_MS = 60_000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An installation under test: a data directory that outlives its processes. `close` ends whatever still runs, by pid. */
export class Installation {
  readonly data: string;
  port = 0;
  private process: ChildProcess | undefined;
  private exited: Promise<Exit> | undefined;
  private output = '';

  constructor(private readonly env: Readonly<Record<string, string>> = {}) {
    this.data = join(directory(), 'data');
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  get stdout(): string {
    return this.output;
  }

  /** Starts and waits until it is ready to serve. */
  async start(...args: readonly string[]): Promise<this> {
    await this.launch(...args);
    for (let waited = 0; waited < READY_MS; waited += 50) {
      const ended = await Promise.race([this.exited!, sleep(50)]);
      if (ended) throw new Error(`Holdfast ended with ${ended.code ?? ended.signal}: ${ended.stderr.slice(-4000)}`);
      const ready = await fetch(`${this.url}/readyz`).then((response) => response.ok, () => false);
      if (ready) return this;
    }
    throw new Error(`Holdfast was not ready in ${READY_MS} ms`);
  }

  /** Starts without waiting; `exit` tells how it ended. */
  async launch(...args: readonly string[]): Promise<void> {
    this.port ||= await freePort();
    const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', HOLDFAST_DATA: this.data, HOLDFAST_PORT: String(this.port), LOG_LEVEL: 'warn', ...this.env };
    const child = spawn(process.execPath, [SOLO, ...args], { cwd: join(this.data, '..'), env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = child;
    this.output = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-64_000)));
    this.exited = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, stdout: this.output, stderr })));
  }

  exit(): Promise<Exit> {
    return this.exited!;
  }

  async stop(): Promise<Exit> {
    this.process?.kill('SIGTERM');
    return this.exit();
  }

  /** SIGKILL of the process that serves; the database and the projector are on their own. */
  async killBroker(): Promise<void> {
    this.process!.kill('SIGKILL');
    await this.exit();
  }

  /** SIGKILL of everything: the process, its children, the database server and all its backends. */
  async killTree(): Promise<void> {
    const postmaster = this.postmaster();
    const all = [...descendants(this.process!.pid!), ...(postmaster ? [postmaster, ...descendants(postmaster)] : [])];
    for (const pid of [this.process!.pid!, ...all]) kill(pid);
    await this.exit();
    for (const pid of all) await gone(pid);
  }

  /** The database server's process. A server that begins makes its file first and writes its number into it then. */
  postmaster(): number | undefined {
    const file = join(this.data, 'postgres', 'cluster', 'postmaster.pid');
    if (!existsSync(file)) return undefined;
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
    return pid > 0 ? pid : undefined;
  }

  /** The database server and all its backends. */
  databaseProcesses(): number[] {
    const postmaster = this.postmaster()!;
    return [postmaster, ...descendants(postmaster)];
  }

  children(): number[] {
    return descendants(this.process!.pid!);
  }

  /** Runs the command line against this installation. */
  async cli(...args: readonly string[]): Promise<Exit> {
    return run([CLI, ...args], { HOLDFAST_DATA: this.data });
  }

  async close(): Promise<void> {
    if (this.process && this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGTERM');
      const ended = await Promise.race([this.exited!, sleep(15_000, undefined, { ref: false })]);
      if (!ended) await this.killTree();
    }
    const postmaster = this.postmaster();
    if (postmaster && alive(postmaster)) {
      // A test may have left it frozen.
      for (const pid of this.databaseProcesses()) process.kill(pid, 'SIGCONT');
      process.kill(postmaster, 'SIGQUIT');
      await gone(postmaster);
    }
    rmSync(join(this.data, '..'), { recursive: true, force: true, maxRetries: 5 });
  }
}

export async function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Exit> {
  const child = spawn(process.execPath, [...args], { env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr })));
}

/** A directory of its own that the database server's user can reach. */
export function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'));
  chmodSync(path, 0o755);
  return path;
}

export interface TestKey {
  readonly id: string;
  readonly tenant: string;
  readonly user: string;
  readonly client: string;
  readonly roles: readonly string[];
  readonly agent?: string;
  readonly servers?: readonly string[];
  readonly expiresAt?: string;
}

/** A new API key: the token for the caller, the entry for the configuration. */
export function newKey(key: TestKey): { readonly token: string; readonly entry: Record<string, unknown> } {
  const token = `hf_${randomBytes(32).toString('base64url')}`;
  return { token, entry: { ...key, sha256: createHash('sha256').update(token).digest('hex') } };
}

/** Writes a configuration (YAML takes JSON) and returns its path. */
export function writeConfig(config: unknown): string {
  const path = join(directory(), 'holdfast.yaml');
  writeFileSync(path, JSON.stringify(config, null, 2));
  return path;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

function descendants(pid: number): number[] {
  const parents = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const found: number[] = [];
  const visit = (parent: number): void => {
    for (const [child, of] of parents) {
      if (of !== parent) continue;
      found.push(child);
      visit(child);
    }
  };
  visit(pid);
  return found;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already, which is what was wanted.
  }
}

/** Whether a process still runs. One that has ended and waits for its parent to ask how does not: nobody may ever ask. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
  return !/\) [ZX] /.test(stat);
}

async function gone(pid: number): Promise<void> {
  for (let waited = 0; waited < 10_000 && alive(pid); waited += 20) await sleep(20);
}
