import type { Migration } from './migration.ts';

/** What people and processes change by compare-and-set: configuration, keys, leases, and the outbox that tells the journal of it. */
export const state: Migration = {
  id: 2,
  name: 'state',
  breaking: false,
  sql: `
create schema state authorization holdfast_owner;
set role holdfast_owner;

-- Immutable revisions of holdfast.yaml; the highest number is in force.
create table state.config_revision (
  revision int primary key,
  digest text not null,
  document jsonb not null,
  source text not null,
  applied_at timestamptz not null default now()
);

-- State first: one row is what one transaction has to say, as finished event bytes, so that the relay can only repeat itself.
create table state.outbox (
  number bigint primary key,
  batch bytea not null,
  sent_at timestamptz
);
create index outbox_unsent on state.outbox (number) where sent_at is null;

-- The producer whose events the outbox holds; its lock orders the transactions that write to the outbox.
create table state.outbox_producer (
  singleton boolean primary key default true check (singleton),
  producer uuid not null default gen_random_uuid(),
  number bigint not null default 0
);
insert into state.outbox_producer default values;
create table state.outbox_chain (
  tenant text primary key,
  seq bigint not null,
  prev text not null
);

-- A broker that does not renew its lease is lost: its open calls get an unknown outcome.
create table state.broker_lease (
  instance uuid primary key,
  started_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at timestamptz,
  reaped_at timestamptz
);

-- Keys that seal values: per tenant, wrapped by the master key; per subject, wrapped by the tenant key.
create table state.tenant_key (
  tenant text primary key,
  id uuid not null,
  wrapped bytea not null,
  created_at timestamptz not null default now()
);
create table state.subject_key (
  id uuid primary key,
  tenant text not null references state.tenant_key,
  subject text not null,
  wrapped bytea,
  created_at timestamptz not null default now(),
  destroyed_at timestamptz,
  check ((wrapped is null) = (destroyed_at is not null))
);
create unique index subject_key_current on state.subject_key (tenant, subject) where destroyed_at is null;

grant usage on schema state to holdfast_app;
grant select, insert on state.config_revision, state.tenant_key to holdfast_app;
grant select, insert on state.outbox to holdfast_app;
grant update (sent_at) on state.outbox to holdfast_app;
grant delete on state.outbox to holdfast_app;
grant select on state.outbox_producer to holdfast_app;
grant update (number) on state.outbox_producer to holdfast_app;
grant select, insert, update on state.outbox_chain, state.broker_lease to holdfast_app;
grant select, insert on state.subject_key to holdfast_app;
grant update (wrapped, destroyed_at) on state.subject_key to holdfast_app;
reset role;
`,
};
