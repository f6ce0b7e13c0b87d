-- What the migrations make of the two databases, for reading and reviewing; not a script.
-- Written by schema.int.spec.ts with HOLDFAST_WRITE_SCHEMA=1.

-- operational database: schemas

create schema journal owner holdfast_owner rights holdfast_app=U/holdfast_owner, holdfast_follower=U/holdfast_owner, holdfast_owner=UC/holdfast_owner
create schema state owner holdfast_owner rights holdfast_app=U/holdfast_owner, holdfast_owner=UC/holdfast_owner

-- operational database: tables

table journal.head owner holdfast_owner rights holdfast_app=r/holdfast_owner, holdfast_follower=r/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  singleton boolean not null default true
  incarnation uuid not null default gen_random_uuid()
  next bigint not null default 0
  last_at bigint not null default 0
table journal.producer owner holdfast_owner
  producer uuid not null
  number bigint not null
  "position" bigint not null
table journal.record owner holdfast_owner rights holdfast_app=r/holdfast_owner, holdfast_follower=r/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  "position" bigint not null
  tenant text not null
  at bigint not null
  event bytea not null storage e
  sealed bytea storage e
table state.approval owner holdfast_owner rights holdfast_app=arw/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  tenant text not null
  id uuid not null
  call text not null
  status text not null
  version integer not null
  lane text not null
  joins text
  agent text
  requester text not null
  created_at bigint not null
  changed_at bigint not null
  expires_at bigint not null
  wake_at bigint
  state jsonb not null
  beside jsonb not null
  sealed bytea not null
  answer bytea
table state.approval_notice owner holdfast_owner rights holdfast_app=arwd/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  tenant text not null
  approval uuid not null
  version integer not null
  events text[] not null
table state.broker_lease owner holdfast_owner rights holdfast_app=arw/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  instance uuid not null
  started_at timestamp with time zone not null default now()
  expires_at timestamp with time zone not null
  ended_at timestamp with time zone
  reaped_at timestamp with time zone
table state.config_revision owner holdfast_owner rights holdfast_app=ar/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  revision integer not null
  digest text not null
  document jsonb not null
  source text not null
  applied_at timestamp with time zone not null default now()
table state.delegation owner holdfast_owner rights holdfast_app=arw/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  tenant text not null
  id uuid not null
  delegator text not null
  delegate text not null
  until bigint not null
  scope jsonb not null
  revoked boolean not null default false
  created_at timestamp with time zone not null default now()
table state.delivery owner holdfast_owner rights holdfast_app=arwd/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  tenant text not null
  approval uuid not null
  id text not null
  delivery jsonb not null
  status text not null
  reference text
  begun_at timestamp with time zone not null default now()
table state.ended_session owner holdfast_owner rights holdfast_app=ard/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  id uuid not null
  until timestamp with time zone not null
table state.idempotency owner holdfast_owner rights holdfast_app=arwd/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  tenant text not null
  person text not null
  key text not null
  digest text not null
  id uuid not null
  answer text
  created_at timestamp with time zone not null default now()
  begun_at timestamp with time zone not null default clock_timestamp()
table state.outbox owner holdfast_owner rights holdfast_app=ard/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  number bigint not null
  batch bytea not null
  sent_at timestamp with time zone rights holdfast_app=w/holdfast_owner
table state.outbox_chain owner holdfast_owner rights holdfast_app=arw/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  tenant text not null
  seq bigint not null
  prev text not null
table state.outbox_producer owner holdfast_owner rights holdfast_app=r/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  singleton boolean not null default true
  producer uuid not null default gen_random_uuid()
  number bigint not null default 0 rights holdfast_app=w/holdfast_owner
table state.review_link owner holdfast_owner rights holdfast_app=arwd/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  hash bytea not null
  tenant text not null
  approval uuid not null
  step integer not null
  recipient text not null
  created_at timestamp with time zone not null default now()
  used_at timestamp with time zone
table state.slack_link owner holdfast_owner rights holdfast_app=arwd/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  tenant text not null
  team text not null
  account text not null
  person text not null
  linked_at bigint not null
table state.slack_link_offer owner holdfast_owner rights holdfast_app=arwd/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  tenant text not null
  team text not null
  account text not null
  digest text not null
  expires_at bigint not null
