import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { ApprovalDesk, type ApprovalEvent, applyConfiguration, Configurations, isPending, PeopleDesk, type Person, relayOutbox, replay, Sweep } from '#libs/approvals/core';
import { AesSealer, KeyHierarchy } from '#libs/adapters/sealing';
import type { Envelope, HoldfastConfig } from '#libs/contracts';
import type { Approvals, HoldRequest, Ticket } from '#libs/ports';
import { configuration, httpServer, specClock, specIds, testDatabase, type TestDatabase } from '#libs/testing';
import { PostgresJournal } from '../journal/postgres-journal.ts';
import { Listener } from '../listener.ts';
import { createPool } from '../pool.ts';
import { openStateDatabase } from './data-source.ts';
import { PostgresApprovalStore } from './postgres-approval-store.ts';
import { PostgresConfigurationStore } from './postgres-configuration-store.ts';
import { PostgresKeyStore } from './postgres-key-store.ts';
import { PostgresOutbox } from './postgres-outbox.ts';
import { PostgresStandingStore } from './postgres-standing-store.ts';

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
const CROWD = Array.from({ length: 100 }, (_, i) => `voter-${i}`);

const office = (more: Record<string, unknown> = {}): HoldfastConfig =>
  configuration({
    tenants: [{ id: 'acme', name: 'Acme' }, { id: 'globex', name: 'Globex' }],
    identity: { users: [...['ada', 'grace', 'edsger', ...CROWD].map((id) => ({ id, tenant: 'acme', groups: id.startsWith('voter') ? ['crowd'] : [] })), { id: 'grace', tenant: 'globex' }] },
    servers: [httpServer('billing')],
    flows: [
      { id: 'one', tenant: 'acme', expiresIn: '1h', steps: [{ name: 'only', approvers: { groups: ['crowd'] } }] },
      { id: 'two', tenant: 'acme', expiresIn: '1h', steps: [{ name: 'first', approvers: { users: ['grace'] }, remindEvery: '10m' }, { name: 'second', approvers: { users: ['edsger'] } }] },
    ],
    limits: [{ tenant: 'acme', per: 'agent', held: 50 }],
    ...more,
  });

const person = (id: string, tenant = 'acme'): Person => ({ tenant, id, operator: id === 'oscar', auditor: false, via: 'api' });

