import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventWriter, journalOf, projectInto, testDatabase, type TestDatabase, withClient } from '#libs/testing';

const LOGINS = ['holdfast_projector', 'holdfast_reader', 'holdfast_notary', 'holdfast_redactor', 'holdfast_pruner', 'holdfast_settler'] as const;
const TABLES = ['cursor', 'log_head', 'entry', 'tile', 'sealed', 'producer', 'call', 'finding'] as const;

/** Every verb that changes data or its guards, for a table. */
function verbs(table: string): string[] {
  return [
    `insert into audit.${table} select * from audit.${table}`,
    `insert into audit.${table} default values`,
    `update audit.${table} set ${table === 'cursor' ? 'next = 0' : `tenant = 'x'`}`,
    `delete from audit.${table}`,
    `truncate audit.${table}`,
    `truncate audit.${table} cascade`,
    `merge into audit.${table} t using (select 1) s on true when matched then delete`,
    `copy audit.${table} from stdin`,
    `drop table audit.${table} cascade`,
    `alter table audit.${table} disable trigger all`,
    `alter table audit.${table} disable row level security`,
    `alter table audit.${table} owner to current_user`,
    `alter table audit.${table} add column forged text`,
    `create policy open_all on audit.${table} using (true)`,
    `create trigger quiet before insert on audit.${table} execute function audit.refuse_change()`,
    `create rule hide as on insert to audit.${table} do instead nothing`,
    `create index on audit.${table} (${table === 'cursor' ? 'source' : 'tenant'})`,
    `do $$ begin lock table audit.${table} in access exclusive mode; end $$`,
  ];
}

/** What would get round the tables. */
const AROUND = [
  'create table audit.mine (x int)',
  'create table public.mine (x int)',
  'create schema mine',
  'create function audit.append(int) returns void language sql as $$ $$',
  'create or replace function audit.refuse_change() returns trigger language plpgsql as $$ begin return new; end $$',
  'alter function audit.refuse_change() rename to gone',
  'drop schema audit cascade',
  'set role holdfast_owner',
  'set session authorization holdfast_owner',
  'set session_replication_role = replica',
  'create role mine superuser',
  `alter role holdfast_reader bypassrls`,
  'grant holdfast_owner to current_user',
  `update pg_catalog.pg_class set relrowsecurity = false`,
  `copy (select 1) to program 'true'`,
  `select pg_read_file('postgresql.conf')`,
  `select lo_import('/etc/passwd')`,
  `alter system set fsync = off`,
];

const REFUSED = /permission denied|must be (owner|able)|only superusers|Only roles|cannot execute|not permitted/;

