import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';

export type DatabaseKind = 'operational' | 'audit';

export interface TestDatabase {
  readonly name: string;
  /** Connection of the superuser: for set-up, for looking behind the fences, for attacks. */
  readonly adminUrl: string;
  /** Connection of one of the product's login roles. */
  url(role: string): string;
  drop(): Promise<void>;
}

interface Cluster {
  readonly port: number;
  readonly adminUrl: string;
  readonly passwords: Readonly<Record<string, string>>;
}

/** A migrated database of its own for one spec file, copied from this run's template. */
export async function testDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  const directory = process.env['HOLDFAST_TEST_CLUSTER'];
  if (!directory) throw new Error('no test cluster: run specs that need PostgreSQL in the jest project "int"');
  const cluster = JSON.parse(readFileSync(join(directory, 'cluster.json'), 'utf8')) as Cluster;
  const name = `${kind}_${randomBytes(6).toString('hex')}`;
  await asAdmin(cluster.adminUrl, `create database ${name} template template_${kind} strategy file_copy`);
  return {
    name,
    adminUrl: cluster.adminUrl.replace(/\/postgres(?=\?|$)/, `/${name}`),
    url: (role) => {
      const password = cluster.passwords[role];
      if (!password) throw new Error(`no login role ${role} in the test cluster`);
      return `postgres://${role}:${password}@127.0.0.1:${cluster.port}/${name}?sslmode=disable`;
    },
    drop: () => asAdmin(cluster.adminUrl, `drop database if exists ${name} with (force)`),
  };
}

async function asAdmin(url: string, sql: string): Promise<void> {
  await withClient(url, (client) => client.query(sql));
}

/** Runs with a connection of its own, closed afterwards whatever happens. */
export async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
