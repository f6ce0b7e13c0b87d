import type pg from 'pg';

/** What the schema of a database is, apart from the bookkeeping of migrations: one query per kind of thing, each ordered by name. */
const SCHEMAS = `n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'public', 'holdfast') and n.nspname !~ '^pg_'`;

const PARTS: readonly { readonly title: string; readonly sql: string }[] = [
  {
    title: 'schemas',
    sql: `select format('create schema %I owner %I%s', n.nspname, pg_get_userbyid(n.nspowner), acl(n.nspacl)) as line from pg_namespace n where ${SCHEMAS} order by n.nspname`,
  },
  {
    title: 'tables',
    sql: `select format(E'table %I.%I owner %I%s%s%s%s\\n%s', n.nspname, c.relname, pg_get_userbyid(c.relowner),
        case when c.relrowsecurity then ' row security' else '' end, case when c.relforcerowsecurity then ' forced' else '' end, coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', ''), acl(c.relacl),
        (select string_agg(format('  %I %s%s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then ' not null' else '' end,
            coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), ''), case a.attidentity when '' then '' else ' identity' end || case when a.attstorage <> t.typstorage then ' storage ' || a.attstorage::text else '' end, acl(a.attacl)), E'\\n' order by a.attnum)
          from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)) as line
      from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm') and ${SCHEMAS} order by n.nspname, c.relname`,
  },
  {
    title: 'sequences',
    sql: `select format('sequence %I.%I owner %I%s', n.nspname, c.relname, pg_get_userbyid(c.relowner), acl(c.relacl)) as line from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'S' and ${SCHEMAS} order by n.nspname, c.relname`,
  },
  {
    title: 'constraints',
    sql: `select format('constraint %I on %s: %s', k.conname, k.conrelid::regclass, pg_get_constraintdef(k.oid)) as line from pg_constraint k join pg_namespace n on n.oid = k.connamespace where k.contype <> 'n' and ${SCHEMAS} order by k.conrelid::regclass::text, k.conname`,
  },
  { title: 'indexes', sql: `select indexdef as line from pg_indexes i join pg_namespace n on n.nspname = i.schemaname where ${SCHEMAS} order by i.schemaname, i.tablename, i.indexname` },
  {
    title: 'functions',
    sql: `select format(E'owner %I%s\\n%s', pg_get_userbyid(p.proowner), acl(p.proacl), pg_get_functiondef(p.oid)) as line from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.prokind in ('f', 'p') and ${SCHEMAS} order by n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)`,
  },
  {
    title: 'triggers',
    sql: `select format('%s%s', pg_get_triggerdef(t.oid), case t.tgenabled when 'A' then ' enable always' when 'O' then '' else ' enabled ' || t.tgenabled::text end) as line from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace where not t.tgisinternal and ${SCHEMAS} order by n.nspname, c.relname, t.tgname`,
  },
  {
    title: 'policies',
    sql: `select format('policy %I on %s for %s to %s using (%s) check (%s)', p.polname, p.polrelid::regclass, p.polcmd, (select string_agg(r::regrole::text, ', ' order by r::regrole::text) from unnest(p.polroles) r), pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) as line
      from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace where ${SCHEMAS} order by p.polrelid::regclass::text, p.polname`,
  },
  {
    title: 'roles',
    sql: `select format('role %I%s%s%s%s%s%s', r.rolname, case when r.rolcanlogin then ' login' else '' end, case when r.rolsuper then ' superuser' else '' end, case when r.rolcreaterole then ' createrole' else '' end, case when r.rolcreatedb then ' createdb' else '' end,
        case when r.rolbypassrls then ' bypassrls' else '' end, coalesce((select ' member of ' || string_agg(m.roleid::regrole::text, ', ' order by m.roleid::regrole::text) from pg_auth_members m where m.member = r.oid), '')) as line
      from pg_roles r where r.rolname like 'holdfast\\_%' order by r.rolname`,
  },
];

/** Who may do what, in an order of its own; the server's depends on who granted first. */
const RIGHTS = `coalesce(' rights ' || (select string_agg(item::text, ', ' order by item::text) from unnest($1) item), '')`;

/**
 * The schema as text that changes when, and only when, the schema does: tables, guards and rights as the server itself tells them.
 * For reading and for comparing; not a script to run.
 */
export async function dumpSchema(client: pg.Client, title: string): Promise<string> {
  await client.query('begin read only');
  try {
    // Names stand with their schema, whatever the connection's search path was.
    await client.query(`set local search_path = pg_catalog`);
    const parts: string[] = [];
    for (const part of PARTS) {
      const { rows } = await client.query<{ line: string }>(part.sql.replaceAll(/\bacl\(([a-z.]+)\)/g, RIGHTS));
      if (rows.length > 0) parts.push(`-- ${title}: ${part.title}\n\n${rows.map((row) => row.line.trimEnd()).join('\n')}\n`);
    }
    return parts.join('\n');
  } finally {
    await client.query('rollback');
  }
}
