import type { Migration } from './migration.ts';

/**
 * Held calls and their approvals, standing approvals and delegations. A row is the state that the events of an approval make; what is
 * in columns beside it is there to be found by.
 */
export const approvals: Migration = {
  id: 3,
  name: 'approvals',
  breaking: false,
  sql: `
set role holdfast_owner;
create table state.approval (
  tenant text not null,
  id uuid not null,
  call text not null,
  status text not null,
  version int not null,
  lane text not null,
  -- Equal for calls that join each other.
  joins text,
  agent text,
  requester text not null,
  created_at bigint not null,
  changed_at bigint not null,
  expires_at bigint not null,
  -- When somebody should look again; null once it has ended.
  wake_at bigint,
  state jsonb not null,
  beside jsonb not null,
  sealed bytea not null,
  -- What the agent was told in the end, kept for a while.
  answer bytea,
  primary key (tenant, id)
);
create index approval_joins on state.approval (tenant, joins, created_at) where joins is not null;
create index approval_newest on state.approval (tenant, created_at desc, id desc);
create index approval_by_status on state.approval (tenant, status, created_at desc, id desc);
create index approval_held on state.approval (tenant, agent) where status in ('held', 'approved');
create index approval_wake on state.approval (wake_at) where wake_at is not null;
create index approval_claimed on state.approval (changed_at) where status = 'claimed';
create index approval_answered on state.approval (changed_at) where answer is not null;
create index approval_releasable on state.approval (lane, changed_at) where status = 'approved';

-- What is still to be told to people: one line for each change, kept until somebody told it.
create table state.approval_notice (
  tenant text not null,
  approval uuid not null,
  version int not null,
  events text[] not null,
  primary key (tenant, approval, version)
);

create table state.standing_approval (
  tenant text not null,
  id uuid not null,
  agent text,
  server text not null,
  tool text not null,
  until bigint not null,
  revoked boolean not null,
  version int not null,
  state jsonb not null,
  primary key (tenant, id)
);
create index standing_in_force on state.standing_approval (tenant, server, tool, until) where not revoked;

-- Rights that people handed on for more than one approval.
create table state.delegation (
  tenant text not null,
  id uuid not null,
  delegator text not null,
  delegate text not null,
  until bigint not null,
  scope jsonb not null,
  revoked boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (tenant, id)
);
create index delegation_in_force on state.delegation (tenant, until) where not revoked;

grant select, insert, update on state.approval, state.standing_approval, state.delegation to holdfast_app;
grant select, insert, update, delete on state.approval_notice to holdfast_app;
reset role;
`,
};
