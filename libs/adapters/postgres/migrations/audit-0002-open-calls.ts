import type { Migration } from './migration.ts';

/**
 * What settling the calls of lost brokers needs to know, and nothing more: a login of its own with two functions. It sees call ids
 * of every tenant, which no reader does.
 */
export const openCalls: Migration = {
  id: 2,
  name: 'open calls',
  breaking: false,
  sql: `
do $$ begin
  if not exists (select from pg_roles where rolname = 'holdfast_settler') then create role holdfast_settler login; end if;
end $$;
set role holdfast_owner;
create function audit.open_calls(p_broker uuid, p_limit int)
returns table (tenant text, call text, decision uuid, actor_user text, actor_client text, actor_agent text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select tenant, call, decision, actor_user, actor_client, actor_agent from audit.call
  where broker = p_broker and state = 'open' order by tenant, first_index limit p_limit
$$;
create function audit.projected(p_source text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select next from audit.cursor where source = p_source
$$;
revoke all on function audit.open_calls(uuid, int), audit.projected(text) from public;
grant execute on function audit.open_calls(uuid, int), audit.projected(text) to holdfast_settler;
grant usage on schema audit to holdfast_settler;
reset role;
`,
};
