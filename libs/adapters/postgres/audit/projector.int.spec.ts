import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { auditCheck, JournalReplaced, Projector, type ProjectorDependencies, ProjectorSuperseded, verifyLog, type VerifyReport } from '#libs/audit/core';
import { MemoryJournal } from '#libs/adapters/memory';
import { EventWriter, journalOf, testDatabase, type TestDatabase } from '#libs/testing';
import type { JournalRecord } from '#libs/ports';
import { createPool } from '../pool.ts';
import { PostgresAuditReader } from './postgres-audit-reader.ts';
import { PostgresAuditStore } from './postgres-audit-store.ts';

const untilAborted = (signal: AbortSignal): Promise<void> => new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('Projector on the audit database', () => {
  let database: TestDatabase;
  let admin: pg.Client;
  const pools: pg.Pool[] = [];
  const pool = (role: string): pg.Pool => {
    const made = createPool({ url: database.url(role), application: `spec-${pools.length}`, max: 2 });
    pools.push(made);
    return made;
  };
  beforeEach(async () => {
    database = await testDatabase('audit');
    admin = new pg.Client({ connectionString: database.adminUrl });
    admin.on('error', () => undefined);
    await admin.connect();
  });
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((made) => made.end()));
    await admin.end();
    await database.drop();
  });

  const projector = (journal: MemoryJournal, more: Partial<ProjectorDependencies> = {}): Projector => new Projector({ journal, store: new PostgresAuditStore(pool('holdfast_projector')), source: 'memory', sleep: () => Promise.resolve(), ...more });
  const verify = (tenant = 'acme'): Promise<VerifyReport> => new PostgresAuditReader(pool('holdfast_reader')).atOneMoment(tenant, (log) => verifyLog(log));
  const check = (tenant = 'acme') => new PostgresAuditReader(pool('holdfast_reader')).atOneMoment(tenant, (log) => auditCheck(log.entries(0), { closed: true }));
  const calls = (n: number, name = 'broker'): JournalRecord[] => {
    const broker = new EventWriter(name);
    return [broker.started('acme'), ...Array.from({ length: n }, (_, i) => broker.call('acme', `${name}-${i}`)).flat()];
  };

  /** Runs until everything is projected. */
  const drain = async (journal: MemoryJournal, more: Partial<ProjectorDependencies> = {}): Promise<void> => {
    const stop = new AbortController();
    const end = await journal.end('memory');
    await projector(journal, { ...more, onBatch: (batch) => void (batch.to === end && stop.abort()) }).run(stop.signal);
  };

  it('follows the journal and tells its lag', async () => {
    const journal = await journalOf(calls(3));
    const stop = new AbortController();
    const follower = projector(journal, { onBatch: (batch) => void (batch.to === 13n && stop.abort()) });
    expect(await follower.lag()).toBe(10n);
    const running = follower.run(stop.signal);
    await journal.append({ producer: 'x', number: 1, records: calls(0, 'late').concat(new EventWriter('other').call('globex', 'g')).slice(0, 3) });
    await running;
    expect(await follower.lag()).toBe(0n);
    expect((await verify()).verdict).toBe('PASS');
  });

  // Where a transaction can be when its backend dies: it waits there for a lock that somebody holds.
  it.each([
    ['before the cursor moves', 'lock table audit.cursor in access exclusive mode'],
    ['between cursor and head', 'lock table audit.log_head in access exclusive mode'],
    ['between head and entries', 'lock table audit.entry in access exclusive mode'],
    ['between entries and tiles', 'lock table audit.tile in access exclusive mode'],
    ['between tiles and sealed values', 'lock table audit.sealed in access exclusive mode'],
    ['between sealed values and producers', 'lock table audit.producer in access exclusive mode'],
    ['between producers and calls', 'lock table audit.call in access exclusive mode'],
    ['between calls and findings', 'lock table audit.finding in access exclusive mode'],
  ])('killed %s, leaves nothing of the batch, and recovers to the same log', async (_, hold) => {
    const journal = await journalOf([...calls(90), { tenant: 'acme', event: Buffer.from('no event'), sealed: null }]);
    const blocker = new pg.Client({ connectionString: database.adminUrl });
    await blocker.connect();
    const store = new PostgresAuditStore(pool('holdfast_projector'));
    const append = store.append.bind(store);
    let held = false;
    // What is asked before the write must be answered first, so the lock is taken just before it.
    store.append = async (batch) => {
      if (held) return append(batch);
      held = true;
      await blocker.query('begin');
      await blocker.query(hold);
      const killing = killWaiting();
      try {
        await append(batch);
      } finally {
        await killing;
      }
    };
    const killWaiting = async (): Promise<void> => {
      for (let killed = 0; killed === 0; ) killed = (await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%audit.append%'`)).rowCount ?? 0;
    };
    let downs = 0;
    const stop = new AbortController();
    await projector(journal, {
      store,
      onState: (state) => void (state === 'down' && downs++),
      onBatch: (batch) => void (batch.to === 272n && stop.abort()),
      // Recovery begins when the blocker has let go.
      sleep: async () => {
        expect((await blocker.query('select from audit.cursor')).rowCount).toBe(0);
        await blocker.query('rollback');
      },
    }).run(stop.signal);
    await blocker.end();
    expect(downs).toBe(1);
    const report = await verify();
    expect(report).toMatchObject({ verdict: 'PASS', size: 272 });
    expect((await check()).violations).toEqual([]);
  });

  it('after a commit that nobody heard of goes on behind it', async () => {
    const journal = await journalOf(calls(100));
    const store = new PostgresAuditStore(pool('holdfast_projector'));
    const append = store.append.bind(store);
    let deaf = 2;
    store.append = async (batch) => {
      await append(batch);
      if (deaf-- > 0) throw Object.assign(new Error('Connection terminated unexpectedly'), { code: '08006' });
    };
    const stop = new AbortController();
    await new Projector({ journal, store, source: 'memory', sleep: () => Promise.resolve(), isPassing: (error) => (error as { code?: string }).code === '08006', limits: { maxRecords: 70 }, onBatch: (batch) => void (batch.to === 301n && stop.abort()) }).run(stop.signal);
    expect(await verify()).toMatchObject({ verdict: 'PASS', size: 301 });
    expect((await admin.query('select from audit.finding')).rowCount).toBe(0);
  });

  it('two at once: one stops with a clear error, the log is as of one', async () => {
    const journal = await journalOf(calls(200));
    const stop = new AbortController();
    const one = (): Promise<string> =>
      projector(journal, { limits: { maxRecords: 7 }, onBatch: (batch) => void (batch.to === 601n && stop.abort()) }).run(stop.signal).then(
        () => 'finished',
        (error: unknown) => (error instanceof ProjectorSuperseded ? 'superseded' : String(error)),
      );
    expect((await Promise.all([one(), one()])).sort()).toEqual(['finished', 'superseded']);
    const report = await verify();
    expect(report).toMatchObject({ verdict: 'PASS', size: 601 });
  });

  it('a zombie that wakes up late writes nothing', async () => {
    const journal = await journalOf(calls(20));
    const stop = new AbortController();
    const zombieStore = new PostgresAuditStore(pool('holdfast_projector'));
    const append = zombieStore.append.bind(zombieStore);
    let overtaken = false;
    zombieStore.append = async (batch) => {
      if (!overtaken) {
        overtaken = true;
        await drain(journal);
      }
      return append(batch);
    };
    await expect(new Projector({ journal, store: zombieStore, source: 'memory', sleep: () => untilAborted(stop.signal) }).run(stop.signal)).rejects.toThrow(ProjectorSuperseded);
    expect(await verify()).toMatchObject({ verdict: 'PASS', size: 61 });
  });

  it('waits for a database that is away, and goes on when it is back', async () => {
    const journal = await journalOf(calls(10));
    await drain(journal);
    await admin.query(`alter role holdfast_projector connection limit 0`);
    const states: string[] = [];
    const stop = new AbortController();
    const running = projector(journal, {
      onState: (state) => void states.push(state),
      sleep: async () => void (states.filter((state) => state === 'down').length === 3 && (await admin.query(`alter role holdfast_projector connection limit -1`))),
      onBatch: (batch) => void (batch.to === 32n && stop.abort()),
    }).run(stop.signal);
    await journal.append({ producer: 'x', number: 1, records: calls(0, 'more') });
    await running;
    expect(states).toEqual(['down', 'down', 'down', 'up']);
    expect(await verify()).toMatchObject({ verdict: 'PASS', size: 32 });
  });

  it('refuses to follow another journal than the one the log was made from', async () => {
    await drain(await journalOf(calls(2)));
    const other = new MemoryJournal(() => 0, 'another');
    await expect(projector(other, { source: 'another' }).run(new AbortController().signal)).rejects.toThrow(JournalReplaced);
  });

  it('appends nothing to a log whose tail does not add up to its head', async () => {
    const journal = await journalOf(calls(5));
    await drain(journal);
    await admin.query('alter table audit.entry disable trigger all');
    await admin.query(`update audit.entry set leaf = sha256('x') where idx = 3`);
    await journal.append({ producer: 'x', number: 1, records: calls(0, 'more') });
    await expect(projector(journal).run(new AbortController().signal)).rejects.toThrow('run holdfast audit verify');
  });

  it('stores whatever an agent can put into an event without stopping', async () => {
    const broker = new EventWriter('broker');
    const nasty = ['\u0000', 'a\u0000b', '\u{1F4A9}', '\uFFFF', '"; drop table audit.entry; --', '\\', '\u2028', '{"a":1}', ' ', '\u202E', 'x'.repeat(6_000), "'", '%', '\t\r\n'];
    const records = nasty.flatMap((text, i) => [broker.requested('acme', `c-${i}`, { exposed: text, tool: text, claimedClient: text, endpoint: text }), broker.write({ type: 'policy.decided', tenant: 'acme', actor: { user: text, agent: text, via: 'mcp' }, corr: text, links: { call: `c-${i}`, run: text, trace: text }, data: { effect: 'deny', stage: 'policy', rule: text, matched: [text], reason: text.slice(0, 1000), policyVersion: 1, policyDigest: 'A'.repeat(43), inputsDigest: 'A'.repeat(43), evaluator: text } })]);
    for (const call of ['x'.repeat(129), '\u0000', '']) records.push(broker.requested('acme', call));
    await drain(await journalOf([broker.started('globex'), ...records]));
    const report = await verify();
    expect(report.size).toBe(records.length);
    expect(report.properties.filter((property) => property.status === 'FAIL').map((property) => property.property)).toEqual([]);
    const { rows } = await admin.query(`select kind, count(*)::int as n from audit.finding group by kind order by kind`);
    expect(rows).toEqual([{ kind: 'rejected', n: 3 }]);
  });
});