describe('the fences of the audit database', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase('audit');
    const broker = new EventWriter('broker');
    await projectInto(database, await journalOf([broker.started('acme'), ...Array.from({ length: 90 }, (_, i) => broker.call('acme', `c${i}`)).flat(), ...broker.call('globex', 'theirs'), { tenant: 'acme', event: Buffer.from('x'), sealed: null }]));
  });
  afterAll(() => database.drop());

  // PostgreSQL answers a grant of what one may not grant with a warning, so what counts is what stands afterwards.
  it.each(LOGINS)('%s can hand on nothing', async (login) => {
    const grants = (): Promise<unknown> => withClient(database.adminUrl, async (client) => (await client.query(`select relname, relacl::text, relowner::regrole::text from pg_class where relnamespace = 'audit'::regnamespace order by relname`)).rows);
    const before = await grants();
    await withClient(database.url(login), async (client) => {
      for (const table of TABLES) for (const sql of [`grant all on audit.${table} to public`, `grant select on audit.${table} to holdfast_pruner with grant option`]) await outcome(client.query(sql));
    });
    expect(await grants()).toEqual(before);
  });

  describe.each(LOGINS)('%s', (login) => {
    it.each(TABLES)('can do nothing to audit.%s', async (table) => {
      await withClient(database.url(login), async (client) => {
        for (const sql of verbs(table)) expect([sql, await outcome(client.query(sql))]).toEqual([sql, expect.stringMatching(REFUSED)]);
      });
    });

    it('finds no way round', async () => {
      await withClient(database.url(login), async (client) => {
        for (const sql of AROUND) expect([sql, await outcome(client.query(sql))]).toEqual([sql, expect.stringMatching(REFUSED)]);
      });
    });
  });

  it.each(['holdfast_reader', 'holdfast_notary', 'holdfast_redactor', 'holdfast_pruner', 'holdfast_settler'])('%s may not append', async (login) => {
    await withClient(database.adminUrl, async (client) => {
      const { rows } = await client.query<{ may: boolean }>(`select has_function_privilege($1, p.oid, 'execute') as may from pg_proc p where pronamespace = 'audit'::regnamespace and proname = 'append'`, [login]);
      expect(rows).toEqual([{ may: false }]);
    });
  });

  it.each(['holdfast_notary', 'holdfast_redactor', 'holdfast_pruner'])('%s, whose work has not begun, may read nothing either', async (login) => {
    await withClient(database.url(login), async (client) => {
      for (const table of TABLES) expect(await outcome(client.query(`select from audit.${table}`))).toMatch(REFUSED);
    });
  });

  describe('row-level security', () => {
    const count = async (login: string, setting: string | null, table: string): Promise<number> =>
      withClient(database.url(login), async (client) => {
        if (setting !== null) await client.query(`select set_config('holdfast.tenant', $1, false)`, [setting]);
        return (await client.query(`select from audit.${table}`)).rowCount!;
      });

    it.each(['log_head', 'entry', 'sealed', 'producer', 'call'])('shows a reader the rows of its tenant in audit.%s and of no other', async (table) => {
      const [acme, globex] = [await count('holdfast_reader', 'acme', table), await count('holdfast_reader', 'globex', table)];
      expect(acme).toBeGreaterThan(0);
      expect(globex).toBeGreaterThan(0);
      expect(acme + globex).toBe(await count('holdfast_projector', null, table));
      await withClient(database.url('holdfast_reader'), async (client) => {
        await client.query(`select set_config('holdfast.tenant', 'globex', false)`);
        expect((await client.query(`select from audit.${table} where tenant = 'acme'`)).rowCount).toBe(0);
      });
    });

    it.each(TABLES.filter((table) => table !== 'cursor'))('shows nothing of audit.%s when no tenant, an empty one or a pattern is named', async (table) => {
      for (const setting of [null, '', '%', `acme' or 'a`]) expect(await count('holdfast_reader', setting, table)).toBe(0);
    });

    it('does not tell a reader of other tenants by an error of a clever predicate', async () => {
      await withClient(database.url('holdfast_reader'), async (client) => {
        await client.query(`select set_config('holdfast.tenant', 'globex', false)`);
        await expect(client.query(`select 1 / (case when tenant = 'acme' then 0 else 1 end) from audit.entry`)).resolves.toBeDefined();
      });
    });
  });

  describe('even for the owner with triggers in replica mode', () => {
    it.each([
      `update audit.entry set bytes = 'x'`,
      'delete from audit.entry',
      'truncate audit.entry cascade',
      `update audit.tile set hashes = hashes`,
      'delete from audit.tile',
      'truncate audit.tile',
      `update audit.sealed set box = 'x'`,
      'delete from audit.sealed',
      'truncate audit.sealed',
      'update audit.log_head set size = size - 1',
      'update audit.log_head set chain = chain',
      'delete from audit.log_head',
      'truncate audit.log_head',
      'update audit.cursor set next = next - 1',
      'delete from audit.cursor',
      'truncate audit.cursor',
    ])('refuses: %s', async (sql) => {
      await withClient(database.adminUrl, async (client) => {
        await client.query('set role holdfast_owner');
        await expect(client.query(sql)).rejects.toThrow(/never changed or removed|never goes back/);
        await client.query('reset role');
        await client.query('set session_replication_role = replica');
        await client.query('set role holdfast_owner');
        await expect(client.query(sql)).rejects.toThrow(/never changed or removed|never goes back/);
      });
    });
  });

  it('runs definer functions with a search path that nobody can bend', async () => {
    await withClient(database.adminUrl, async (client) => {
      const { rows } = await client.query(`select proname, proconfig from pg_proc where pronamespace = 'audit'::regnamespace and (prosecdef or prorettype = 'trigger'::regtype)`);
      expect(rows.length).toBeGreaterThanOrEqual(3);
      for (const row of rows) expect(row).toEqual({ proname: expect.any(String), proconfig: ['search_path=pg_catalog, pg_temp'] });
    });
  });
});

/** "done", or the database's words for no. */
async function outcome(query: Promise<unknown>): Promise<string> {
  try {
    await query;
    return 'done';
  } catch (error) {
    return (error as Error).message;
  }
}
