import { createHash } from 'node:crypto';
import pg from 'pg';
import { Refusal } from '#libs/contracts';
import type { Migration } from './migrations/migration.ts';

export interface MigrateOptions {
  /** Connection of a role that may create schemas and roles. */
  readonly adminUrl: string;
  readonly migrations: readonly Migration[];
  /** Passwords of login roles by name; set on every run, so that rotating one is starting with another. */
  readonly logins?: Readonly<Record<string, string>>;
}

/**
 * Brings a database to the newest schema, each step in a transaction of its own. Concurrent callers wait for each other. A
 * database with unknown later steps is served when none of them is breaking, and refused with a sentence otherwise.
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const client = new pg.Client({ connectionString: options.adminUrl, application_name: 'holdfast-migrate', connectionTimeoutMillis: 15_000 });
  await client.connect();
  try {
    await client.query(`select pg_advisory_lock(hashtext('holdfast migrations'))`);
    await client.query('create schema if not exists holdfast');
    await client.query('create table if not exists holdfast.migration (id int primary key, name text not null, breaking boolean not null, sha256 text not null, applied_at timestamptz not null default now())');
    const applied = new Map((await client.query<{ id: number; name: string; breaking: boolean; sha256: string }>('select id, name, breaking, sha256 from holdfast.migration')).rows.map((row) => [row.id, row]));
    const known = new Set(options.migrations.map((migration) => migration.id));
    for (const row of applied.values()) {
      if (!known.has(row.id) && row.breaking) throw new Refusal('schema_newer', `the database has step ${row.id} (${row.name}) of a newer Holdfast, which this version cannot work with`);
    }
    for (const migration of options.migrations) {
      const sha256 = createHash('sha256').update(migration.sql).digest('hex');
      const row = applied.get(migration.id);
      if (row && row.sha256 !== sha256) throw new Refusal('data_corrupt', `migration ${migration.id} (${migration.name}) was applied with other contents; landed migrations never change`);
      if (row) continue;
      await client.query('begin');
      try {
        await client.query(migration.sql);
        await client.query('insert into holdfast.migration (id, name, breaking, sha256) values ($1, $2, $3, $4)', [migration.id, migration.name, migration.breaking, sha256]);
        await client.query('commit');
      } catch (error) {
        await client.query('rollback');
        throw error;
      }
    }
    for (const [role, password] of Object.entries(options.logins ?? {})) {
      await client.query(`alter role ${client.escapeIdentifier(role)} password ${client.escapeLiteral(password)}`);
    }
  } finally {
    await client.end();
  }
}
