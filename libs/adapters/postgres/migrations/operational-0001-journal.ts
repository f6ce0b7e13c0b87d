import type { Migration } from './migration.ts';

/**
 * The embedded journal. Positions come from the head row, which each append updates: its lock makes commit order position
 * order, so a reader that sees position n sees everything before it. (A sequence would not: a later number can commit first.)
 * Logins may call the functions and read; nobody may change or remove a record.
 */
export const journal: Migration = {
  id: 1,
  name: 'journal',
  breaking: false,
  sql: `
do $$ begin
  if not exists (select from pg_roles where rolname = 'holdfast_owner') then create role holdfast_owner nologin; end if;
  if not exists (select from pg_roles where rolname = 'holdfast_app') then create role holdfast_app login; end if;
  if not exists (select from pg_roles where rolname = 'holdfast_follower') then create role holdfast_follower login; end if;
end $$;

create schema journal authorization holdfast_owner;
set role holdfast_owner;

create table journal.head (
  singleton boolean primary key default true check (singleton),
  incarnation uuid not null default gen_random_uuid(),
  next bigint not null default 0,
  last_at bigint not null default 0
);
insert into journal.head default values;

create table journal.record (
  position bigint primary key,
  tenant text not null,
  at bigint not null,
  event bytea not null,
  sealed bytea
);
-- Events are short and incompressible enough; trying costs more than it saves.
alter table journal.record alter column event set storage external, alter column sealed set storage external;

-- The last batch of each producer, so that a batch sent again is recognised and not stored twice.
create table journal.producer (
  producer uuid primary key,
  number bigint not null,
  position bigint not null
);

create function journal.append(p_producer uuid, p_number bigint, p_tenants text[], p_events bytea, p_event_ends int[], p_sealed bytea, p_sealed_ends int[])
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_count int := cardinality(p_tenants);
  v_next bigint;
  v_last bigint;
  v_now bigint := (extract(epoch from clock_timestamp()) * 1000)::bigint;
  v_known journal.producer;
begin
  if v_count is null or v_count = 0 or v_count <> cardinality(p_event_ends) or v_count <> cardinality(p_sealed_ends) then
    raise exception 'malformed batch' using errcode = 'HF001';
  end if;
  -- The head first: a batch sent again waits here until the fate of its first sending is settled.
  select next, last_at into v_next, v_last from journal.head for update;
  update journal.head set next = v_next + v_count, last_at = v_now;
  select * into v_known from journal.producer where producer = p_producer;
  if found and p_number <= v_known.number then
    if p_number < v_known.number then raise exception 'batch is older than the last one of its producer' using errcode = 'HF003'; end if;
    update journal.head set next = v_next, last_at = v_last;
    return v_known.position;
  end if;
  insert into journal.record (position, tenant, at, event, sealed)
    select v_next + i - 1, p_tenants[i], v_now,
      substring(p_events from coalesce(p_event_ends[i - 1], 0) + 1 for p_event_ends[i] - coalesce(p_event_ends[i - 1], 0)),
      case when p_sealed_ends[i] > coalesce(p_sealed_ends[i - 1], 0)
        then substring(p_sealed from coalesce(p_sealed_ends[i - 1], 0) + 1 for p_sealed_ends[i] - coalesce(p_sealed_ends[i - 1], 0)) end
    from generate_series(1, v_count) i;
  insert into journal.producer values (p_producer, p_number, v_next + v_count - 1)
    on conflict (producer) do update set number = excluded.number, position = excluded.position;
  -- Under load followers come by themselves every few milliseconds; waking them for every append would only cost.
  if v_now - v_last not between 0 and 30 then perform pg_notify('holdfast_journal', ''); end if;
  return v_next + v_count - 1;
end $$;

create function journal.refuse_change() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin raise exception 'journal records are never changed or removed' using errcode = 'HF002'; end $$;
create trigger fence before update or delete on journal.record for each row execute function journal.refuse_change();
create trigger fence_truncate before truncate on journal.record for each statement execute function journal.refuse_change();
alter table journal.record enable always trigger fence, enable always trigger fence_truncate;

revoke all on function journal.append(uuid, bigint, text[], bytea, int[], bytea, int[]) from public;
grant usage on schema journal to holdfast_app, holdfast_follower;
grant execute on function journal.append(uuid, bigint, text[], bytea, int[], bytea, int[]) to holdfast_app, holdfast_follower;
grant select on journal.head, journal.record to holdfast_app, holdfast_follower;
reset role;
`,
};