table state.standing_approval owner holdfast_owner rights holdfast_app=arw/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  tenant text not null
  id uuid not null
  agent text
  server text not null
  tool text not null
  until bigint not null
  revoked boolean not null
  version integer not null
  state jsonb not null
table state.subject_key owner holdfast_owner rights holdfast_app=ar/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  id uuid not null
  tenant text not null
  subject text not null
  wrapped bytea rights holdfast_app=w/holdfast_owner
  created_at timestamp with time zone not null default now()
  destroyed_at timestamp with time zone rights holdfast_app=w/holdfast_owner
table state.tenant_key owner holdfast_owner rights holdfast_app=ar/holdfast_owner, holdfast_owner=arwdDxtm/holdfast_owner
  tenant text not null
  id uuid not null
  wrapped bytea not null
  created_at timestamp with time zone not null default now()

-- operational database: constraints

constraint head_pkey on journal.head: PRIMARY KEY (singleton)
constraint head_singleton_check on journal.head: CHECK (singleton)
constraint producer_pkey on journal.producer: PRIMARY KEY (producer)
constraint record_pkey on journal.record: PRIMARY KEY ("position")
constraint approval_pkey on state.approval: PRIMARY KEY (tenant, id)
constraint approval_notice_pkey on state.approval_notice: PRIMARY KEY (tenant, approval, version)
constraint broker_lease_pkey on state.broker_lease: PRIMARY KEY (instance)
constraint config_revision_pkey on state.config_revision: PRIMARY KEY (revision)
constraint delegation_pkey on state.delegation: PRIMARY KEY (tenant, id)
constraint delivery_pkey on state.delivery: PRIMARY KEY (tenant, approval, id)
constraint delivery_status_check on state.delivery: CHECK ((status = ANY (ARRAY['begun'::text, 'sent'::text, 'failed'::text])))
constraint ended_session_pkey on state.ended_session: PRIMARY KEY (id)
constraint idempotency_pkey on state.idempotency: PRIMARY KEY (tenant, person, key)
constraint outbox_pkey on state.outbox: PRIMARY KEY (number)
constraint outbox_chain_pkey on state.outbox_chain: PRIMARY KEY (tenant)
constraint outbox_producer_pkey on state.outbox_producer: PRIMARY KEY (singleton)
constraint outbox_producer_singleton_check on state.outbox_producer: CHECK (singleton)
constraint review_link_hash_check on state.review_link: CHECK ((length(hash) = 32))
constraint review_link_pkey on state.review_link: PRIMARY KEY (hash)
constraint review_link_tenant_approval_fkey on state.review_link: FOREIGN KEY (tenant, approval) REFERENCES state.approval(tenant, id)
constraint slack_link_pkey on state.slack_link: PRIMARY KEY (tenant, team, account)
constraint slack_link_tenant_team_person_key on state.slack_link: UNIQUE (tenant, team, person)
constraint slack_link_offer_digest_key on state.slack_link_offer: UNIQUE (digest)
constraint slack_link_offer_pkey on state.slack_link_offer: PRIMARY KEY (tenant, team, account)
constraint standing_approval_pkey on state.standing_approval: PRIMARY KEY (tenant, id)
constraint subject_key_check on state.subject_key: CHECK (((wrapped IS NULL) = (destroyed_at IS NOT NULL)))
constraint subject_key_pkey on state.subject_key: PRIMARY KEY (id)
constraint subject_key_tenant_fkey on state.subject_key: FOREIGN KEY (tenant) REFERENCES state.tenant_key(tenant)
constraint tenant_key_pkey on state.tenant_key: PRIMARY KEY (tenant)

-- operational database: indexes

