import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, closeSync, existsSync, lstatSync, mkdirSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Refusal } from '#libs/contracts';
import { locateBinaries } from './binaries.ts';
import { isRunning, readPostmaster, stopPostmaster } from './postmaster.ts';
import { reachableBy, type RunAs, runAsOfThisProcess } from './run-as.ts';

const run = promisify(execFile);

/** Where data of a root-owned installation goes when PostgreSQL's user cannot reach the data directory itself. */
const SYSTEM_DIRECTORY = '/var/lib/holdfast';
const SUPERUSER = 'postgres';

export interface EmbeddedPostgresOptions {
  /** Owned by this module: cluster, superuser password, server log. */
  readonly directory: string;
  /** Extra `name=value` settings. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told what takes time, for people who wait. */
  readonly progress?: (sentence: string) => void;
}

export interface EmbeddedPostgres {
  readonly pid: number;
  readonly port: number;
  /** A server of an earlier, killed process was still running and goes on. */
  readonly adopted: boolean;
  /** Connection string of the superuser for a database on this server. */
  url(database: string): string;
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL server of a data directory, creating the cluster first when there is none. A server that outlived its
 * starter is adopted when it answers and replaced when it does not. The server is a process of its own: killing this process
 * leaves it running for the next start.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const progress = options.progress ?? (() => undefined);
  const runAs = runAsOfThisProcess();
  const directory = prepareDirectory(resolve(options.directory), runAs);
  const cluster = join(directory, 'cluster');
  const binaries = locateBinaries(runAs, SYSTEM_DIRECTORY);

  if (!existsSync(cluster)) {
    progress('creating the embedded PostgreSQL cluster');
    await createCluster(binaries, directory, cluster, runAs);
  }
  checkCluster(cluster);
  const password = readFileSync(join(directory, 'superuser'), 'utf8').trim();
  const handle = (pid: number, port: number, adopted: boolean): EmbeddedPostgres => ({
    pid,
    port,
    adopted,
    // Said in the URL, so that PGSSLMODE of a user's other databases does not count here.
    url: (database) => `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}?sslmode=disable`,
    stop: () => stopPostmaster(pid, cluster),
  });

  const adopted = await adopt(cluster);
  if (adopted) return handle(adopted.pid, adopted.port, true);
  progress('starting the embedded PostgreSQL');
  const started = await start(binaries, directory, cluster, options.settings ?? {}, runAs);
  return handle(started.pid, started.port, false);
}

/** The port of the server that runs on a data directory; undefined when none does. Starts and changes nothing. */
export function runningPort(directory: string): number | undefined {
  const cluster = join(realpathSync(directory), 'cluster');
  const found = readPostmaster(cluster);
  return found?.ready && isRunning(found.pid, cluster) ? found.port : undefined;
}

/**
 * Makes the directory and gives it to the user the server runs as; behind a symbolic link when that user could not get there. What
 * the link names is new each time and the link alone says where it is: a data directory that was removed and made again begins
 * empty, and one that was moved finds its cluster.
 */
