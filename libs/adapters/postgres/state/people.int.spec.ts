import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { applyConfiguration, Configurations, DelegationDesk, ReviewLinks } from '#libs/approvals/core';
import { AesSealer, KeyHierarchy } from '#libs/adapters/sealing';
import { configuration, specIds, testDatabase, type TestDatabase } from '#libs/testing';
import { Listener } from '../listener.ts';
import { createPool } from '../pool.ts';
import { openStateDatabase } from './data-source.ts';
import { PostgresApprovalStore } from './postgres-approval-store.ts';
import { PostgresConfigurationStore } from './postgres-configuration-store.ts';
import { PostgresDelegationStore } from './postgres-delegation-store.ts';
import { PostgresEndedSessions } from './postgres-ended-sessions.ts';
import { PostgresIdempotencyStore } from './postgres-idempotency-store.ts';
import { PostgresKeyStore } from './postgres-key-store.ts';
import { PostgresReviewLinks } from './postgres-review-links.ts';
import { PostgresOutbox } from './postgres-outbox.ts';

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
const clock = { now: () => Date.now(), monotonicUs: () => 0 };

describe('what people need, in the operational database', () => {
  let database: TestDatabase;
  let admin: pg.Client;
  let pool: pg.Pool;
  let state: DataSource;
  let listener: Listener;
  let outbox: PostgresOutbox;
  let approvals: PostgresApprovalStore;
  let once: PostgresIdempotencyStore;
  let desk: DelegationDesk;

  beforeAll(async () => {
    database = await testDatabase('operational');
    const url = database.url('holdfast_app');
    admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
    pool = createPool({ url, application: 'people-test', max: 4 });
    state = await openStateDatabase(url, 8);
    listener = new Listener(url);
    outbox = new PostgresOutbox(state, listener, new AesSealer(new KeyHierarchy(new Uint8Array(32), new PostgresKeyStore(pool), Date.now)), { name: 'test', version: '1' });
    approvals = new PostgresApprovalStore(state, listener, outbox);
    once = new PostgresIdempotencyStore(state);
    const store = new PostgresConfigurationStore(state, outbox);
    const users = ['ada', 'grace', 'alan'].map((id) => ({ id, tenant: 'acme' }));
    await applyConfiguration(store, configuration({ identity: { users } }), 'start', digestOf);
    desk = new DelegationDesk({ delegations: new PostgresDelegationStore(state, outbox), configurations: new Configurations(store), clock, ids: { ...specIds, uuid: () => randomUUID() } });
  });
  afterAll(async () => {
    await listener.close();
    await state.destroy();
    await pool.end();
    await admin.end();
    await database.drop();
  });

  const person = (id: string, operator = false) => ({ tenant: 'acme', id, operator, auditor: false, via: 'api' as const });

  it('a key is answered once; what another made of it meanwhile is told, and what failed may be tried again', async () => {
    const request = { tenant: 'acme', person: 'ada', key: 'k', digest: 'd' };
    const begun = await Promise.all(Array.from({ length: 8 }, () => once.begin(request)));
    expect(begun.map(({ kind }) => kind).sort()).toEqual(['begun', ...Array.from({ length: 7 }, () => 'running')]);
    await once.forget(request);
    expect((await once.begin(request)).kind).toBe('begun');
    await once.answered(request, 'said');
    await once.forget(request);
    expect(await once.begin(request)).toEqual({ kind: 'answered', answer: 'said' });
    expect(await once.begin({ ...request, digest: 'e' })).toEqual({ kind: 'other' });
    expect((await once.begin({ ...request, person: 'grace', digest: 'e' })).kind).toBe('begun');
  });

  it('work that died is taken over with the same id, and a day later a key is new', async () => {
    const request = { tenant: 'acme', person: 'ada', key: 'dead', digest: 'd' };
    const first = (await once.begin(request)) as { id: string };
    await admin.query(`update state.idempotency set begun_at = now() - interval '61 seconds' where key = 'dead'`);
    expect(await once.begin(request)).toEqual({ kind: 'begun', id: first.id });
    await admin.query(`update state.idempotency set created_at = now() - interval '25 hours' where key = 'dead'`);
    expect(await once.begin({ ...request, digest: 'other' })).toMatchObject({ kind: 'begun' });
    await admin.query(`update state.idempotency set created_at = now() - interval '25 hours'`);
    expect(await once.sweep(1)).toBe(1);
    expect(await once.sweep(100)).toBeGreaterThan(0);
    expect(await once.sweep(100)).toBe(0);
  });

  it('one person has a bounded number of keys', async () => {
    await admin.query(`insert into state.idempotency (tenant, person, key, digest, id) select 'acme', 'many', i::text, '', gen_random_uuid() from generate_series(1, 5000) i`);
    expect(await once.begin({ tenant: 'acme', person: 'many', key: 'one more', digest: '' })).toEqual({ kind: 'full' });
    expect(await once.begin({ tenant: 'acme', person: 'many', key: '17', digest: '' })).toEqual({ kind: 'running' });
  });

  it('two who hand their rights to each other at once make no chain, and what is revoked counts no more', async () => {
    const until = Date.now() + 60_000;
    const both = await Promise.allSettled([desk.create(person('ada'), { to: 'grace', until, scope: {} }), desk.create(person('grace'), { to: 'ada', until, scope: {} })]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const [made] = await desk.list(person('alan', true));
    expect((await approvals.moment('acme')).delegations).toMatchObject([{ from: made!.from, to: made!.to }]);
    await desk.revoke(person(made!.from), made!.id);
    await desk.revoke(person(made!.from), made!.id);
    expect(await desk.list(person('alan', true))).toEqual([]);
    expect((await approvals.moment('acme')).delegations).toEqual([]);
  });

  it('a session that was ended is, until its time is over', async () => {
    const sessions = new PostgresEndedSessions(state);
    const [kept, over] = [randomUUID(), randomUUID()];
    await sessions.end(kept, Date.now() + 60_000);
    await sessions.end(kept, Date.now() + 60_000);
    await sessions.end(over, Date.now() - 1);
    expect([await sessions.isEnded(kept), await sessions.isEnded(randomUUID())]).toEqual([true, false]);
    expect(await sessions.sweep(10)).toBe(1);
    expect(await sessions.isEnded(kept)).toBe(true);
  });

  it('a link is known by the SHA-256 of its token, belongs to an approval that is there, and to its tenant', async () => {
    const id = randomUUID();
    await admin.query(
      `insert into state.approval (tenant, id, call, status, version, lane, requester, created_at, changed_at, expires_at, state, beside, sealed) values ('acme', $1, '', 'held', 1, 'wait', 'ada', 1, 1, 9e15::bigint, $2, '{}', '')`,
      [id, JSON.stringify({ id, status: 'held', step: 0, expiresAt: 9e15, binding: { tenant: 'acme' } })],
    );
    const store = new PostgresReviewLinks(state);
    const links = new ReviewLinks({ links: store, store: approvals, clock, ids: { randomBytes: (length) => randomBytes(length) }, sha256: (data) => createHash('sha256').update(data).digest() });
    const token = (await links.make('acme', id, 0, 'grace')).slice('/review/'.length);
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const rows = (await admin.query('select * from state.review_link')).rows as object[];
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(token);
    expect(await links.find(token)).toEqual({ tenant: 'acme', approval: id, step: 0, recipient: 'grace', used: false, open: true });
    expect([await links.find(`${token.slice(1)}A`), await links.find(''), await links.find('x'.repeat(1_000))]).toEqual([null, null, null]);
    await links.use(token);
    expect(await links.find(token)).toMatchObject({ used: true, open: false });
    const early = (await links.make('acme', id, 1, 'grace')).slice('/review/'.length);
    expect(await links.find(early)).toMatchObject({ used: false, open: false });
    await expect(links.make('acme', randomUUID(), 0, 'grace')).rejects.toThrow();
    await expect(links.make('other', id, 0, 'grace')).rejects.toThrow();
    await admin.query(`insert into state.review_link (hash, tenant, approval, step, recipient) select sha256(i::text::bytea), 'acme', $1, 0, 'grace' from generate_series(3, 1000) i`, [id]);
    await expect(links.make('acme', id, 0, 'grace')).rejects.toThrow(/bounded/);
    await admin.query(`update state.review_link set created_at = now() - interval '31 days' where step = 1`);
    expect(await links.sweep(10)).toBe(1);
    expect(await links.find(early)).toBeNull();
    await admin.query(`delete from state.review_link`);
    await admin.query(`delete from state.approval where id = $1`, [id]);
  });

  it('ten thousand held calls are listed page by page, each once, also while further ones come', async () => {
    const insert = (from: number, to: number): Promise<unknown> =>
      admin.query(
        `insert into state.approval (tenant, id, call, status, version, lane, requester, created_at, changed_at, expires_at, state, beside, sealed)
         select 'acme', gen_random_uuid(), '', 'held', 1, 'wait', 'ada', 1000 + i / 7, 1000 + i, 9e15::bigint, jsonb_build_object('id', i::text, 'binding', jsonb_build_object('tenant', 'acme', 'user', 'ada')), '{}', ''
         from generate_series($1::int, $2::int) i`,
        [from, to],
      );
    await insert(1, 10_000);
    const seen: string[] = [];
    let after: string | undefined;
    for (let page = 0; ; page++) {
      const { items, next } = await approvals.list({ tenant: 'acme', statuses: ['held'], limit: 500, ...(after === undefined ? {} : { after }) });
      seen.push(...items.map((item) => item.state.id));
      if (page % 5 === 0) await insert(20_000 + page, 20_000 + page);
      if (next === null) break;
      after = next;
    }
    expect(seen.length).toBe(10_000);
    expect(new Set(seen).size).toBe(10_000);
  });
});
