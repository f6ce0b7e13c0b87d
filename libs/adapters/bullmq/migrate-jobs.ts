import { PostgresConnection, quoteSchemaName } from 'bullmq';

export interface MigrateJobsOptions {
  /** Connection of a role that may create a schema in this database. */
  readonly adminUrl: string;
  /** The role that adds and runs jobs; it must be there. */
  readonly role: string;
  readonly schema?: string;
}

/**
 * Makes or renews the tables of the jobs in a schema of their own, and lets a role use them: rows and functions, no definitions, and
 * nothing for anybody else. All steps are in one transaction, and concurrent callers wait for each other.
 */
export async function migrateJobs({ adminUrl, role, schema = 'jobs' }: MigrateJobsOptions): Promise<void> {
  const [where, who] = [quoteSchemaName(schema), quoteSchemaName(role)];
  const connection = new PostgresConnection({ connectionString: adminUrl, schema, migrate: true, skipVersionCheck: true, max: 1, application_name: 'holdfast-migrate-jobs', connectionTimeoutMillis: 15_000 });
  connection.on('error', () => undefined);
  try {
    await connection.waitUntilReady();
    // New steps may bring new tables, so rights are given each time; one query is one transaction.
    await connection.pool.query(`
      select pg_advisory_xact_lock(hashtext('holdfast migrations of jobs'));
      revoke all on schema ${where} from public;
      revoke all on all functions in schema ${where} from public;
      grant usage on schema ${where} to ${who};
      grant select, insert, update, delete on all tables in schema ${where} to ${who};
      grant usage on all sequences in schema ${where} to ${who};
      grant execute on all functions in schema ${where} to ${who};
      revoke insert, update, delete on ${where}.migration from ${who};
    `);
  } finally {
    await connection.close();
  }
}
