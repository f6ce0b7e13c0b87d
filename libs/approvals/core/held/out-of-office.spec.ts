import { describe, expect, it } from '@jest/globals';
import { directoryOf } from './directory.ts';
import type { Delegation } from './delegation.ts';
import { decideDelegation, type DelegationCommand, evolveDelegation } from './out-of-office.ts';

const NOW = 1_800_000_000_000;
const DAY = 86_400_000;
const people = ['ada', 'grace', 'alan'].map((id) => ({ id, groups: [], roles: [], active: true }));

const decideWith = (command: Partial<Extract<DelegationCommand, { type: 'create' }>>, delegations: readonly Delegation[] = []) =>
  decideDelegation(null, { type: 'create', id: 'd', from: 'ada', to: 'grace', until: NOW + DAY, scope: {}, via: 'api', ...command }, { now: NOW, directory: directoryOf({ people: [...people, { id: 'gone', groups: [], roles: [], active: false }], delegations }) });

describe('a right that is handed on for a time', () => {
  it('is made, revoked once, and then nothing more', () => {
    const made = decideWith({});
    if (!made.ok) throw new Error(made.code);
    const state = evolveDelegation(null, made.events[0]!);
    expect(state).toEqual({ id: 'd', from: 'ada', to: 'grace', until: NOW + DAY, scope: {}, revoked: false });
    const facts = { now: NOW, directory: directoryOf({ people }) };
    const by = (person: string, operator = false) => decideDelegation(state, { type: 'revoke', person, operator, via: 'api' }, facts);
    expect(by('grace')).toEqual({ ok: false, code: 'forbidden' });
    expect(by('oscar', true)).toMatchObject({ ok: true, events: [{ type: 'delegation.revoked' }] });
    const revoked = by('ada');
    if (!revoked.ok) throw new Error(revoked.code);
    const after = evolveDelegation(state, revoked.events[0]!);
    expect(decideDelegation(after, { type: 'revoke', person: 'ada', operator: false, via: 'api' }, facts)).toEqual({ ok: true, events: [] });
    expect(decideDelegation(null, { type: 'revoke', person: 'ada', operator: false, via: 'api' }, facts)).toEqual({ ok: false, code: 'delegation_not_found' });
  });

  it.each([
    ['to nobody', { to: 'nobody' }, 'delegate_unknown'],
    ['to oneself', { to: 'ada' }, 'delegate_unknown'],
    ['to who has left', { to: 'gone' }, 'delegate_unknown'],
    ['from who has left', { from: 'gone' }, 'not_eligible'],
    ['until the past', { until: NOW }, 'delegation_over'],
    ['for ever', { until: NOW + 400 * DAY }, 'delegation_too_long'],
  ])('is not made %s', (_, command, code) => {
    expect(decideWith(command)).toEqual({ ok: false, code });
  });

  it('is not given to who has handed on their own for the same thing', () => {
    const away: Delegation = { from: 'grace', to: 'alan', until: NOW + DAY, scope: { flow: 'pay' } };
    expect(decideWith({}, [away])).toEqual({ ok: false, code: 'delegation_chain' });
    expect(decideWith({ scope: { flow: 'pay' } }, [away])).toEqual({ ok: false, code: 'delegation_chain' });
    expect(decideWith({ scope: { flow: 'mail' } }, [away])).toMatchObject({ ok: true });
    expect(decideWith({}, [{ ...away, until: NOW }])).toMatchObject({ ok: true });
  });

  it('is one of a bounded number', () => {
    const many = Array.from({ length: 50 }, (): Delegation => ({ from: 'ada', to: 'alan', until: NOW + DAY, scope: { step: 'x' } }));
    expect(decideWith({}, many)).toEqual({ ok: false, code: 'too_many_delegations' });
    expect(decideWith({}, many.slice(1))).toMatchObject({ ok: true });
  });
});
