import type { Migration } from './migration.ts';

/**
 * The audit log. Nobody logs in as the owner; the projector may call `audit.append` and read, readers see one tenant at a time, and
 * no login may change a table. Triggers that fire in every replication mode fence entries, tiles and sealed values even against
 * the owner, and let heads and cursors only move forward. Indexes and log positions are dense by construction: `audit.append`
 * counts them from the head.
 */
export const log: Migration = {
  id: 1,
  name: 'log',
  breaking: false,
  sql: `
do $$
declare v_login text;
begin
  if not exists (select from pg_roles where rolname = 'holdfast_owner') then create role holdfast_owner nologin; end if;
  foreach v_login in array array['holdfast_projector', 'holdfast_reader', 'holdfast_notary', 'holdfast_redactor', 'holdfast_pruner'] loop
    if not exists (select from pg_roles where rolname = v_login) then execute format('create role %I login', v_login); end if;
  end loop;
end $$;
-- The notary, the redactor and the pruner get one function each with the features they are for; until then they may do nothing.

create schema audit authorization holdfast_owner;
set role holdfast_owner;

-- How far each source of the journal is projected; moves in the transaction that writes the batch.
create table audit.cursor (
  source text primary key,
  next bigint not null check (next >= 0)
);

-- One log per tenant: its size, the roots of its perfect subtrees (largest first), the end of its hash chain.
create table audit.log_head (
  tenant text primary key,
  size bigint not null check (size > 0),
  frontier bytea not null,
  chain bytea not null
);

-- The log. 'bytes' is the event; leaf and chain are derived; producer and seq are read out of the bytes so that the database
-- itself refuses a second event with a number that is taken.
create table audit.entry (
  idx bigint not null,
  seq bigint not null,
  producer uuid not null,
  tenant text not null,
  leaf bytea not null,
  chain bytea not null,
  bytes bytea not null,
  primary key (tenant, idx)
);
create unique index entry_once on audit.entry (tenant, producer, seq);
-- Trying to compress costs more than it saves.
alter table audit.entry alter column bytes set storage external;

-- Full tiles of 256 hashes; partial ones are made from entries when somebody asks.
create table audit.tile (
  tenant text not null,
  level smallint not null,
  n bigint not null,
  hashes bytea not null check (octet_length(hashes) = 8192),
  primary key (tenant, level, n)
);
alter table audit.tile alter column hashes set storage external;

-- Values sealed beside events: ciphertext only.
create table audit.sealed (
  tenant text not null,
  idx bigint not null,
  path text not null,
  key_id text not null,
  box bytea not null,
  primary key (tenant, idx, path),
  foreign key (tenant, idx) references audit.entry
);
alter table audit.sealed alter column box set storage external;

-- Where each producer stands in each log.
create table audit.producer (
  tenant text not null,
  producer uuid not null,
  next bigint not null,
  last text not null,
  missing json not null,
  duplicates bigint not null,
  primary key (tenant, producer)
) with (fillfactor = 50);

-- Read model: one line per call, folded from its events.
create table audit.call (
  tenant text not null,
  call text not null,
  state text not null,
  actor_user text, actor_client text, actor_agent text, via text not null,
  run text, trace text,
  server text, tool text, exposed text, tool_hash text, class text,
  protocol text, endpoint text, args_digest text, args_bytes bigint,
  effect text, stage text, rule text, code text, reason text,
  policy_version bigint, policy_digest text, decision uuid, broker uuid not null,
  outcome text, error_class text, upstream_request text, result_digest text, result_bytes bigint,
  total_us bigint, policy_us bigint, log_us bigint, upstream_us bigint, rollback text,
  requested_at timestamptz, decided_at timestamptz, finished_at timestamptz,
  first_index bigint not null, events bigint[] not null, event_count bigint not null,
  primary key (tenant, call)
) with (fillfactor = 80);
create unique index call_in_order on audit.call (tenant, first_index);
create index call_open on audit.call (broker, tenant, first_index) where state = 'open';

-- What was odd about the records of a log.
create table audit.finding (
  tenant text not null,
  id text not null,
  kind text not null,
  producer uuid, from_seq bigint, to_seq bigint, idx bigint,
  source text not null, position bigint not null, at bigint not null, count bigint not null,
  closed_at bigint, closed_idx bigint,
  primary key (tenant, id)
);
create index finding_in_order on audit.finding (tenant, position, id);

create function audit.append(
  p_source text, p_from bigint, p_to bigint,
  p_tenants text[], p_sizes bigint[], p_counts int[], p_frontiers bytea, p_frontier_ends int[],
  p_bytes bytea, p_ends int[], p_leaves bytea, p_chains bytea, p_producers uuid[], p_seqs bigint[],
  p_tiles bytea, p_tile_tenants text[], p_tile_levels smallint[], p_tile_ns bigint[],
  p_boxes bytea, p_box_ends int[], p_box_tenants text[], p_box_indexes bigint[], p_box_paths text[], p_box_keys text[],
  p_producer_rows json, p_calls json, p_findings json, p_finding_changes json
) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_done int := 0;
  v_chain bytea;
begin
  if p_to <= p_from then raise exception 'malformed batch' using errcode = 'HF001'; end if;
  -- The cursor first: whoever comes second waits here and then finds it moved.
  update audit.cursor set next = p_to where source = p_source and next = p_from;
  if not found then
    if p_from = 0 then insert into audit.cursor values (p_source, p_to) on conflict do nothing; end if;
    if not found then raise exception 'the cursor is not at %', p_from using errcode = 'HF010'; end if;
  end if;
  for t in 1 .. coalesce(cardinality(p_tenants), 0) loop
    continue when p_counts[t] = 0;
    v_chain := substring(p_chains from (v_done + p_counts[t] - 1) * 32 + 1 for 32);
    update audit.log_head set
        size = p_sizes[t] + p_counts[t],
        frontier = substring(p_frontiers from coalesce(p_frontier_ends[t - 1], 0) + 1 for p_frontier_ends[t] - coalesce(p_frontier_ends[t - 1], 0)),
        chain = v_chain
      where tenant = p_tenants[t] and size = p_sizes[t];
    if not found then
      if p_sizes[t] = 0 then
        insert into audit.log_head values (p_tenants[t], p_counts[t], substring(p_frontiers from coalesce(p_frontier_ends[t - 1], 0) + 1 for p_frontier_ends[t] - coalesce(p_frontier_ends[t - 1], 0)), v_chain)
          on conflict do nothing;
      end if;
      if not found then raise exception 'a log has not the size that was built on' using errcode = 'HF011'; end if;
    end if;
    insert into audit.entry (tenant, idx, producer, seq, bytes, leaf, chain)
      select p_tenants[t], p_sizes[t] + i - v_done - 1, p_producers[i], p_seqs[i],
        substring(p_bytes from coalesce(p_ends[i - 1], 0) + 1 for p_ends[i] - coalesce(p_ends[i - 1], 0)),
        substring(p_leaves from (i - 1) * 32 + 1 for 32), substring(p_chains from (i - 1) * 32 + 1 for 32)
      from generate_series(v_done + 1, v_done + p_counts[t]) i;
    v_done := v_done + p_counts[t];
  end loop;
  if cardinality(p_tile_ns) > 0 then
    insert into audit.tile (tenant, level, n, hashes)
      select p_tile_tenants[i], p_tile_levels[i], p_tile_ns[i], substring(p_tiles from (i - 1) * 8192 + 1 for 8192) from generate_series(1, cardinality(p_tile_ns)) i;
  end if;
  if cardinality(p_box_ends) > 0 then
    insert into audit.sealed (tenant, idx, path, key_id, box)
      select tenant, idx, path, key_id, substring(p_boxes from coalesce(p_box_ends[i - 1], 0) + 1 for p_box_ends[i] - coalesce(p_box_ends[i - 1], 0))
      from unnest(p_box_tenants, p_box_indexes, p_box_paths, p_box_keys) with ordinality as box (tenant, idx, path, key_id, i);
  end if;
  insert into audit.producer select * from json_populate_recordset(null::audit.producer, p_producer_rows)
    on conflict (tenant, producer) do update set next = excluded.next, last = excluded.last, missing = excluded.missing, duplicates = excluded.duplicates;
  if json_array_length(p_calls) > 0 then
    insert into audit.call select * from json_populate_recordset(null::audit.call, p_calls)
      on conflict (tenant, call) do update set
        state = excluded.state, actor_user = excluded.actor_user, actor_client = excluded.actor_client, actor_agent = excluded.actor_agent, via = excluded.via,
        run = excluded.run, trace = excluded.trace, server = excluded.server, tool = excluded.tool, exposed = excluded.exposed, tool_hash = excluded.tool_hash,
        class = excluded.class, protocol = excluded.protocol, endpoint = excluded.endpoint, args_digest = excluded.args_digest, args_bytes = excluded.args_bytes,
        effect = excluded.effect, stage = excluded.stage, rule = excluded.rule, code = excluded.code, reason = excluded.reason,
        policy_version = excluded.policy_version, policy_digest = excluded.policy_digest, decision = excluded.decision, broker = excluded.broker,
        outcome = excluded.outcome, error_class = excluded.error_class, upstream_request = excluded.upstream_request,
        result_digest = excluded.result_digest, result_bytes = excluded.result_bytes, total_us = excluded.total_us, policy_us = excluded.policy_us,
        log_us = excluded.log_us, upstream_us = excluded.upstream_us, rollback = excluded.rollback,
        requested_at = excluded.requested_at, decided_at = excluded.decided_at, finished_at = excluded.finished_at,
        events = excluded.events, event_count = excluded.event_count;
  end if;
  if json_array_length(p_findings) > 0 then
    insert into audit.finding (tenant, id, kind, producer, from_seq, to_seq, idx, source, position, at, count, closed_at, closed_idx)
      select tenant, id, kind, producer, from_seq, to_seq, idx, source, position, at, count, closed_at, closed_idx
      from json_populate_recordset(null::audit.finding, p_findings);
  end if;
  if json_array_length(p_finding_changes) > 0 then
    update audit.finding f set count = f.count + c.more, closed_at = coalesce(c.closed_at, f.closed_at), closed_idx = coalesce(c.closed_idx, f.closed_idx)
      from json_to_recordset(p_finding_changes) as c (tenant text, id text, more bigint, closed_at bigint, closed_idx bigint)
      where f.tenant = c.tenant and f.id = c.id;
  end if;
end $$;

create function audit.refuse_change() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin raise exception 'audit % is never changed or removed', tg_table_name using errcode = 'HF002'; end $$;
create function audit.refuse_going_back() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin raise exception 'audit % never goes back', tg_table_name using errcode = 'HF002'; end $$;

create trigger fence before update or delete on audit.entry for each row execute function audit.refuse_change();
create trigger fence_truncate before truncate on audit.entry for each statement execute function audit.refuse_change();
create trigger fence before update or delete on audit.tile for each row execute function audit.refuse_change();
create trigger fence_truncate before truncate on audit.tile for each statement execute function audit.refuse_change();
create trigger fence before update or delete on audit.sealed for each row execute function audit.refuse_change();
create trigger fence_truncate before truncate on audit.sealed for each statement execute function audit.refuse_change();
create trigger fence before update on audit.log_head for each row when (new.size <= old.size or new.tenant <> old.tenant) execute function audit.refuse_going_back();
create trigger fence_delete before delete on audit.log_head for each row execute function audit.refuse_going_back();
create trigger fence_truncate before truncate on audit.log_head for each statement execute function audit.refuse_going_back();
create trigger fence before update on audit.cursor for each row when (new.next <= old.next or new.source <> old.source) execute function audit.refuse_going_back();
create trigger fence_delete before delete on audit.cursor for each row execute function audit.refuse_going_back();
create trigger fence_truncate before truncate on audit.cursor for each statement execute function audit.refuse_going_back();
alter table audit.entry enable always trigger fence, enable always trigger fence_truncate;
alter table audit.tile enable always trigger fence, enable always trigger fence_truncate;
alter table audit.sealed enable always trigger fence, enable always trigger fence_truncate;
alter table audit.log_head enable always trigger fence, enable always trigger fence_delete, enable always trigger fence_truncate;
alter table audit.cursor enable always trigger fence, enable always trigger fence_delete, enable always trigger fence_truncate;

-- Readers see the tenant that their transaction names, and nothing while it names none.
do $$
declare v_table text;
begin
  foreach v_table in array array['log_head', 'entry', 'tile', 'sealed', 'producer', 'call', 'finding'] loop
    execute format('alter table audit.%I enable row level security', v_table);
    execute format('create policy one_tenant on audit.%I for select to holdfast_reader using (tenant = current_setting(''holdfast.tenant'', true))', v_table);
    execute format('create policy all_tenants on audit.%I for select to holdfast_projector using (true)', v_table);
    execute format('grant select on audit.%I to holdfast_reader, holdfast_projector', v_table);
  end loop;
end $$;
grant select on audit.cursor to holdfast_projector;
revoke all on all functions in schema audit from public;
grant execute on function audit.append to holdfast_projector;
grant usage on schema audit to holdfast_projector, holdfast_reader;
reset role;
`,
};
