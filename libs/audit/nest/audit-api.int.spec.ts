import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { type DynamicModule, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { createPool, PostgresAuditReader } from '#libs/adapters/postgres';
import { AccessGuard, createHttpApp, createLog, Log, ProblemFilter } from '#libs/platform';
import { Refusal, type Role } from '#libs/contracts';
import { Authenticator, DeniedAccess, type Principal } from '#libs/ports';
import { EventWriter, journalOf, projectInto, testDatabase, type TestDatabase } from '#libs/testing';
import { AuditModule } from './audit-module.ts';

/** Tokens are `tenant:role`. */
const authenticator: Authenticator = {
  recognise: () => {
    throw new Refusal('token_unknown');
  },
  authenticate(authorization): Principal {
    const match = /^Bearer (\w+):([\w-]+)$/.exec(authorization ?? '');
    if (!match) throw new Refusal('unauthenticated');
    return { tenant: match[1]!, user: 'ada', client: 'console', roles: [match[2] as Role], groups: [], key: 'k' };
  },
};

@Module({})
class SpecModule {
  static with(pool: pg.Pool): DynamicModule {
    const log = createLog({ level: 'silent', app: 'spec' });
    return {
      module: SpecModule,
      imports: [AuditModule.register({ useFactory: () => new PostgresAuditReader(pool) })],
      providers: [{ provide: Log, useValue: log }, { provide: Authenticator, useValue: authenticator }, { provide: DeniedAccess, useValue: { note: () => undefined } }, { provide: APP_GUARD, useClass: AccessGuard }, { provide: APP_FILTER, useClass: ProblemFilter }],
    };
  }
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown> & { items: Record<string, unknown>[]; next: string | null };
}

describe('the audit API', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let app: NestFastifyApplication;
  beforeAll(async () => {
    database = await testDatabase('audit');
    const [one, two] = [new EventWriter('broker one'), new EventWriter('broker two')];
    const records = [one.started('acme'), two.started('globex')];
    for (let i = 0; i < 60; i++) records.push(...one.call('acme', `a-${i}`, i % 4 === 0 ? 'failed' : 'succeeded'));
    records.push(two.requested('globex', 'secret-call', { server: 'hidden', tool: 'hidden' }), two.decided('globex', 'secret-call', 'deny'), one.requested('acme', 'denied'), one.decided('acme', 'denied', 'deny'), { tenant: 'acme', event: Buffer.from('no event'), sealed: null });
    await projectInto(database, await journalOf(records));
    pool = createPool({ url: database.url('holdfast_reader'), application: 'spec', max: 4 });
    app = await createHttpApp({ module: SpecModule.with(pool), log: createLog({ level: 'silent', app: 'spec' }) });
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  });
  afterAll(async () => {
    await app.close();
    await pool.end();
    await database.drop();
  });

  const get = async (path: string, token = 'acme:auditor'): Promise<Answer> => {
    const answer = await app.inject({ method: 'GET', url: `/api/v1${path}`, headers: { authorization: `Bearer ${token}` } });
    return { status: answer.statusCode, body: answer.json() };
  };
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) => app.inject({ method: 'POST', url: `/api/v1${path}`, headers: { authorization: 'Bearer acme:auditor', ...headers }, ...(body === undefined ? {} : { payload: body as object }) });

  it('lists calls newest first, page by page, each once', async () => {
    const seen: unknown[] = [];
    let after = '';
    do {
      const { body } = await get(`/calls?limit=25${after}`);
      seen.push(...body.items.map((call) => call['call']));
      after = body.next === null ? '' : `&after=${body.next}`;
    } while (after !== '');
    expect(seen).toEqual(['denied', ...Array.from({ length: 60 }, (_, i) => `a-${59 - i}`)]);
  });

  it.each([
    ['outcome=failed', 15],
    ['outcome=succeeded&tool=refund', 45],
    ['decision=deny', 1],
    ['state=denied&user=ada&agent=billing-bot&client=claude-code&server=billing&class=external&run=run-1', 1],
    ['agent=nobody', 0],
    ['from=2030-01-01T00:00:00Z', 0],
    ['from=2020-01-01T00:00:00%2B02:00&to=2030-01-01T00:00:00Z', 61],
  ])('filters calls by %s', async (filter, count) => {
    expect((await get(`/calls?limit=100&${filter}`)).body.items).toHaveLength(count);
  });

  it('tells a call with its events and their places in the log', async () => {
    const { body } = await get('/calls/a-0');
    expect(body['call']).toMatchObject({ call: 'a-0', state: 'completed', outcome: 'failed', effect: 'allow', rule: 'a-rule', user: 'ada', agent: 'billing-bot', server: 'billing', tool: 'refund', totalUs: 1000, errorClass: 'upstream_timeout' });
    expect((body['timeline'] as { index: number; event: { type: string } }[]).map(({ index, event }) => [index, event.type])).toEqual([[1, 'call.requested'], [2, 'policy.decided'], [3, 'call.completed']]);
  });

  it('lists events in log order, by type, with a cursor', async () => {
    const first = (await get('/audit/events?type=call.completed&limit=40')).body;
    const rest = (await get(`/audit/events?type=call.completed&limit=40&after=${first.next}`)).body;
    expect([...first.items, ...rest.items].map((item) => item['index'])).toEqual(Array.from({ length: 60 }, (_, i) => 3 + 3 * i));
    expect(rest.next).toBeNull();
    expect((await get('/audit/events?limit=1')).body.items[0]).toMatchObject({ index: 0, leaf: expect.stringMatching(/^[\w-]{43}$/), event: { type: 'log.producer_started', tenant: 'acme' } });
  });

  it('lists findings', async () => {
    expect((await get('/audit/findings')).body.items).toEqual([expect.objectContaining({ kind: 'rejected', count: 1, tenant: 'acme' })]);
  });

  describe('between tenants', () => {
    it('answers about a call of another tenant as about one that never was', async () => {
      const [theirs, nobodys] = [await get('/calls/secret-call'), await get('/calls/no-such-call')];
      expect(theirs).toEqual(nobodys);
      expect(theirs.status).toBe(404);
      expect((await get('/calls/secret-call', 'globex:auditor')).status).toBe(200);
    });

    it.each(['/calls?tenant=', '/audit/events?tenant=', '/audit/findings?tenant='])('refuses %s in the same words for a tenant that exists and one that does not', async (path) => {
      const [exists, not] = [await get(`${path}globex`), await get(`${path}nowhere`)];
      expect(exists).toEqual(not);
      expect(exists).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      expect((await get(`${path}acme`)).status).toBe(200);
    });

    it('verifies and checks only the own log', async () => {
      expect((await post('/audit/verify', { tenant: 'globex' })).statusCode).toBe(403);
      expect((await post('/audit/check', { tenant: 'globex' })).statusCode).toBe(403);
      expect((await post('/audit/verify', {})).json()).toMatchObject({ tenant: 'acme', size: 184 });
    });
  });

  it.each<[string, Role[], string]>([
    ['GET', ['auditor', 'operator', 'admin'], '/calls'],
    ['GET', ['auditor', 'operator', 'admin'], '/calls/a-0'],
    ['GET', ['auditor'], '/audit/events'],
    ['GET', ['auditor'], '/audit/findings'],
    ['POST', ['auditor'], '/audit/verify'],
    ['POST', ['auditor'], '/audit/check'],
  ])('lets only the right roles %s (%j) %s', async (method, allowed, path) => {
    for (const role of ['agent', 'approver', 'operator', 'auditor', 'admin', 'owner-of-server'] as const) {
      const answer = await app.inject({ method: method as 'GET', url: `/api/v1${path}`, headers: { authorization: `Bearer acme:${role}` } });
      expect([role, answer.statusCode]).toEqual([role, allowed.includes(role) ? 200 : 403]);
    }
    expect((await app.inject({ method: method as 'GET', url: `/api/v1${path}` })).statusCode).toBe(401);
  });

  it.each([
    ['/calls?nonsense=1', 400, 'unknown_field'],
    ['/calls?limit=0', 400, 'request_invalid'],
    ['/calls?limit=100000', 400, 'request_invalid'],
    ['/calls?limit=5&limit=6', 400, 'request_invalid'],
    ['/calls?after=x', 400, 'request_invalid'],
    ['/calls?from=yesterday', 400, 'request_invalid'],
    ['/calls?outcome=lost', 400, 'request_invalid'],
    ['/calls?user=%00', 400, 'request_invalid'],
    ['/audit/events?after=-1', 400, 'request_invalid'],
    ['/audit/events?type=%00', 400, 'request_invalid'],
    ['/audit/findings?after=1', 400, 'request_invalid'],
    ['/calls/%00', 404, 'not_found'],
  ])('refuses %s without repeating it', async (path, status, code) => {
    const { status: got, body } = await get(path);
    expect([got, body['code']]).toEqual([status, code]);
    expect(JSON.stringify(body)).not.toContain('yesterday');
  });

  it('verifies with a report, an exit code, and something to remember', async () => {
    const report = (await post('/audit/verify', undefined)).json() as { verdict: string; remember: object };
    expect(report).toMatchObject({ verdict: 'PASS', exitCode: 0, from: 0, size: 184 });
    expect((await post('/audit/verify', { remembered: report.remember, incremental: true })).json()).toMatchObject({ verdict: 'PASS', exitCode: 0, from: 184 });
    expect((await post('/audit/verify', { remembered: { ...report.remember, size: 1000 } })).json()).toMatchObject({ verdict: 'FAIL', exitCode: 1 });
    expect((await post('/audit/verify', { incremental: true })).json()).toMatchObject({ code: 'request_invalid' });
    expect((await post('/audit/verify', { remembered: { size: -1 } })).json()).toMatchObject({ code: 'request_invalid' });
    expect((await post('/audit/verify', { fast: true })).json()).toMatchObject({ code: 'unknown_field', detail: 'not known here: fast' });
  });

  it('checks the invariants', async () => {
    expect((await post('/audit/check', { closed: true })).json()).toMatchObject({ verdict: 'PASS', exitCode: 0, entries: 184, violations: [] });
  });

  it('says NO ENTRIES of a tenant without a log', async () => {
    expect((await post('/audit/verify', {}, { authorization: 'Bearer initech:auditor' })).json()).toMatchObject({ verdict: 'NO ENTRIES', exitCode: 3 });
  });

  it('streams progress and then the result to whoever accepts lines', async () => {
    for (const path of ['/audit/verify', '/audit/check']) {
      const answer = await post(path, {}, { accept: 'application/x-ndjson' });
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['content-type']).toBe('application/x-ndjson');
      const lines = answer.body.trim().split('\n').map((text) => JSON.parse(text) as Record<string, { done?: number; exitCode?: number }>);
      expect(lines[0]!['progress']).toEqual({ done: 184, total: 184 });
      expect(lines.at(-1)!['result']).toMatchObject({ exitCode: 0 });
    }
  });

  it('frees the reading of a client that went away', async () => {
    for (let i = 0; i < 10; i++) {
      const stream = await app.inject({ method: 'POST', url: '/api/v1/audit/verify', headers: { authorization: 'Bearer acme:auditor', accept: 'application/x-ndjson' }, payloadAsStream: true });
      stream.stream().destroy();
    }
    // The last ones notice at their next step.
    let status = 503;
    for (let attempt = 0; attempt < 200 && status === 503; attempt++) status = (await post('/audit/verify', {})).statusCode;
    expect(status).toBe(200);
  });
});
