import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { configuration, httpServer } from '#libs/testing';
import { planRevision } from './plan-revision.ts';

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
const tenants = [
  { id: 'acme', name: 'Acme' },
  { id: 'globex', name: 'Globex' },
];
const rule = (id: string, tenant: string): Record<string, unknown> => ({ id, tenant, effect: 'allow' });
const told = (plan: ReturnType<typeof planRevision>): [string, string][] => plan!.events.map((event) => [event.tenant, event.type]);

describe('planRevision', () => {
  it('given nothing, the first configuration is revision 1 and each tenant hears of its own policy and servers only', () => {
    const plan = planRevision(null, configuration({ tenants, servers: [httpServer('files')], policies: [rule('a', 'globex')] }), 'start', digestOf);
    expect(plan!.next.revision).toBe(1);
    expect(told(plan)).toEqual([
      ['_system', 'config.applied'],
      ['acme', 'policy.activated'],
      ['acme', 'server.registered'],
      ['globex', 'policy.activated'],
    ]);
    expect(plan!.events.find((event) => event.tenant === 'globex' && event.type === 'policy.activated')!.data).toMatchObject({ policyVersion: 1, rules: 1 });
  });

  it('given the same configuration in force, nothing happens', () => {
    const config = configuration({ tenants, policies: [rule('a', 'acme')] });
    expect(planRevision(planRevision(null, config, 'start', digestOf)!.next, configuration({ policies: [rule('a', 'acme')], tenants }), 'start', digestOf)).toBeNull();
  });

  it('given a change to one tenant, the other hears nothing', () => {
    const before = planRevision(null, configuration({ tenants, policies: [rule('a', 'acme'), rule('b', 'globex')] }), 'start', digestOf)!.next;
    const plan = planRevision(before, configuration({ tenants, policies: [rule('a', 'acme'), rule('c', 'globex')] }), 'api', digestOf);
    expect(plan!.next.revision).toBe(2);
    expect(told(plan)).toEqual([
      ['_system', 'config.applied'],
      ['globex', 'policy.activated'],
    ]);
    expect(plan!.events[0]!.data).toMatchObject({ revision: 2, previous: before.digest, source: 'api' });
  });

  it('given servers, a changed one, a new one and a missing one are told apart and the unchanged one is silent', () => {
    const before = planRevision(null, configuration({ servers: [httpServer('same'), httpServer('changes'), httpServer('goes')] }), 'start', digestOf)!.next;
    const plan = planRevision(before, configuration({ servers: [httpServer('same'), httpServer('changes', 10), httpServer('new')] }), 'start', digestOf);
    expect(plan!.events.slice(1).map((event) => [event.type, (event.data as { server: string }).server])).toEqual([
      ['server.changed', 'changes'],
      ['server.registered', 'new'],
      ['server.disabled', 'goes'],
    ]);
  });
});