CREATE UNIQUE INDEX head_pkey ON journal.head USING btree (singleton)
CREATE UNIQUE INDEX producer_pkey ON journal.producer USING btree (producer)
CREATE UNIQUE INDEX record_pkey ON journal.record USING btree ("position")
CREATE INDEX approval_answered ON state.approval USING btree (changed_at) WHERE (answer IS NOT NULL)
CREATE INDEX approval_by_status ON state.approval USING btree (tenant, status, created_at DESC, id DESC)
CREATE INDEX approval_changed ON state.approval USING btree (tenant, changed_at, id)
CREATE INDEX approval_claimed ON state.approval USING btree (changed_at) WHERE (status = 'claimed'::text)
CREATE INDEX approval_executed ON state.approval USING btree (tenant, agent, (((state -> 'binding'::text) ->> 'server'::text)), (((state -> 'binding'::text) ->> 'tool'::text)), changed_at DESC) WHERE (status = 'executed'::text)
CREATE INDEX approval_held ON state.approval USING btree (tenant, agent) WHERE (status = ANY (ARRAY['held'::text, 'approved'::text]))
CREATE INDEX approval_joins ON state.approval USING btree (tenant, joins, created_at) WHERE (joins IS NOT NULL)
CREATE INDEX approval_newest ON state.approval USING btree (tenant, created_at DESC, id DESC)
CREATE UNIQUE INDEX approval_pkey ON state.approval USING btree (tenant, id)
CREATE INDEX approval_releasable ON state.approval USING btree (lane, changed_at) WHERE (status = 'approved'::text)
CREATE INDEX approval_wake ON state.approval USING btree (wake_at) WHERE (wake_at IS NOT NULL)
CREATE UNIQUE INDEX approval_notice_pkey ON state.approval_notice USING btree (tenant, approval, version)
CREATE UNIQUE INDEX broker_lease_pkey ON state.broker_lease USING btree (instance)
CREATE UNIQUE INDEX config_revision_pkey ON state.config_revision USING btree (revision)
CREATE INDEX delegation_in_force ON state.delegation USING btree (tenant, until) WHERE (NOT revoked)
CREATE UNIQUE INDEX delegation_pkey ON state.delegation USING btree (tenant, id)
CREATE UNIQUE INDEX delivery_pkey ON state.delivery USING btree (tenant, approval, id)
CREATE INDEX ended_session_oldest ON state.ended_session USING btree (until)
CREATE UNIQUE INDEX ended_session_pkey ON state.ended_session USING btree (id)
CREATE INDEX idempotency_oldest ON state.idempotency USING btree (created_at)
CREATE UNIQUE INDEX idempotency_pkey ON state.idempotency USING btree (tenant, person, key)
CREATE UNIQUE INDEX outbox_pkey ON state.outbox USING btree (number)
CREATE INDEX outbox_unsent ON state.outbox USING btree (number) WHERE (sent_at IS NULL)
CREATE UNIQUE INDEX outbox_chain_pkey ON state.outbox_chain USING btree (tenant)
CREATE UNIQUE INDEX outbox_producer_pkey ON state.outbox_producer USING btree (singleton)
CREATE INDEX review_link_of_approval ON state.review_link USING btree (tenant, approval)
CREATE INDEX review_link_oldest ON state.review_link USING btree (created_at)
CREATE UNIQUE INDEX review_link_pkey ON state.review_link USING btree (hash)
CREATE UNIQUE INDEX slack_link_pkey ON state.slack_link USING btree (tenant, team, account)
CREATE UNIQUE INDEX slack_link_tenant_team_person_key ON state.slack_link USING btree (tenant, team, person)
CREATE UNIQUE INDEX slack_link_offer_digest_key ON state.slack_link_offer USING btree (digest)
CREATE UNIQUE INDEX slack_link_offer_pkey ON state.slack_link_offer USING btree (tenant, team, account)
CREATE UNIQUE INDEX standing_approval_pkey ON state.standing_approval USING btree (tenant, id)
CREATE INDEX standing_in_force ON state.standing_approval USING btree (tenant, server, tool, until) WHERE (NOT revoked)
CREATE UNIQUE INDEX subject_key_current ON state.subject_key USING btree (tenant, subject) WHERE (destroyed_at IS NULL)
CREATE UNIQUE INDEX subject_key_pkey ON state.subject_key USING btree (id)
CREATE UNIQUE INDEX tenant_key_pkey ON state.tenant_key USING btree (tenant)

-- operational database: functions

owner holdfast_owner rights holdfast_app=X/holdfast_owner, holdfast_follower=X/holdfast_owner, holdfast_owner=X/holdfast_owner
CREATE OR REPLACE FUNCTION journal.append(p_producer uuid, p_number bigint, p_tenants text[], p_events bytea, p_event_ends integer[], p_sealed bytea, p_sealed_ends integer[])
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
end $function$
owner holdfast_owner
CREATE OR REPLACE FUNCTION journal.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin raise exception 'journal records are never changed or removed' using errcode = 'HF002'; end $function$

