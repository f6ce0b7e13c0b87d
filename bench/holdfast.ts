import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopProcess } from './child.ts';

export interface HoldfastUnderTest {
  /** The main process first, then the PostgreSQL it started, which is not its child. */
  readonly roots: readonly number[];
  readonly url: string;
  readonly token: string;
  /** Events the projector has not taken yet; undefined when it does not say. */
  lag(): Promise<number | undefined>;
  /** `holdfast audit verify` on this installation: its exit code, and what it printed. */
  verify(): Promise<{ readonly exitCode: number; readonly output: string }>;
  readonly stop: () => Promise<void>;
}

/** This file runs from bench/ or from dist/bench/. */
export const repository = join(import.meta.dirname, ...(import.meta.filename.endsWith('.ts') ? ['..'] : ['..', '..']));
export const SOLO = join(repository, 'dist', 'apps', 'solo', 'main.js');
const COMMAND = join(repository, 'tools', 'holdfast.mjs');
const READY_MS = 60_000;
const STOP_MS = 20_000;
const VERIFY_MS = 300_000;
const OUTPUT_KEPT = 16_000;
/** What the product ends with when it does not accept its configuration. */
const REFUSED_EXIT = 78;
const TMPFS = 0x01021994;

/** Where an upstream server is, as holdfast.yaml has it. */
export type Transport = { readonly type: 'http'; readonly url: string } | { readonly type: 'stdio'; readonly command: string; readonly args: readonly string[] };

/** The product does not start with this configuration, and says why. */
export class ConfigurationRefused extends Error {}

/** One tenant, one key, one rule that allows everything: what a call costs at least. */
function configuration(servers: Readonly<Record<string, Transport>>, token: string): Record<string, unknown> {
  const tenant = 'bench';
  return {
    apiVersion: 'holdfast/v1',
    tenants: [{ id: tenant, name: 'Bench' }],
    identity: {
      users: [{ id: 'bench-user', tenant, roles: ['agent'] }],
      keys: [{ id: 'bench-key', tenant, user: 'bench-user', client: 'bench', roles: ['agent', 'auditor'], sha256: createHash('sha256').update(token).digest('hex') }],
    },
    servers: Object.entries(servers).map(([id, transport]) => ({ id, tenant, transport, limits: { concurrency: 256 }, tools: { echo: { class: 'read' } } })),
    policies: [{ id: 'allow-all', tenant, effect: 'allow' }],
  };
}

/**
 * Starts the built product on a data directory of its own, on a real disk: where nothing is ever written to a disk, durability would
 * cost nothing and the numbers would say nothing. `servers` are the upstreams by id. Rejects with {@link ConfigurationRefused} when the
 * product refuses to start with them. `change` makes another configuration of it.
 */
export async function startHoldfast(servers: Readonly<Record<string, Transport>>, change: (base: Record<string, unknown>) => Record<string, unknown> = (base) => base): Promise<HoldfastUnderTest> {
  mkdirSync(join(repository, 'tmp'), { recursive: true });
  const directory = mkdtempSync(join(repository, 'tmp', 'bench-'));
  chmodSync(directory, 0o755);
  if (statfsSync(directory).type === TMPFS) console.warn(`${directory} is in memory: what follows is without a disk`);
  const data = join(directory, 'data');
  const config = join(directory, 'holdfast.yaml');
  const token = `hf_${randomBytes(32).toString('base64url')}`;
  writeFileSync(config, JSON.stringify(change(configuration(servers, token)), null, 2));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const environment = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', HOLDFAST_DATA: data, HOLDFAST_CONFIG: config, HOLDFAST_PORT: String(port), LOG_LEVEL: 'warn', NODE_ENV: 'production' };

  const server = spawn(process.execPath, [SOLO], { cwd: directory, env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  server.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-OUTPUT_KEPT)));
  const postmaster = (): number | undefined => {
    const file = join(data, 'postgres', 'cluster', 'postmaster.pid');
    return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : undefined;
  };
  const stop = async (): Promise<void> => {
    const database = postmaster();
    await stopProcess(server, STOP_MS);
    if (database !== undefined && isAlive(database)) {
      process.kill(database, 'SIGQUIT');
      for (let waited = 0; waited < 5_000 && isAlive(database); waited += 50) await sleep(50);
    }
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };

  try {
    for (let waited = 0; !(await answers(`${base}/readyz`)); waited += 50) {
      if (server.exitCode === REFUSED_EXIT) throw new ConfigurationRefused(said.trim());
      if (server.exitCode !== null || server.signalCode !== null) throw new Error(`Holdfast ended with ${server.exitCode ?? server.signalCode}: ${said}`);
      if (waited > READY_MS) throw new Error(`Holdfast was not ready in ${READY_MS} ms: ${said}`);
      await sleep(50);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const database = postmaster();
  return {
    roots: [server.pid!, ...(database === undefined ? [] : [database])],
    url: `${base}/mcp`,
    token,
    lag: () => readLag(`${base}/readyz`),
    verify: () => verify(environment),
    stop,
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(5_000) })).ok;
  } catch {
    return false;
  }
}

async function readLag(url: string): Promise<number | undefined> {
  try {
    const ready = (await (await fetch(url, { signal: AbortSignal.timeout(5_000) })).json()) as { projector?: { lag?: unknown } };
    const lag = Number(ready.projector?.lag);
    return Number.isFinite(lag) ? lag : undefined;
  } catch {
    return undefined;
  }
}

function verify(environment: NodeJS.ProcessEnv): Promise<{ exitCode: number; output: string }> {
  return new Promise((resolve, reject) => {
    const command = spawn(process.execPath, [COMMAND, 'audit', 'verify'], { env: environment, stdio: ['ignore', 'pipe', 'pipe'], timeout: VERIFY_MS });
    let output = '';
    for (const stream of [command.stdout, command.stderr]) stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-OUTPUT_KEPT)));
    command.once('error', reject);
    command.once('close', (code) => resolve({ exitCode: code ?? 1, output }));
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
