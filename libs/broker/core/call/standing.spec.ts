import { describe, expect, it } from '@jest/globals';
import type { HoldfastConfig } from '#libs/contracts';
import { codeOf, config, server, SpecBroker } from '#libs/testing';

const people = (more: { readonly standing?: string; readonly leads?: string[] } = {}): HoldfastConfig =>
  config({
    servers: [server('billing', { tools: { refund: { class: 'write' } } })],
    identity: { users: [{ id: 'ada', tenant: 'acme' }, { id: 'mia', tenant: 'acme' }, { id: 'noa', tenant: 'acme' }] },
    policies: [{ id: 'ask', tenant: 'acme', effect: 'require_approval', match: { tools: ['refund'] }, flow: 'leads' }],
    flows: [{ id: 'leads', tenant: 'acme', ...(more.standing === undefined ? {} : { standing: more.standing }), steps: [{ name: 'lead', approvers: { users: more.leads ?? ['mia', 'noa'] } }] }],
  });

/** A broker where mia approved refunds of ada's bot beforehand. */
async function beforehand(): Promise<SpecBroker> {
  const spec = new SpecBroker(people());
  void spec.modern('tools/call', { name: 'billing__refund', arguments: { like: 1 } });
  while (spec.approvals.ids.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const { state } = spec.approvals.store.rows.get(spec.approvals.ids[0]!)!.stored;
  const { tenant, agent, server: on, method, tool, toolHash } = state.binding;
  spec.approvals.store.standings.set('s', {
    id: 's', version: 1, person: 'mia', call: { tenant, agent, server: on, method, tool, toolHash }, flow: 'leads', condition: 'any', approvers: { users: ['mia', 'noa'] }, until: state.expiresAt, revoked: false, uses: 0,
  });
  spec.approvals.meets = 'met';
  return spec;
}

const sent = (spec: SpecBroker): number => spec.upstreams.calls.length;

describe('what was approved beforehand', () => {
  it('releases a call at once', async () => {
    const spec = await beforehand();
    expect(codeOf(await spec.call('billing__refund', { id: 1 }))).toBeUndefined();
    expect(sent(spec)).toBe(1);
    expect(spec.recorder.log.filter((event) => event.type === 'policy.decided').at(-1)!.data).toMatchObject({ effect: 'allow', stage: 'approval', rule: 'ask' });
  });

  it.each([
    ['the flow wants it no more', people({ standing: 'off' })],
    ['who gave it decides nothing in the flow any more', people({ leads: ['noa'] })],
  ])('releases nothing once %s', async (_, now) => {
    const spec = await beforehand();
    spec.approvals.use(now);
    spec.broker.use(now, 8);
    void spec.modern('tools/call', { name: 'billing__refund', arguments: { id: 2 } });
    while (spec.approvals.ids.length < 2 && sent(spec) === 0) await new Promise((resolve) => setImmediate(resolve));
    expect([sent(spec), spec.approvals.store.standings.get('s')!.uses]).toEqual([0, 0]);
  });

  it('releases no call that brings more than arguments, which are all that its condition sees', async () => {
    const spec = await beforehand();
    void spec.modern('tools/call', { name: 'billing__refund', arguments: { id: 3 }, requestState: 'of the server', inputResponses: { more: { action: 'accept' } } });
    while (spec.approvals.ids.length < 2 && sent(spec) === 0) await new Promise((resolve) => setImmediate(resolve));
    expect([sent(spec), spec.approvals.store.standings.get('s')!.uses]).toEqual([0, 0]);
  });
});
