import type { Migration } from './migration.ts';

/** How one call ended, for whoever settles approvals of calls whose broker could not say it any more. */
export const callState: Migration = {
  id: 3,
  name: 'call state',
  breaking: false,
  sql: `
set role holdfast_owner;
create function audit.call_state(p_tenant text, p_call text)
returns table (state text, outcome text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select state, outcome from audit.call where tenant = p_tenant and call = p_call
$$;
revoke all on function audit.call_state(text, text) from public;
grant execute on function audit.call_state(text, text) to holdfast_settler;
reset role;
`,
};