-- operational database: triggers

CREATE TRIGGER fence BEFORE DELETE OR UPDATE ON journal.record FOR EACH ROW EXECUTE FUNCTION journal.refuse_change() enable always
CREATE TRIGGER fence_truncate BEFORE TRUNCATE ON journal.record FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change() enable always

-- operational database: roles

role holdfast_app login
role holdfast_follower login
role holdfast_notary login
role holdfast_owner
role holdfast_projector login
role holdfast_pruner login
role holdfast_reader login
role holdfast_redactor login
role holdfast_settler login

-- audit database: schemas

create schema audit owner holdfast_owner rights holdfast_owner=UC/holdfast_owner, holdfast_projector=U/holdfast_owner, holdfast_reader=U/holdfast_owner, holdfast_settler=U/holdfast_owner

-- audit database: tables

table audit.call owner holdfast_owner row security with (fillfactor=80) rights holdfast_owner=arwdDxtm/holdfast_owner, holdfast_projector=r/holdfast_owner, holdfast_reader=r/holdfast_owner
  tenant text not null
  call text not null
  state text not null
  actor_user text
  actor_client text
  actor_agent text
  via text not null
  run text
  trace text
  server text
  tool text
  exposed text
  tool_hash text
  class text
  protocol text
  endpoint text
  args_digest text
  args_bytes bigint
  effect text
  stage text
  rule text
  code text
  reason text
  policy_version bigint
  policy_digest text
  decision uuid
  broker uuid not null
  outcome text
  error_class text
  upstream_request text
  result_digest text
  result_bytes bigint
  total_us bigint
  policy_us bigint
  log_us bigint
  upstream_us bigint
  rollback text
  requested_at timestamp with time zone
  decided_at timestamp with time zone
  finished_at timestamp with time zone
  first_index bigint not null
  events bigint[] not null
  event_count bigint not null
table audit.cursor owner holdfast_owner rights holdfast_owner=arwdDxtm/holdfast_owner, holdfast_projector=r/holdfast_owner
  source text not null
  next bigint not null
table audit.entry owner holdfast_owner row security rights holdfast_owner=arwdDxtm/holdfast_owner, holdfast_projector=r/holdfast_owner, holdfast_reader=r/holdfast_owner
  idx bigint not null
  seq bigint not null
  producer uuid not null
  tenant text not null
  leaf bytea not null
  chain bytea not null
  bytes bytea not null storage e
table audit.finding owner holdfast_owner row security rights holdfast_owner=arwdDxtm/holdfast_owner, holdfast_projector=r/holdfast_owner, holdfast_reader=r/holdfast_owner
  tenant text not null
  id text not null
  kind text not null
  producer uuid
  from_seq bigint
  to_seq bigint
  idx bigint
  source text not null
  "position" bigint not null
  at bigint not null
  count bigint not null
  closed_at bigint
  closed_idx bigint
table audit.log_head owner holdfast_owner row security rights holdfast_owner=arwdDxtm/holdfast_owner, holdfast_projector=r/holdfast_owner, holdfast_reader=r/holdfast_owner
  tenant text not null
  size bigint not null
  frontier bytea not null
  chain bytea not null
table audit.producer owner holdfast_owner row security with (fillfactor=50) rights holdfast_owner=arwdDxtm/holdfast_owner, holdfast_projector=r/holdfast_owner, holdfast_reader=r/holdfast_owner
  tenant text not null
  producer uuid not null
  next bigint not null
  last text not null
  missing json not null
  duplicates bigint not null
table audit.sealed owner holdfast_owner row security rights holdfast_owner=arwdDxtm/holdfast_owner, holdfast_projector=r/holdfast_owner, holdfast_reader=r/holdfast_owner
  tenant text not null
  idx bigint not null
  path text not null
  key_id text not null
  box bytea not null storage e
table audit.tile owner holdfast_owner row security rights holdfast_owner=arwdDxtm/holdfast_owner, holdfast_projector=r/holdfast_owner, holdfast_reader=r/holdfast_owner
  tenant text not null
  level smallint not null
  n bigint not null
  hashes bytea not null storage e