describe('approvals in the operational database', () => {
  let database: TestDatabase;
  let admin: pg.Client;
  let pool: pg.Pool;
  let state: DataSource;
  let journal: PostgresJournal;
  let outbox: PostgresOutbox;
  let listener: Listener;
  let store: PostgresApprovalStore;
  let desk: Approvals;
  let people: PeopleDesk;
  let sweep: Sweep;
  let aheadMs = 0;
  const states = new Map<string, string>();
  const over = new Set<string>();

  beforeAll(async () => {
    database = await testDatabase('operational');
    const url = database.url('holdfast_app');
    admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
    pool = createPool({ url, application: 'approvals-test', max: 8 });
    state = await openStateDatabase(url, 20);
    journal = new PostgresJournal(pool, url);
    listener = new Listener(url);
    const sealer = new AesSealer(new KeyHierarchy(new Uint8Array(32), new PostgresKeyStore(pool), Date.now));
    outbox = new PostgresOutbox(state, listener, sealer, { name: 'test', version: '1' });
    const revisions = new PostgresConfigurationStore(state, outbox);
    await applyConfiguration(revisions, office(), 'start', digestOf);
    store = new PostgresApprovalStore(state, listener, outbox);
    const clock = { now: () => Date.now() + aheadMs, monotonicUs: specClock.monotonicUs };
    const deps = { store, standing: new PostgresStandingStore(state, outbox), configurations: new Configurations(revisions), outbox, sealer, clock, ids: specIds, digestOf, meets: () => 'met' as const, fits: () => true };
    desk = new ApprovalDesk(deps);
    people = new PeopleDesk(deps);
    const openCalls = { caughtUp: () => Promise.resolve(true), of: () => Promise.resolve([]), stateOf: (_: string, call: string) => Promise.resolve(states.has(call) ? { state: states.get(call)!, outcome: states.get(call) === 'completed' ? 'succeeded' : null } : null) };
    sweep = new Sweep({ ...deps, openCalls, leases: { over: (broker: string) => Promise.resolve(over.has(broker)) } as never });
  });
  afterAll(async () => {
    await listener.close();
    await state.destroy();
    await journal.close();
    await pool.end();
    await admin.end();
    await database.drop();
  });

  let agents = 0;
  const request = (more: { flow?: string; agent?: string; digest?: string; lane?: 'wait' | 'task'; tenant?: string; joins?: boolean } = {}): HoldRequest => {
    const agent = more.agent ?? `bot-${++agents}`;
    const tenant = more.tenant ?? 'acme';
    return {
      call: randomUUID(),
      identity: { tenant, user: 'ada', client: 'cli', agent, server: 'billing', method: 'tools/call', tool: 'refund', toolHash: 'H'.repeat(43) },
      args: { digest: more.digest ?? digestOf('{"id":1}'), absent: false },
      policyVersion: 1,
      rule: 'ask',
      why: 'Refunds are looked at.',
      flow: more.flow ?? 'two',
      reason: 'the customer is right',
      impactClass: 'write',
      lane: more.lane ?? 'wait',
      joins: more.joins ?? true,
      standing: true,
      request: { principal: { tenant, user: 'ada', client: 'cli', agent, roles: ['agent'], groups: [], key: 'k' }, method: 'tools/call', name: 'billing__refund', args: { id: 1 }, params: '{"name":"billing__refund","arguments":{"id":1}}', endpoint: '/mcp', protocol: '2026-07-28', upstreamMeta: {} },
      inputSchema: undefined,
    };
  };
  const held = async (more: Parameters<typeof request>[0] = {}): Promise<Ticket> => {
    const answer = await desk.hold(request(more));
    if (answer.kind !== 'held') throw new Error(`it was ${answer.kind}`);
    return answer.ticket;
  };
  const claim = (ticket: Ticket, more: { broker?: string } = {}) => {
    const { identity, args } = request({ agent: ticket.caller.agent! });
    return desk.claim('acme', ticket.approval, { broker: more.broker ?? randomUUID(), identity, args, requesterValid: true, policy: { version: 1, effect: 'require_approval', flow: 'two' } });
  };
  const approved = async (more: Parameters<typeof request>[0] = {}): Promise<Ticket> => {
    const ticket = await held(more);
    for (const who of ['grace', 'edsger']) await people.decide(person(who), ticket.approval, { verdict: 'approve', version: (await desk.find('acme', ticket.approval))!.version });
    return ticket;
  };
  /** What the journal has about an approval, once all that waits is relayed. */
  const logged = async (approval: string): Promise<Envelope[]> => {
    await relayOutbox(outbox, journal);
    const { rows } = await admin.query<{ event: Buffer }>('select event from journal.record order by position');
    return rows.map(({ event }) => JSON.parse(event.toString()) as Envelope).filter(({ links }) => links.approval === approval);
  };
  /** The row is the fold of what the log says, and nothing else. */
  const isItsLog = async (approval: string): Promise<void> => {
    const events = (await logged(approval)).filter(({ type }) => !['approval.arguments_shown', 'approval.joined'].includes(type));
    const stored = (await store.load('acme', approval))!;
    expect(replay(events.map(({ type, actor, data }) => ({ type, actor, data }) as unknown as ApprovalEvent))).toEqual(stored.state);
  };
  const refusals = async (work: readonly Promise<unknown>[]): Promise<string[]> => (await Promise.allSettled(work)).flatMap((end) => (end.status === 'rejected' ? [(end.reason as { code?: string; message: string }).code ?? (end.reason as Error).message] : []));

  it('is one transaction with its events: the row and the log say the same', async () => {
    const ticket = await approved();
    expect((await claim(ticket)).ok).toBe(true);
    await desk.settle('acme', ticket.approval, 'executed', '{"kind":"result"}');
    expect((await logged(ticket.approval)).map(({ type }) => type.replace('approval.', ''))).toEqual(['requested', 'step_opened', 'voted', 'step_opened', 'voted', 'granted', 'claimed', 'settled']);
    await isItsLog(ticket.approval);
    expect(await desk.answer('acme', ticket.approval)).toBe('{"kind":"result"}');
    expect((await desk.find('acme', ticket.approval))!.status).toBe('executed');
  });

  it('leaves nothing, neither row nor event, when its transaction fails', async () => {
    const before = (await admin.query('select count(*)::int as count from state.outbox')).rows as unknown[];
    await admin.query('alter table state.outbox add constraint no_more check (number < 0) not valid');
    await expect(desk.hold(request({ agent: 'unlucky' }))).rejects.toThrow(/no_more/);
    await admin.query('alter table state.outbox drop constraint no_more');
    expect((await admin.query("select from state.approval where agent = 'unlucky'")).rowCount).toBe(0);
    expect((await admin.query('select count(*)::int as count from state.outbox')).rows).toEqual(before);
    await held();
  });

  it('is sealed: neither arguments nor reasons can be read in the tables', async () => {
    const ticket = await held();
    const { rows } = await admin.query<{ row: string }>('select approval::text as row from state.approval where id = $1', [ticket.approval]);
    expect(rows[0]!.row).not.toContain('customer');
    expect(rows[0]!.row).not.toContain(Buffer.from('customer').toString('hex'));
    expect(await people.open(person('grace'), ticket.approval)).toMatchObject({ args: { id: 1 }, reason: 'the customer is right' });
    await expect(people.open(person('voter-1'), ticket.approval)).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('fifty equal calls at once make one approval', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => desk.hold(request({ agent: 'twin' }))));
    expect(answers.map(({ kind }) => kind).sort().slice(0, 2)).toEqual(['held', 'joined']);
    expect(new Set(answers.map((answer) => ('ticket' in answer ? answer.ticket.approval : answer.kind))).size).toBe(1);
  });

  it('sixty calls of an agent that may have fifty wait: fifty are held', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => desk.hold(request({ agent: 'busy', digest: digestOf(String(i)) }))));
    expect(answers.filter(({ kind }) => kind === 'held')).toHaveLength(50);
    expect(answers.filter((answer) => answer.kind === 'refused' && answer.code === 'too_many_held')).toHaveLength(10);
  }, 60_000);

  it('a hundred people vote at once on a step that needs one: one vote counts', async () => {
    const { approval, version } = await held({ flow: 'one' });
    const codes = await refusals(CROWD.map((id) => people.decide(person(id), approval, { verdict: 'approve', version })));
    expect(codes).toHaveLength(99);
    expect(new Set(codes)).toEqual(new Set(['approval_granted']));
    const types = (await logged(approval)).map(({ type }) => type);
    expect(types.filter((type) => type === 'approval.voted')).toHaveLength(1);
    expect(types.filter((type) => type === 'approval.granted')).toHaveLength(1);
    await isItsLog(approval);
  }, 60_000);

  it('a hundred brokers claim at once: one gets the right', async () => {
    const ticket = await approved();
    const claims = await Promise.all(Array.from({ length: 100 }, () => claim(ticket)));
    expect(claims.filter(({ ok }) => ok)).toHaveLength(1);
    expect(new Set(claims.flatMap((answer) => (answer.ok ? [] : [answer.code])))).toEqual(new Set(['approval_claimed']));
    expect((await logged(ticket.approval)).filter(({ type }) => type === 'approval.claimed')).toHaveLength(1);
    await isItsLog(ticket.approval);
  }, 60_000);

  it('claim, cancel, denial and expiry race: one of them wins, and the others change nothing', async () => {
    for (let round = 0; round < 10; round++) {
      const ticket = await approved();
      const { version } = (await desk.find('acme', ticket.approval))!;
      await Promise.allSettled([
        claim(ticket),
        people.cancel(person('ada'), ticket.approval),
        people.decide(person('edsger'), ticket.approval, { verdict: 'deny', reason: 'no', version }),
        sweep.wake('acme', ticket.approval),
      ]);
      const ends = (await logged(ticket.approval)).map(({ type }) => type).filter((type) => ['approval.claimed', 'approval.cancelled', 'approval.denied', 'approval.expired'].includes(type));
      expect(ends).toHaveLength(1);
      await isItsLog(ticket.approval);
    }
  }, 60_000);

  it('the same decision again is the recorded one, and another one is refused', async () => {
    const { approval, version } = await held();
    const first = await people.decide(person('grace'), approval, { verdict: 'approve', version });
    expect(await people.decide(person('grace'), approval, { verdict: 'approve', version })).toEqual(first);
    await expect(people.decide(person('grace'), approval, { verdict: 'deny', reason: 'no', version })).rejects.toMatchObject({ code: 'decision_stale' });
    expect((await logged(approval)).filter(({ type }) => type === 'approval.voted')).toHaveLength(1);
  });

  it('belongs to its tenant: for another one it is not there', async () => {
    const { approval, version } = await held();
    expect(await desk.find('globex', approval)).toBeNull();
    await expect(people.decide(person('grace', 'globex'), approval, { verdict: 'approve', version })).rejects.toMatchObject({ code: 'approval_not_found' });
    await expect(people.show(person('grace'), 'no-such-id')).rejects.toMatchObject({ code: 'approval_not_found' });
  });

  it('a claim is told only when all before it is in the journal', async () => {
    const ticket = await approved();
    const claimed = await claim(ticket);
    if (!claimed.ok) throw new Error(claimed.code);
    expect(await claimed.journaled(50)).toBe(false);
    const waiting = claimed.journaled(10_000);
    await relayOutbox(outbox, journal);
    expect(await waiting).toBe(true);
  });

  it('every timer lost, a sweep finds what is overdue: reminded once, then expired, and nothing twice', async () => {
    const early = await held();
    aheadMs = 31 * 60_000;
    await sweep.overdue();
    await sweep.overdue();
    expect((await logged(early.approval)).filter(({ type }) => type === 'approval.reminded')).toHaveLength(1);
    aheadMs = 61 * 60_000;
    await sweep.overdue();
    await sweep.overdue();
    expect((await logged(early.approval)).filter(({ type }) => type === 'approval.expired')).toHaveLength(1);
    await isItsLog(early.approval);
    await expect(people.decide(person('grace'), early.approval, { verdict: 'approve', version: early.version })).rejects.toMatchObject({ code: 'approval_expired' });
    aheadMs = 0;
    const { rows } = await admin.query<{ id: string }>('select id from state.approval where wake_at <= $1', [Date.now()]);
    expect(rows).toEqual([]);
  });

  it.each<[string, string | undefined, boolean, string]>([
    ['was completed', 'completed', false, 'executed'],
    ['is unknown', 'unknown', true, 'unknown'],
    ['was abandoned', 'abandoned', false, 'failed'],
    ['was never allowed, and its broker is over', undefined, true, 'failed'],
    ['was never allowed, and its broker lives', undefined, false, 'claimed'],
    ['is open', 'open', false, 'claimed'],
  ])('a claimed call that %s is settled from the log', async (_, known, isOver, status) => {
    const ticket = await approved();
    const broker = randomUUID();
    await claim(ticket, { broker });
    if (known !== undefined) states.set(ticket.call, known);
    if (isOver) over.add(broker);
    aheadMs = 10_000;
    await sweep.settle();
    aheadMs = 0;
    expect((await desk.find('acme', ticket.approval))!.status).toBe(status);
    await isItsLog(ticket.approval);
  });

  it('who left between approval and claim counts no more', async () => {
    const ticket = await approved();
    const revisions = new PostgresConfigurationStore(state, outbox);
    const users = office().identity.users.filter(({ id }) => id !== 'edsger');
    await applyConfiguration(revisions, office({ identity: { users } }), 'api', digestOf);
    expect(await claim(ticket)).toEqual({ ok: false, code: 'quorum_lost' });
    await applyConfiguration(revisions, office(), 'api', digestOf);
    expect((await claim(ticket)).ok).toBe(true);
  });

  it('pages of a list are stable while calls come and go', async () => {
    const all: string[] = [];
    let after: string | undefined;
    for (;;) {
      const page = await people.list(person('grace'), { limit: 7, ...(after === undefined ? {} : { after }) });
      all.push(...page.items.map(({ id }) => id));
      await held();
      if (page.next === null) break;
      after = page.next;
    }
    expect(new Set(all).size).toBe(all.length);
    const mine = await people.list(person('grace'), { limit: 500, mine: true });
    expect(mine.items.every(({ status, step }) => status === 'held' && step === 0)).toBe(true);
    expect(isPending((await store.load('acme', mine.items[0]!.id))!.state)).toBe(true);
    await expect(people.list(person('grace'), { limit: 5, after: "1' or 1=1" })).rejects.toMatchObject({ code: 'request_invalid' });
  }, 60_000);
});
