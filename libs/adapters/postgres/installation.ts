import pg from 'pg';
import { Refusal } from '#libs/contracts';
import { migrate } from './migrate.ts';
import { auditMigrations } from './migrations/audit.ts';
import { operationalMigrations } from './migrations/operational.ts';

export interface Installation {
  /** Resolves when the claim is gone without having been released: the database server ended, or somebody ended our connection. */
  readonly lost: Promise<void>;
  /** Ends the claim on the installation; the next start may have it. */
  release(): Promise<void>;
}

export interface InstallationOptions {
  /** Administrator's connection to the operational database; made when it does not exist. */
  readonly operationalUrl: string;
  readonly auditUrl: string;
  readonly logins: Readonly<Record<string, string>>;
  readonly progress?: (sentence: string) => void;
}

const CLAIM = `hashtext('holdfast installation')`;
/** A server that takes connections and never answers must not hang a start. */
const CONNECT_TIMEOUT_MS = 15_000;
const CLAIM_PATIENCE_MS = 3_000;

/**
 * Claims both databases for this process, ends what earlier processes left connected, and brings the schemas up to date. The claim
 * is a session lock: it goes when this process goes, however it goes.
 */
export async function claimInstallation(options: InstallationOptions): Promise<Installation> {
  for (const url of [options.operationalUrl, options.auditUrl]) await createDatabase(url);
  const claim = new pg.Client({ connectionString: options.operationalUrl, application_name: 'holdfast-claim', keepAlive: true, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  claim.on('error', () => undefined);
  let released = false;
  const lost = new Promise<void>((resolve) => claim.on('end', () => released || resolve()));
  await claim.connect();
  try {
    for (let waited = 0; ; waited += 100) {
      const { rows } = await claim.query<{ claimed: boolean }>(`select pg_try_advisory_lock(${CLAIM}) as claimed`);
      if (rows[0]!.claimed) break;
      if (waited >= CLAIM_PATIENCE_MS) throw new Refusal('already_running');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await endOthers(claim, [options.operationalUrl, options.auditUrl].map(databaseOf));
    const operational = Object.fromEntries(Object.entries(options.logins).filter(([role]) => OPERATIONAL_LOGINS.has(role)));
    const audit = Object.fromEntries(Object.entries(options.logins).filter(([role]) => !OPERATIONAL_LOGINS.has(role)));
    options.progress?.('bringing the database schemas up to date');
    await migrate({ adminUrl: options.operationalUrl, migrations: operationalMigrations, logins: operational });
    await migrate({ adminUrl: options.auditUrl, migrations: auditMigrations, logins: audit });
  } catch (error) {
    await claim.end().catch(() => undefined);
    throw error;
  }
  return {
    lost,
    release: () => {
      released = true;
      return claim.end().catch(() => undefined);
    },
  };
}

const OPERATIONAL_LOGINS = new Set(['holdfast_app', 'holdfast_follower']);

/** The same server and database as another role. */
export function urlAs(adminUrl: string, role: string, password: string): string {
  const url = new URL(adminUrl);
  url.username = role;
  url.password = password;
  return url.toString();
}

function databaseOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

async function createDatabase(url: string): Promise<void> {
  const name = databaseOf(url);
  const server = new URL(url);
  server.pathname = '/postgres';
  const client = new pg.Client({ connectionString: server.toString(), application_name: 'holdfast-create', connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } catch (error) {
    // Somebody else made it between the look and the try.
    if ((error as { code?: string }).code !== '42P04' && (error as { code?: string }).code !== '23505') throw error;
  } finally {
    await client.end();
  }
}

/** A killed process's last statement may still be running: it must not commit after we have judged what it left open. */
async function endOthers(claim: pg.Client, databases: readonly string[]): Promise<void> {
  const others = `from pg_stat_activity where datname = any($1) and pid <> pg_backend_pid() and backend_type = 'client backend'`;
  await claim.query(`select pg_terminate_backend(pid) ${others}`, [databases]);
  for (let waited = 0; waited < 5_000; waited += 20) {
    if ((await claim.query(`select ${others}`, [databases])).rowCount === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Refusal('database_unavailable', 'connections of an earlier process do not end');
}
