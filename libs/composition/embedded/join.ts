import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runningPort } from '#libs/adapters/embedded-postgres';
import { urlAs } from '#libs/adapters/postgres';
import { Refusal } from '#libs/contracts';
import { openDataDirectory } from './data-directory.ts';

export interface Joined {
  /** Operational database, as the application's role. */
  readonly databaseUrl: string;
  readonly spoolDirectory: string;
  readonly masterKey: Uint8Array;
}

/** What a further broker needs to serve an installation that another process runs. Nothing is created. */
export function joinInstallation(path: string, masterKeyFile: string | undefined, external: string | undefined): Joined {
  const absolute = resolve(path);
  const port = existsSync(join(absolute, 'postgres')) ? runningPort(join(absolute, 'postgres')) : undefined;
  if (!existsSync(join(absolute, 'logins.json')) || (external === undefined && port === undefined))
    throw new Refusal('not_running', `no Holdfast runs on ${absolute}: start one there first`);
  const data = openDataDirectory(absolute, masterKeyFile);
  const operational = external ?? `postgres://127.0.0.1:${port}/holdfast?sslmode=disable`;
  return { databaseUrl: urlAs(operational, 'holdfast_app', data.logins['holdfast_app']!), spoolDirectory: data.spool, masterKey: data.masterKey };
}