function prepareDirectory(directory: string, runAs: RunAs | undefined): string {
  try {
    if (!runAs || reachableBy(resolve(directory, '..'), runAs) || lstatSync(directory, { throwIfNoEntry: false })?.isSymbolicLink()) {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    } else {
      const elsewhere = join(SYSTEM_DIRECTORY, randomBytes(8).toString('hex'));
      mkdirSync(SYSTEM_DIRECTORY, { recursive: true, mode: 0o755 });
      mkdirSync(elsewhere, { recursive: true, mode: 0o700 });
      mkdirSync(resolve(directory, '..'), { recursive: true });
      symlinkSync(elsewhere, directory);
    }
    const real = realpathSync(directory);
    if (runAs) chownSync(real, runAs.uid, runAs.gid);
    const probe = join(real, '.probe');
    writeFileSync(probe, '');
    rmSync(probe);
    return real;
  } catch (error) {
    throw new Refusal('data_not_writable', `cannot write ${directory} (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
  }
}

/** The server needs nothing of our environment, and may run as another user, who could read the secrets that stand in it. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, LD_LIBRARY_PATH, SystemRoot } = process.env;
  const wanted = { PATH, HOME, TMPDIR, LD_LIBRARY_PATH, SystemRoot, LC_ALL: 'C' };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
}

async function createCluster(binaries: string, directory: string, cluster: string, runAs: RunAs | undefined): Promise<void> {
  const passwordFile = join(directory, 'superuser');
  writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  const partial = `${cluster}.new`;
  rmSync(partial, { recursive: true, force: true });
  if (runAs) chownSync(passwordFile, runAs.uid, runAs.gid);
  const encoding = ['--encoding=UTF8', '--locale=C', '--data-checksums', '--no-instructions'];
  await run(join(binaries, 'bin', 'initdb'), ['-D', partial, '-U', SUPERUSER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, ...encoding], {
    cwd: directory,
    ...(runAs ?? {}),
    env: serverEnvironment(),
  }).catch((error: { stderr?: string; message: string }) => {
    throw new Refusal('data_not_writable', `initdb failed: ${(error.stderr ?? error.message).trim().split('\n').pop()}`);
  });
  // Renamed when whole: a start that was killed half-way leaves nothing that looks like a cluster.
  renameSync(partial, cluster);
}

function checkCluster(cluster: string): void {
  const version = join(cluster, 'PG_VERSION');
  if (!existsSync(version) || !existsSync(join(cluster, 'global', 'pg_control'))) {
    throw new Refusal('data_corrupt', `${cluster} is not a whole PostgreSQL cluster; restore it from a backup, or move it away to begin anew`);
  }
  const major = readFileSync(version, 'utf8').trim();
  if (major !== '18') throw new Refusal('data_corrupt', `${cluster} was made by PostgreSQL ${major}, this Holdfast brings PostgreSQL 18`);
}

async function adopt(cluster: string): Promise<{ pid: number; port: number } | undefined> {
  for (let waited = 0; ; waited += 50) {
    const found = readPostmaster(cluster);
    if (!found || !isRunning(found.pid, cluster)) return undefined;
    if (found.ready) return found;
    if (waited >= 15_000) {
      await stopPostmaster(found.pid, cluster);
      return undefined;
    }
    await sleep(50);
  }
}

/** What a server says when the next try may well succeed. */
const PASSING = /could not bind|address already in use|shared memory|lock file|being accessed/i;

async function start(binaries: string, directory: string, cluster: string, extra: Readonly<Record<string, string>>, runAs: RunAs | undefined): Promise<{ pid: number; port: number }> {
  // Children of a killed server hold its shared memory for a moment; a free port can be taken between probe and use.
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const settings: Record<string, string> = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      max_connections: '100',
      shared_buffers: '128MB',
      max_wal_size: '2GB',
      checkpoint_timeout: '15min',
      jit: 'off',
      log_timezone: 'UTC',
      timezone: 'UTC',
      ...extra,
    };
    const log = join(directory, 'server.log');
    const logStart = existsSync(log) ? statSync(log).size : 0;
    const fd = openSync(log, 'a', 0o600);
    const child = spawn(join(binaries, 'bin', 'postgres'), ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])], {
      cwd: cluster,
      detached: true,
      stdio: ['ignore', fd, fd],
      ...(runAs ?? {}),
      env: serverEnvironment(),
    });
    closeSync(fd);
    chmodSync(log, 0o600);
    const exited = new Promise<string>((settle) => {
      child.once('exit', (code, signal) => settle(`exited with ${signal ?? code}`));
      child.once('error', (error) => settle(error.message));
    });
    child.unref();
    for (let waited = 0; waited < 60_000; waited += 15) {
      const found = readPostmaster(cluster);
      if (found && found.pid === child.pid && found.ready) return { pid: found.pid, port: found.port };
      const end = await Promise.race([exited, sleep(15)]);
      if (end !== undefined) break;
    }
    const lines = readFileSync(log).subarray(logStart).toString('utf8').trim().split('\n');
    if (attempt === 5 || !lines.some((line) => PASSING.test(line))) {
      throw new Refusal('data_corrupt', `the embedded PostgreSQL did not start: ${lines.filter((line) => /FATAL|PANIC|ERROR/.test(line)).pop() ?? lines.pop() ?? 'no message'} (log: ${log})`);
    }
    await sleep(400 * attempt);
  }
}

function freePort(): Promise<number> {
  return new Promise((settle, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => settle(port));
    });
  });
}
