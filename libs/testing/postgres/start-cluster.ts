import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '#libs/adapters/embedded-postgres';
import { auditMigrations, migrate, operationalMigrations } from '#libs/adapters/postgres';

// One server per test run, with a migrated template per kind of database. Run by the jest global set-up as a process of its own
// (jest does not transform set-up files in ESM mode); leaves what the specs need in cluster.json.
const directory = process.argv[2]!;
const server = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), settings: { max_connections: '200', file_copy_method: 'clone' } });
try {
  const passwords = (roles: readonly string[]): Record<string, string> => Object.fromEntries(roles.map((role) => [role, randomBytes(18).toString('base64url')]));
  const kinds = [
    ['operational', operationalMigrations, passwords(['holdfast_app', 'holdfast_follower'])],
    ['audit', auditMigrations, passwords(['holdfast_projector', 'holdfast_reader', 'holdfast_settler', 'holdfast_notary', 'holdfast_redactor', 'holdfast_pruner'])],
  ] as const;
  const admin = new pg.Client({ connectionString: server.url('postgres') });
  await admin.connect();
  for (const [kind, migrations, logins] of kinds) {
    await admin.query(`create database template_${kind}`);
    await migrate({ adminUrl: server.url(`template_${kind}`), migrations, logins });
  }
  await admin.end();
  writeFileSync(join(directory, 'cluster.json'), JSON.stringify({ pid: server.pid, port: server.port, adminUrl: server.url('postgres'), passwords: Object.assign({}, ...kinds.map(([, , logins]) => logins)) as Record<string, string> }), { mode: 0o600 });
} catch (error) {
  await server.stop();
  throw error;
}
