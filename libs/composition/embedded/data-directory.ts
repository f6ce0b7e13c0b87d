import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Refusal } from '#libs/contracts';

/** The files of an embedded installation. Everything in it belongs to one running Holdfast. */
export interface DataDirectory {
  readonly path: string;
  readonly postgres: string;
  readonly spool: string;
  /** Passwords of the database logins, made at the first start. */
  readonly logins: Readonly<Record<string, string>>;
  readonly masterKey: Uint8Array;
}

const LOGINS = ['holdfast_app', 'holdfast_follower', 'holdfast_projector', 'holdfast_reader', 'holdfast_settler', 'holdfast_notary', 'holdfast_redactor', 'holdfast_pruner'];

export function openDataDirectory(path: string, masterKeyFile: string | undefined): DataDirectory {
  const absolute = resolve(path);
  try {
    // Searchable for others when started as root: the database server runs as another user and owns a folder below.
    mkdirSync(absolute, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    if (!statSync(absolute).isDirectory()) throw new Refusal('data_not_writable', `${absolute} is not a directory`);
    accessSync(absolute, constants.R_OK | constants.W_OK | constants.X_OK);
    writeFileSync(join(absolute, '.probe'), '');
    rmSync(join(absolute, '.probe'));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal('data_not_writable', `cannot write the data directory ${absolute} (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
  }
  return {
    path: absolute,
    postgres: join(absolute, 'postgres'),
    spool: join(absolute, 'spool'),
    logins: readLogins(join(absolute, 'logins.json')),
    masterKey: readMasterKey(masterKeyFile ?? join(absolute, 'master.key'), masterKeyFile === undefined, existsSync(join(absolute, 'postgres', 'cluster'))),
  };
}

function readLogins(file: string): Readonly<Record<string, string>> {
  let logins: Record<string, string> = {};
  if (existsSync(file)) {
    try {
      logins = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    } catch {
      throw new Refusal('data_corrupt', `${file} is damaged; remove it and new database passwords are made at the next start`);
    }
  }
  const missing = LOGINS.filter((login) => typeof logins[login] !== 'string');
  if (missing.length > 0) {
    for (const login of missing) logins[login] = randomBytes(24).toString('base64url');
    writePrivate(file, JSON.stringify(logins));
  }
  return logins;
}

/** 32 bytes in base64. A lost master key is never replaced in silence: it would make every sealed value unreadable. */
function readMasterKey(file: string, mayCreate: boolean, hasData: boolean): Uint8Array {
  if (!existsSync(file)) {
    if (!mayCreate || hasData) throw new Refusal('data_corrupt', `the master key ${file} is missing; without it sealed values cannot be read`);
    writePrivate(file, `${randomBytes(32).toString('base64')}\n`);
  }
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length !== 32) throw new Refusal('data_corrupt', `the master key ${file} does not hold 32 bytes in base64`);
  return key;
}

/** Replaces a file as a whole, readable by its owner only. */
export function writePrivate(file: string, contents: string): void {
  writeFileSync(`${file}.new`, contents, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/**
 * Keeps two starts from creating the same installation at once. Held only until the database lock is: a crash leaves at most a
 * file that names a process that is gone.
 */
export async function whileStarting<T>(data: DataDirectory, start: () => Promise<T>): Promise<T> {
  const file = join(data.path, 'starting.pid');
  for (let attempt = 0; ; attempt++) {
    try {
      // Linked when whole: a file that does not name its owner yet would look like one that a crash left.
      const own = `${file}.${process.pid}`;
      writeFileSync(own, String(process.pid), { mode: 0o600 });
      try {
        linkSync(own, file);
      } finally {
        rmSync(own, { force: true });
      }
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const pid = Number(existsSync(file) ? readFileSync(file, 'utf8') : NaN);
      if (pid > 0 && pid !== process.pid && isAlive(pid)) throw new Refusal('already_running', `another Holdfast (pid ${pid}) is just starting on ${data.path}`);
      if (attempt > 20) throw new Refusal('data_not_writable', `cannot take ${file}`);
      rmSync(file, { force: true });
    }
  }
  try {
    return await start();
  } finally {
    rmSync(file, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
