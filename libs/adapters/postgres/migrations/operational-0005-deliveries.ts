import type { Migration } from './migration.ts';

/** What became of messages to people about approvals: one line for each message to each recipient. */
export const deliveries: Migration = {
  id: 5,
  name: 'deliveries',
  breaking: false,
  sql: `
set role holdfast_owner;
create table state.delivery (
  tenant text not null,
  approval uuid not null,
  id text not null,
  delivery jsonb not null,
  -- Begun, and nobody has said yet how it ended; sent; or given up for good.
  status text not null check (status in ('begun', 'sent', 'failed')),
  -- By which the message can be changed.
  reference text,
  begun_at timestamptz not null default now(),
  primary key (tenant, approval, id)
);
grant select, insert, update, delete on state.delivery to holdfast_app;
reset role;
`,
};