-- audit database: constraints

constraint call_pkey on audit.call: PRIMARY KEY (tenant, call)
constraint cursor_next_check on audit.cursor: CHECK ((next >= 0))
constraint cursor_pkey on audit.cursor: PRIMARY KEY (source)
constraint entry_pkey on audit.entry: PRIMARY KEY (tenant, idx)
constraint finding_pkey on audit.finding: PRIMARY KEY (tenant, id)
constraint log_head_pkey on audit.log_head: PRIMARY KEY (tenant)
constraint log_head_size_check on audit.log_head: CHECK ((size > 0))
constraint producer_pkey on audit.producer: PRIMARY KEY (tenant, producer)
constraint sealed_pkey on audit.sealed: PRIMARY KEY (tenant, idx, path)
constraint sealed_tenant_idx_fkey on audit.sealed: FOREIGN KEY (tenant, idx) REFERENCES audit.entry(tenant, idx)
constraint tile_hashes_check on audit.tile: CHECK ((octet_length(hashes) = 8192))
constraint tile_pkey on audit.tile: PRIMARY KEY (tenant, level, n)

-- audit database: indexes

CREATE UNIQUE INDEX call_in_order ON audit.call USING btree (tenant, first_index)
CREATE INDEX call_open ON audit.call USING btree (broker, tenant, first_index) WHERE (state = 'open'::text)
CREATE UNIQUE INDEX call_pkey ON audit.call USING btree (tenant, call)
CREATE UNIQUE INDEX cursor_pkey ON audit.cursor USING btree (source)
CREATE UNIQUE INDEX entry_once ON audit.entry USING btree (tenant, producer, seq)
CREATE UNIQUE INDEX entry_pkey ON audit.entry USING btree (tenant, idx)
CREATE INDEX finding_in_order ON audit.finding USING btree (tenant, "position", id)
CREATE UNIQUE INDEX finding_pkey ON audit.finding USING btree (tenant, id)
CREATE UNIQUE INDEX log_head_pkey ON audit.log_head USING btree (tenant)
CREATE UNIQUE INDEX producer_pkey ON audit.producer USING btree (tenant, producer)
CREATE UNIQUE INDEX sealed_pkey ON audit.sealed USING btree (tenant, idx, path)
CREATE UNIQUE INDEX tile_pkey ON audit.tile USING btree (tenant, level, n)

-- audit database: functions

