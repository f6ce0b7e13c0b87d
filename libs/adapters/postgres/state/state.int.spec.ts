import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { applyConfiguration, planRevision, relayOutbox } from '#libs/approvals/core';
import { AesSealer, KeyHierarchy } from '#libs/adapters/sealing';
import type { Envelope } from '#libs/contracts';
import { configuration, httpServer, testDatabase, type TestDatabase } from '#libs/testing';
import { PostgresJournal } from '../journal/postgres-journal.ts';
import { Listener } from '../listener.ts';
import { createPool } from '../pool.ts';
import { openStateDatabase } from './data-source.ts';
import { PostgresBrokerLeases } from './postgres-broker-leases.ts';
import { PostgresConfigurationStore } from './postgres-configuration-store.ts';
import { PostgresKeyStore } from './postgres-key-store.ts';
import { PostgresOutbox } from './postgres-outbox.ts';

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

describe('state in the operational database', () => {
  let database: TestDatabase;
  let admin: pg.Client;
  let pool: pg.Pool;
  let state: DataSource;
  let journal: PostgresJournal;
  let outbox: PostgresOutbox;
  let listener: Listener;
  let store: PostgresConfigurationStore;

  beforeAll(async () => {
    database = await testDatabase('operational');
    const url = database.url('holdfast_app');
    admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
    pool = createPool({ url, application: 'state-test', max: 8 });
    state = await openStateDatabase(url, 8);
    journal = new PostgresJournal(pool, url);
    outbox = new PostgresOutbox(state, (listener = new Listener(url)), new AesSealer(new KeyHierarchy(new Uint8Array(32), new PostgresKeyStore(pool), Date.now)), { name: 'test', version: '1' });
    store = new PostgresConfigurationStore(state, outbox);
  });
  afterAll(async () => {
    await listener.close();
    await state.destroy();
    await journal.close();
    await pool.end();
    await admin.end();
    await database.drop();
  });

  const logged = async (): Promise<Envelope[]> => (await admin.query<{ event: Buffer }>('select event from journal.record order by position')).rows.map((row) => JSON.parse(row.event.toString()) as Envelope);

  it('a revision and its events are one transaction: what fails leaves neither, nor a hole in the sequence', async () => {
    const config = configuration();
    const { next, events } = planRevision(null, config, 'start', digestOf)!;
    const impossible = { ...events[0]!, data: { nonsense: true } } as never;
    await expect(store.apply(next, null, 'start', [...events, impossible])).rejects.toThrow();
    expect(await store.latest()).toBeNull();
    expect(await outbox.unsent(10)).toEqual([]);
    await applyConfiguration(store, config, 'start', digestOf);
    expect((await store.latest())!.config).toEqual(config);
    await relayOutbox(outbox, journal);
    const system = (await logged()).filter((event) => event.tenant === '_system');
    expect(system.map((event) => [event.type, event.producer.seq])).toEqual([
      ['log.producer_started', '1'],
      ['config.applied', '2'],
    ]);
  });

  it('ten writers at once make ten revisions, one after the other, and the log tells them in that order', async () => {
    const before = (await store.latest())!.revision;
    await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        for (;;) {
          const previous = await store.latest();
          const plan = planRevision(previous, configuration({ servers: [httpServer(`s${i}`)] }), 'api', digestOf)!;
          if (await store.apply(plan.next, previous!.revision, 'api', plan.events)) return;
        }
      }),
    );
    expect((await store.latest())!.revision).toBe(before + 10);
    await relayOutbox(outbox, journal);
    const events = await logged();
    const revisions = events.filter((event) => event.type === 'config.applied').map((event) => event.data['revision']);
    expect(revisions).toEqual(Array.from({ length: before + 10 }, (_, i) => i + 1));
    for (const tenant of ['_system', 'acme']) {
      let prev = '';
      const own = (await admin.query<{ event: Buffer }>('select event from journal.record where tenant = $1 order by position', [tenant])).rows;
      own.forEach(({ event }, i) => {
        const { producer } = JSON.parse(event.toString()) as Envelope;
        expect([producer.seq, producer.prev]).toEqual([String(i + 1), prev]);
        prev = createHash('sha256').update(event).digest('base64url');
      });
    }
  });

  it('knows every tenant that was ever configured, also when it is configured no more', async () => {
    const twoTenants = configuration({ tenants: [{ id: 'acme', name: 'Acme' }, { id: 'former', name: 'Former' }] });
    await applyConfiguration(store, twoTenants, 'api', digestOf);
    await applyConfiguration(store, configuration(), 'api', digestOf);
    expect(await store.tenants()).toEqual(['acme', 'former']);
    await relayOutbox(outbox, journal);
  });

  it('forgets batches that are in the journal for long, and nothing else', async () => {
    await applyConfiguration(store, configuration({ servers: [httpServer('later')] }), 'api', digestOf);
    const waiting = (await outbox.unsent(10)).map(({ number }) => number);
    expect(await outbox.forgetSent(new Date(Date.now() - 60_000), 100)).toBe(0);
    expect(await outbox.forgetSent(new Date(Date.now() + 60_000), 100)).toBeGreaterThan(0);
    expect((await outbox.unsent(10)).map(({ number }) => number)).toEqual(waiting);
    expect(await outbox.delivered(1n, 1_000)).toBe(true);
    await relayOutbox(outbox, journal);
  });

  it('a relay that crashed between appending and marking appends nothing twice', async () => {
    await applyConfiguration(store, configuration({ servers: [httpServer('once')] }), 'api', digestOf);
    const [batch] = await outbox.unsent(1);
    await journal.append(batch!);
    const before = (await logged()).length;
    await relayOutbox(outbox, journal);
    expect((await logged()).length).toBe(before);
    expect(await outbox.unsent(1)).toEqual([]);
  });

  it('two processes that make a subject key at once use the same one', async () => {
    const keys = new PostgresKeyStore(pool);
    await keys.addTenantKey('acme', { id: randomUUID(), wrapped: Buffer.from('t') });
    const made = await Promise.all(Array.from({ length: 8 }, () => keys.addSubjectKey('acme', 'zoe', { id: randomUUID(), wrapped: Buffer.from('k') })));
    expect(new Set(made.map((key) => key.id)).size).toBe(1);
  });

  it('a broker is lost only once it was declared lost; until then a late renewal counts, afterwards none does', async () => {
    const leases = new PostgresBrokerLeases(pool);
    const [lost, late, ended, alive] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    await leases.start(lost, -1);
    await leases.start(late, -1);
    await leases.start(ended, 60_000);
    await leases.start(alive, 60_000);
    await leases.end(ended);
    expect(await leases.lost()).toEqual([]);
    expect((await leases.renew(alive, 60_000)).held).toBe(true);
    expect((await leases.renew(late, 60_000)).held).toBe(true);
    await leases.end(late);
    await leases.declareLost();
    expect(await leases.lost()).toEqual([lost]);
    expect((await leases.renew(lost, 60_000)).held).toBe(false);
    expect(await leases.lost()).toEqual([lost]);
    await leases.settled(lost);
    expect(await leases.lost()).toEqual([]);
    await leases.revokeAll();
    expect(await leases.lost()).toEqual([alive]);
  });
});
