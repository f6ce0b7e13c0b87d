import type { Migration } from './migration.ts';

/** Which Slack account is which person, and the open pages that link one. */
export const slack: Migration = {
  id: 6,
  name: 'slack',
  breaking: false,
  sql: `
set role holdfast_owner;
create table state.slack_link (
  tenant text not null,
  team text not null,
  account text not null,
  person text not null,
  linked_at bigint not null,
  primary key (tenant, team, account),
  unique (tenant, team, person)
);

-- One open page for each account: a later one takes its place. Known by the digest of the secret in its address.
create table state.slack_link_offer (
  tenant text not null,
  team text not null,
  account text not null,
  digest text not null unique,
  expires_at bigint not null,
  primary key (tenant, team, account)
);

grant select, insert, update, delete on state.slack_link, state.slack_link_offer to holdfast_app;
reset role;
`,
};
