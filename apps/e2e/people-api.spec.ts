import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DelegationView, StandingView } from '#libs/approvals/core';
import { ApiPerson, approvalWorld, type ApprovalWorld } from './harness/approval-world.ts';
import { expectProven } from './harness/history.ts';
import { newKey } from './harness/holdfast.ts';

const stranger = newKey({ id: 'stranger', tenant: 'other', user: 'grace', client: 'console', roles: ['approver', 'operator', 'auditor'] });
const robot = newKey({ id: 'robot', tenant: 'acme', user: 'grace', client: 'e2e', agent: 'bot', roles: ['agent'] });
/** Another agent of the user whose calls wait here. */
const twin = newKey({ id: 'twin', tenant: 'acme', user: 'ada', client: 'e2e', agent: 'twin', roles: ['agent'] });

describe('what people do by API', () => {
  let w: ApprovalWorld;
  beforeAll(async () => {
    w = await approvalWorld({
      config: (base) => {
        const identity = base['identity'] as { users: unknown[]; keys: unknown[] };
        return {
          ...base,
          tenants: [{ id: 'acme', name: 'Acme' }, { id: 'other', name: 'Other' }],
          identity: { users: [...identity.users, { id: 'grace', tenant: 'other', roles: ['approver'] }], keys: [...identity.keys, stranger.entry, robot.entry, twin.entry] },
        };
      },
    });
    await w.installation.start();
  });
  afterAll(() => w.close());

  const hold = async (marker: string): Promise<{ readonly id: string; readonly version: number; readonly calling: ReturnType<ReturnType<ApprovalWorld['caller']>['call']> }> => {
    const calling = w.caller().call('wit__write', { marker });
    const [held] = await w.waiting(1);
    return { id: held!.id, version: held!.version, calling };
  };
  const end = async ({ id, calling }: { readonly id: string; readonly calling: Promise<unknown> }): Promise<void> => {
    await w.as('oscar').request('POST', `/approvals/${id}/cancel`, {});
    await calling;
  };

  it('shows an approval of another tenant as one that is not there, whatever is asked of it', async () => {
    const held = await hold('foreign');
    const other = new ApiPerson(w.installation, stranger.token);
    const asks = (id: string): Promise<{ status: number; body: unknown }>[] => [
      other.show(id),
      other.decide(id, 'approve', held.version),
      other.request('POST', `/approvals/${id}/cancel`, {}),
      other.request('POST', `/approvals/${id}/break-glass`, { reason: 'x' }),
      other.request('POST', `/approvals/${id}/delegations`, { to: 'grace', until: '2099-01-01T00:00:00Z' }),
      other.request('POST', '/approvals/standing', { like: id, condition: 'true', minutes: 10, reason: 'x' }),
    ];
    const [theirs, nobodys, nonsense] = [await Promise.all(asks(held.id)), await Promise.all(asks(randomUUID())), await Promise.all(asks('no-id'))];
    expect(theirs).toEqual(nobodys);
    expect(theirs).toEqual(nonsense);
    expect(theirs.map(({ status, body }) => [status, (body as { code: string }).code])).toEqual(theirs.map(() => [404, 'approval_not_found']));
    expect((await other.list('state=held')).body.items).toEqual([]);
    await end(held);
  });

  it('takes no decision from the key of an agent, also when it has the name of somebody who decides', async () => {
    const held = await hold('robot');
    const agent = new ApiPerson(w.installation, robot.token);
    expect((await agent.decide(held.id, 'approve', held.version)).body).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await agent.request('POST', `/approvals/${held.id}/break-glass`, { reason: 'x' })).body).toMatchObject({ code: 'forbidden' });
    expect((await agent.request('POST', '/approvals/standing', { like: held.id, condition: 'true', minutes: 10, reason: 'x' })).body).toMatchObject({ code: 'forbidden' });
    await end(held);
  });

  it('opens nothing to the key of an agent but what it asked for itself, and lets it take back nothing else', async () => {
    const held = await hold('of another agent');
    const agent = (token: string): ApiPerson => new ApiPerson(w.installation, token);
    for (const other of [robot, twin]) {
      expect((await agent(other.token).request('GET', `/approvals/${held.id}?unredacted`)).body).toMatchObject({ status: 404, code: 'approval_not_found' });
      expect((await agent(other.token).list('limit=500')).body.items).toEqual([]);
      expect((await agent(other.token).request('POST', `/approvals/${held.id}/cancel`, {})).body).toMatchObject({ status: 403, code: 'forbidden' });
    }
    expect((await agent(w.agentToken).list('state=held')).body.items.map(({ id }) => id)).toContain(held.id);
    expect((await agent(w.agentToken).show(held.id)).body).toMatchObject({ opened: { args: {} }, rights: { decide: false, cancel: true } });
    expect((await w.as('ada').show(held.id)).body.opened).not.toBeNull();
    await end(held);
  });

  it.each([
    ['a key that stands twice', '{"marker":"one","marker":"two"}'],
    ['a number that would become another one', '{"marker":"one","amount":12345678901234567890}'],
    ['half of a character', String.raw`{"marker":"\ud800"}`],
  ])('takes no arguments that would not be exactly what was written: %s', async (what, args) => {
    const held = await hold(what);
    const response = await fetch(`${w.installation.url}/api/v1/approvals/${held.id}/decisions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${w.as('grace').token}`, 'content-type': 'application/json' },
      body: `{"verdict":"approve","version":${held.version},"editedArgs":${args}}`,
    });
    expect({ status: response.status, body: await response.json() }).toMatchObject({ status: 400, body: { code: 'not_canonical' } });
    expect((await w.as('oscar').show(held.id)).body.version).toBe(held.version);
    await end(held);
  });

  it('lists what waits for me, and nothing else', async () => {
    const held = await hold('mine');
    const mine = async (user: string): Promise<readonly string[]> => (await w.as(user).list('mine=true')).body.items.map(({ id }) => id);
    expect([await mine('grace'), await mine('edsger'), await mine('ada')]).toEqual([[held.id], [], []]);
    await w.as('grace').decide(held.id, 'approve', held.version);
    expect([await mine('grace'), await mine('edsger')]).toEqual([[], [held.id]]);
    await end(held);
  });

  it('names what a body has too much of, and refuses by code', async () => {
    expect((await w.as('grace').request('POST', '/approvals/standing', { like: 'x', condition: 'true', minutes: 5, reason: 'r', colour: 'red' })).body).toMatchObject({ status: 400, code: 'unknown_field', detail: 'not known here: colour' });
    expect((await w.as('grace').request('POST', '/approvals/standing', { like: 'x', condition: 'true', minutes: 481, reason: 'r' })).body).toMatchObject({ code: 'request_invalid', detail: 'not valid: minutes' });
    expect((await w.as('grace').request('DELETE', '/approvals/standing/nonsense')).body).toMatchObject({ status: 404, code: 'standing_not_found' });
    expect((await w.as('grace').request('DELETE', `/approvals/delegations/${randomUUID()}`)).body).toMatchObject({ status: 404, code: 'delegation_not_found' });
  });

  it('a standing approval releases what meets its condition, is seen and revoked', async () => {
    const held = await hold('pattern');
    const body = { like: held.id, condition: 'args.marker.startsWith("routine-")', minutes: 60, reason: 'the nightly run' };
    expect((await w.as('ada').request('POST', '/approvals/standing', body)).body).toMatchObject({ code: 'not_eligible' });
    expect((await w.as('barbara').request('POST', '/approvals/standing', body)).body).toMatchObject({ code: 'not_eligible' });
    expect((await w.as('edsger').request('POST', '/approvals/standing', { ...body, condition: 'args.marker ==' })).body).toMatchObject({ status: 400, code: 'condition_invalid' });
    const made = (await w.as('edsger').request<StandingView>('POST', '/approvals/standing', body)).body;
    expect(made).toMatchObject({ person: 'edsger', agent: 'bot', server: 'wit', tool: 'write', flow: 'two', state: 'in_force', uses: 0 });
    await end(held);
    const released = await w.caller().call('wit__write', { marker: 'routine-1' });
    expect(released.body.result?.content?.[0]?.text).toBe('done routine-1');
    const other = await hold('not routine');
    await end(other);
    expect(((await w.as('alan').request<{ items: StandingView[] }>('GET', '/approvals/standing')).body).items).toMatchObject([{ id: made.id, uses: 1 }]);
    expect((await w.as('barbara').request('DELETE', `/approvals/standing/${made.id}`)).body).toMatchObject({ code: 'forbidden' });
    expect((await w.as('oscar').request('DELETE', `/approvals/standing/${made.id}`)).body).toMatchObject({ state: 'revoked' });
    const again = await hold('routine-2');
    await end(again);
  });

  it('a delegation lets another person use the right while it lasts', async () => {
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const made = (await w.as('edsger').request<DelegationView>('POST', '/approvals/delegations', { to: 'alan', until, flow: 'two' })).body;
    expect(made).toMatchObject({ from: 'edsger', to: 'alan', scope: { flow: 'two' }, revoked: false });
    expect((await w.as('grace').request('POST', '/approvals/delegations', { to: 'edsger', until })).body).toMatchObject({ code: 'delegation_chain' });
    expect((await w.as('grace').request('POST', '/approvals/delegations', { to: 'nobody', until })).body).toMatchObject({ code: 'delegate_unknown' });
    const held = await hold('away');
    await w.as('grace').decide(held.id, 'approve', held.version);
    const { version } = (await w.as('alan').show(held.id)).body;
    expect((await w.as('alan').decide(held.id, 'approve', version)).body).toMatchObject({ status: 'approved', person: 'alan' });
    await held.calling;
    expect(w.upstream.executed.get('away')).toBe(1);
    expect((await w.as('grace').request<{ items: unknown[] }>('GET', '/approvals/delegations')).body.items).toEqual([]);
    expect((await w.as('grace').request('DELETE', `/approvals/delegations/${made.id}`)).body).toMatchObject({ code: 'forbidden' });
    expect((await w.as('edsger').request('DELETE', `/approvals/delegations/${made.id}`)).body).toMatchObject({ revoked: true });
    expect((await w.as('oscar').request<{ items: unknown[] }>('GET', '/approvals/delegations')).body.items).toEqual([]);
  });

  it('the same Idempotency-Key is answered once, for the same request of the same person', async () => {
    const held = await hold('once');
    const post = async (user: string, key: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> => {
      const response = await fetch(`${w.installation.url}/api/v1/approvals/standing`, {
        method: 'POST',
        headers: { authorization: `Bearer ${w.as(user).token}`, 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const body = { like: held.id, condition: 'false', minutes: 5, reason: 'once' };
    const first = await post('grace', 'key-1', body);
    expect(first.status).toBe(201);
    expect(await post('grace', 'key-1', body)).toEqual(first);
    expect(await post('grace', 'key-1', { ...body, minutes: 6 })).toMatchObject({ status: 409, body: { code: 'idempotency_key_reused' } });
    expect((await post('edsger', 'key-1', body)).body['id']).not.toBe(first.body['id']);
    const many = await Promise.all(Array.from({ length: 10 }, () => post('grace', 'key-2', body)));
    const made = new Set(many.filter(({ status }) => status === 201).map((answer) => answer.body['id']));
    expect(made.size).toBe(1);
    expect(many.filter(({ status }) => status !== 201).every((answer) => answer.body['code'] === 'idempotency_in_progress')).toBe(true);
    expect(await post('grace', 'key\u00e9', body)).toMatchObject({ status: 400 });
    const refused = await post('ada', 'key-3', body);
    expect(await post('ada', 'key-3', body)).toEqual(refused);
    await end(held);
  });

  it('and all of it stands in a log that proves it', async () => {
    await expect(expectProven(w.installation)).resolves.toBeUndefined();
  });
});
