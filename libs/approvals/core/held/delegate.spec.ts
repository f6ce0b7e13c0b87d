import { describe, expect, it } from '@jest/globals';
import type { Delegation } from './delegation.ts';
import { Approval, claimCommand, flow, HOUR, MINUTE, office, step, T0, without } from './spec/office.ts';

describe('delegating', () => {
  it.each<[string, string, string, { until?: number; step?: string }, string | string[]]>([
    ['a right of one\'s own', 'ada', 'dora', {}, ['delegated']],
    ['for one step', 'lena', 'dora', { step: 'lead' }, ['delegated']],
    ['for a step one has no right in', 'ada', 'dora', { step: 'lead' }, 'not_eligible'],
    ['for a step there is not', 'ada', 'dora', { step: 'board' }, 'step_unknown'],
    ['what one has no right to', 'emil', 'dora', {}, 'not_eligible'],
    ['to the requester', 'ada', 'rita', {}, 'never_counts'],
    ["to the agent's owner", 'ada', 'olga', {}, 'never_counts'],
    ['by the requester', 'rita', 'dora', {}, 'never_counts'],
    ["by the agent's owner", 'olga', 'dora', {}, 'never_counts'],
    ['until a time that has passed', 'ada', 'dora', { until: T0 }, 'delegation_over'],
    ['to oneself', 'ada', 'ada', {}, 'delegate_unknown'],
    ['to nobody', 'ada', 'ghost', {}, 'delegate_unknown'],
  ])('%s', (_, from, to, more, then) => {
    const approval = new Approval();
    expect(approval.asks(approval.delegate(from, to, more))).toEqual(then);
  });

  it('knows no chains: a delegated right cannot be handed on, nor given to somebody who is away', () => {
    const approval = new Approval();
    approval.does(approval.delegate('ada', 'dora'));
    expect(approval.asks(approval.delegate('dora', 'emil'))).toBe('delegation_chain');
    approval.does(approval.delegate('ben', 'emil'));
    expect(approval.asks(approval.delegate('cleo', 'ben'))).toBe('delegation_chain');
  });

  it('lets the delegate decide, until it ends, in the steps it is for', () => {
    const approval = new Approval();
    approval.does(approval.delegate('ada', 'dora', { until: T0 + MINUTE }));
    expect(approval.asks(approval.approve('dora'))).toEqual(['voted']);
    expect(approval.at(T0 + MINUTE).asks(approval.approve('dora'))).toBe('not_eligible');
    approval.at(T0).does(approval.delegate('lena', 'emil', { step: 'lead' }));
    expect(approval.asks(approval.approve('emil'))).toBe('not_eligible');
  });

  it('makes two people count once, whoever of them decides first', () => {
    const approval = new Approval();
    approval.does(approval.delegate('ada', 'dora'));
    approval.does(approval.approve('dora'));
    expect(approval.held.votes).toMatchObject([{ person: 'dora', seat: 'ada' }]);
    expect(approval.asks(approval.approve('ada'))).toBe('counted_already');
    expect(approval.asks(approval.approve('ben'))).toEqual(['voted', 'step_opened']);
    const other = new Approval();
    other.does(other.delegate('ada', 'dora'));
    other.does(other.approve('ada'));
    expect(other.asks(other.approve('dora'))).toBe('counted_already');
  });

  it('makes no second voice of a colleague who may decide anyway', () => {
    const approval = new Approval();
    approval.does(approval.delegate('ada', 'ben'));
    approval.does(approval.approve('ben'));
    expect(approval.held.votes).toMatchObject([{ person: 'ben', seat: 'ben' }]);
    expect(approval.does(approval.approve('ben')).events).toEqual([]);
    expect(approval.asks(approval.approve('ada'))).toEqual(['voted', 'step_opened']);
  });

  it('ends with the right it came from', () => {
    const approval = new Approval();
    approval.does(approval.delegate('ada', 'dora'));
    expect(approval.with(without('ada')).asks(approval.approve('dora'))).toBe('not_eligible');
  });

  it('made out of office counts the same, within its scope', () => {
    const away = (scope: Delegation['scope'], to = 'dora') => ({ ...office, delegations: [{ from: 'ada', to, until: T0 + HOUR, scope }] });
    const approval = new Approval();
    for (const scope of [{}, { flow: 'two-steps' }, { server: 'billing' }, { step: 'finance' }]) expect(approval.with(away(scope)).asks(approval.approve('dora'))).toEqual(['voted']);
    for (const scope of [{ flow: 'one-step' }, { server: 'crm' }, { step: 'lead' }]) expect(approval.with(away(scope)).asks(approval.approve('dora'))).toBe('not_eligible');
    expect(approval.with(away({}, 'rita')).asks(approval.approve('rita'))).toBe('never_counts');
    const chain = { ...away({}), delegations: [...away({}).delegations, { from: 'dora', to: 'emil', until: T0 + HOUR, scope: {} }] };
    expect(approval.with(chain).asks(approval.approve('emil'))).toBe('not_eligible');
  });

  it('still counts at the claim only while it is in force', () => {
    const approval = new Approval({ flow: flow({ steps: [step()] }) });
    approval.does(approval.delegate('ada', 'dora', { until: T0 + 10 * MINUTE }));
    approval.does(approval.approve('dora'));
    expect(approval.at(T0 + 9 * MINUTE).asks(claimCommand({ policy: { version: 7, effect: 'allow', flow: null } }))).toEqual(['claimed']);
    expect(approval.at(T0 + 10 * MINUTE).asks(claimCommand({ policy: { version: 7, effect: 'allow', flow: null } }))).toBe('quorum_lost');
  });

  it('changes nothing when it is said again, after the grant, or for the fifty-first time', () => {
    const approval = new Approval();
    approval.does(approval.delegate('ada', 'dora'));
    expect(approval.asks(approval.delegate('ada', 'dora'))).toEqual([]);
    expect(new Approval().approved().asks(approval.delegate('ada', 'emil'))).toBe('approval_granted');
    for (let i = 1; i < 50; i++) approval.does(approval.delegate('ada', 'dora', { until: T0 + HOUR + i }));
    expect(approval.asks(approval.delegate('ben', 'dora'))).toBe('too_many_delegations');
  });
});
