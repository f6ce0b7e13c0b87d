import type { Migration } from './migration.ts';

/** What people need around approvals: answers that are given once, links in mails, sessions that were ended, and two ways to find approvals. */
export const people: Migration = {
  id: 4,
  name: 'people',
  breaking: false,
  sql: `
set role holdfast_owner;
-- First answers by Idempotency-Key, for a day.
create table state.idempotency (
  tenant text not null,
  person text not null,
  key text not null,
  digest text not null,
  -- Of what the request makes; the same when somebody else takes the work over.
  id uuid not null,
  answer text,
  created_at timestamptz not null default now(),
  begun_at timestamptz not null default clock_timestamp(),
  primary key (tenant, person, key)
);
create index idempotency_oldest on state.idempotency (created_at);

-- Links that name a request to one person. Only the SHA-256 of what stands in the link is here.
create table state.review_link (
  hash bytea primary key check (length(hash) = 32),
  tenant text not null,
  approval uuid not null,
  step int not null,
  recipient text not null,
  created_at timestamptz not null default now(),
  used_at timestamptz,
  foreign key (tenant, approval) references state.approval (tenant, id)
);
create index review_link_of_approval on state.review_link (tenant, approval);
create index review_link_oldest on state.review_link (created_at);

-- Console sessions whose owner signed out before their time.
create table state.ended_session (
  id uuid primary key,
  until timestamptz not null
);
create index ended_session_oldest on state.ended_session (until);

create index approval_changed on state.approval (tenant, changed_at, id);
create index approval_executed on state.approval (tenant, agent, (state -> 'binding' ->> 'server'), (state -> 'binding' ->> 'tool'), changed_at desc) where status = 'executed';

grant select, insert, update, delete on state.idempotency, state.review_link to holdfast_app;
grant select, insert, delete on state.ended_session to holdfast_app;
reset role;
`,
};