owner holdfast_owner rights holdfast_owner=X/holdfast_owner, holdfast_projector=X/holdfast_owner
CREATE OR REPLACE FUNCTION audit.append(p_source text, p_from bigint, p_to bigint, p_tenants text[], p_sizes bigint[], p_counts integer[], p_frontiers bytea, p_frontier_ends integer[], p_bytes bytea, p_ends integer[], p_leaves bytea, p_chains bytea, p_producers uuid[], p_seqs bigint[], p_tiles bytea, p_tile_tenants text[], p_tile_levels smallint[], p_tile_ns bigint[], p_boxes bytea, p_box_ends integer[], p_box_tenants text[], p_box_indexes bigint[], p_box_paths text[], p_box_keys text[], p_producer_rows json, p_calls json, p_findings json, p_finding_changes json)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
end $function$
owner holdfast_owner rights holdfast_owner=X/holdfast_owner, holdfast_settler=X/holdfast_owner
CREATE OR REPLACE FUNCTION audit.call_state(p_tenant text, p_call text)
 RETURNS TABLE(state text, outcome text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  select state, outcome from audit.call where tenant = p_tenant and call = p_call
$function$
owner holdfast_owner rights holdfast_owner=X/holdfast_owner, holdfast_settler=X/holdfast_owner
CREATE OR REPLACE FUNCTION audit.open_calls(p_broker uuid, p_limit integer)
 RETURNS TABLE(tenant text, call text, decision uuid, actor_user text, actor_client text, actor_agent text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  select tenant, call, decision, actor_user, actor_client, actor_agent from audit.call
  where broker = p_broker and state = 'open' order by tenant, first_index limit p_limit
$function$
owner holdfast_owner rights holdfast_owner=X/holdfast_owner, holdfast_settler=X/holdfast_owner
CREATE OR REPLACE FUNCTION audit.projected(p_source text)
 RETURNS bigint
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  select next from audit.cursor where source = p_source
$function$
owner holdfast_owner rights holdfast_owner=X/holdfast_owner
CREATE OR REPLACE FUNCTION audit.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin raise exception 'audit % is never changed or removed', tg_table_name using errcode = 'HF002'; end $function$
owner holdfast_owner rights holdfast_owner=X/holdfast_owner
CREATE OR REPLACE FUNCTION audit.refuse_going_back()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin raise exception 'audit % never goes back', tg_table_name using errcode = 'HF002'; end $function$

-- audit database: triggers

CREATE TRIGGER fence BEFORE UPDATE ON audit.cursor FOR EACH ROW WHEN (((new.next <= old.next) OR (new.source <> old.source))) EXECUTE FUNCTION audit.refuse_going_back() enable always
CREATE TRIGGER fence_delete BEFORE DELETE ON audit.cursor FOR EACH ROW EXECUTE FUNCTION audit.refuse_going_back() enable always
CREATE TRIGGER fence_truncate BEFORE TRUNCATE ON audit.cursor FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_going_back() enable always
CREATE TRIGGER fence BEFORE DELETE OR UPDATE ON audit.entry FOR EACH ROW EXECUTE FUNCTION audit.refuse_change() enable always
CREATE TRIGGER fence_truncate BEFORE TRUNCATE ON audit.entry FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change() enable always
CREATE TRIGGER fence BEFORE UPDATE ON audit.log_head FOR EACH ROW WHEN (((new.size <= old.size) OR (new.tenant <> old.tenant))) EXECUTE FUNCTION audit.refuse_going_back() enable always
CREATE TRIGGER fence_delete BEFORE DELETE ON audit.log_head FOR EACH ROW EXECUTE FUNCTION audit.refuse_going_back() enable always
CREATE TRIGGER fence_truncate BEFORE TRUNCATE ON audit.log_head FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_going_back() enable always
CREATE TRIGGER fence BEFORE DELETE OR UPDATE ON audit.sealed FOR EACH ROW EXECUTE FUNCTION audit.refuse_change() enable always
CREATE TRIGGER fence_truncate BEFORE TRUNCATE ON audit.sealed FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change() enable always
CREATE TRIGGER fence BEFORE DELETE OR UPDATE ON audit.tile FOR EACH ROW EXECUTE FUNCTION audit.refuse_change() enable always
CREATE TRIGGER fence_truncate BEFORE TRUNCATE ON audit.tile FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change() enable always

-- audit database: policies

policy all_tenants on audit.call for r to holdfast_projector using (true) check ()
policy one_tenant on audit.call for r to holdfast_reader using ((tenant = current_setting('holdfast.tenant'::text, true))) check ()
policy all_tenants on audit.entry for r to holdfast_projector using (true) check ()
policy one_tenant on audit.entry for r to holdfast_reader using ((tenant = current_setting('holdfast.tenant'::text, true))) check ()
policy all_tenants on audit.finding for r to holdfast_projector using (true) check ()
policy one_tenant on audit.finding for r to holdfast_reader using ((tenant = current_setting('holdfast.tenant'::text, true))) check ()
policy all_tenants on audit.log_head for r to holdfast_projector using (true) check ()
policy one_tenant on audit.log_head for r to holdfast_reader using ((tenant = current_setting('holdfast.tenant'::text, true))) check ()
policy all_tenants on audit.producer for r to holdfast_projector using (true) check ()
policy one_tenant on audit.producer for r to holdfast_reader using ((tenant = current_setting('holdfast.tenant'::text, true))) check ()
policy all_tenants on audit.sealed for r to holdfast_projector using (true) check ()
policy one_tenant on audit.sealed for r to holdfast_reader using ((tenant = current_setting('holdfast.tenant'::text, true))) check ()
policy all_tenants on audit.tile for r to holdfast_projector using (true) check ()
policy one_tenant on audit.tile for r to holdfast_reader using ((tenant = current_setting('holdfast.tenant'::text, true))) check ()

-- audit database: roles

role holdfast_app login
role holdfast_follower login
role holdfast_notary login
role holdfast_owner
role holdfast_projector login
role holdfast_pruner login
role holdfast_reader login
role holdfast_redactor login
role holdfast_settler login
