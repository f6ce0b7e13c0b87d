import { describe, expect, it } from '@jest/globals';
import type { DirectoryFacts } from './directory.ts';
import { binding, facts, HOUR, office, T0, without } from './spec/office.ts';
import { decideStanding, evolveStanding, type StandingApproval, type StandingCommand } from './standing.ts';

const create = (more: Partial<Extract<StandingCommand, { type: 'create' }>> = {}): StandingCommand => ({
  type: 'create',
  id: 'st-1',
  person: 'ada',
  call: binding,
  condition: 'args.amount < 10.0',
  approvers: { groups: ['finance'] },
  forMs: HOUR,
  reason: 'month end',
  via: 'console',
  ...more,
});
const use = (more: Partial<Extract<StandingCommand, { type: 'use' }>> = {}): StandingCommand => ({ type: 'use', call: binding, callId: 'c-1', argsDigest: binding.args.digest, condition: 'met', stopped: false, ...more });
const revoke = (person: string, operator = false): StandingCommand => ({ type: 'revoke', person, operator, via: 'console' });

const asks = (state: StandingApproval | null, command: StandingCommand, now = T0, directory: DirectoryFacts = office): string | string[] => {
  const decided = decideStanding(state, command, facts(now, directory));
  return decided.ok ? decided.events.map((event) => event.type.replace('approval.standing_', '')) : decided.code;
};
const after = (...commands: StandingCommand[]): StandingApproval => {
  let state: StandingApproval | null = null;
  for (const command of commands) {
    const decided = decideStanding(state, command, facts());
    if (!decided.ok) throw new Error(decided.code);
    for (const event of decided.events) state = evolveStanding(state, event);
  }
  return state!;
};

describe('a standing approval', () => {
  it.each<[string, Partial<Extract<StandingCommand, { type: 'create' }>>, string | string[]]>([
    ['for an hour', {}, ['created']],
    ['for eight hours', { forMs: 8 * HOUR }, ['created']],
    ['for longer', { forMs: 8 * HOUR + 1 }, 'standing_too_long'],
    ['for no time', { forMs: 0 }, 'standing_over'],
    ['for no number', { forMs: Number.NaN }, 'standing_over'],
    ['without a reason', { reason: ' ' }, 'reason_required'],
    ["by the agent's owner", { person: 'olga' }, 'never_counts'],
    ['by who calls', { person: 'rita' }, 'never_counts'],
    ['by somebody else', { person: 'dora' }, 'not_eligible'],
  ])('is created or not %s', (_, more, then) => {
    expect(asks(null, create(more))).toEqual(then);
  });

  it.each<[string, Partial<Extract<StandingCommand, { type: 'use' }>>, string | string[]]>([
    ['for a call that fits', {}, ['used']],
    ['for another user of the same agent', { call: { ...binding, user: 'emil', client: 'curl' } }, ['used']],
    ['for a call of who gave it', { call: { ...binding, user: 'ada' } }, 'never_counts'],
    ['for another agent', { call: { ...binding, agent: 'other-bot' } }, 'binding_mismatch'],
    ['for another tenant', { call: { ...binding, tenant: 'other' } }, 'binding_mismatch'],
    ['for another server', { call: { ...binding, server: 'crm' } }, 'binding_mismatch'],
    ['for another tool', { call: { ...binding, tool: 'charge' } }, 'binding_mismatch'],
    ['for a prompt', { call: { ...binding, method: 'prompts/get' } }, 'binding_mismatch'],
    ['for the tool as it became', { call: { ...binding, toolHash: 'X' } }, 'tool_changed'],
    ['when the condition is not met', { condition: 'not_met' }, 'condition_not_met'],
    ['when the condition cannot be evaluated', { condition: 'failed' }, 'condition_not_met'],
    ['while a kill switch is on', { stopped: true }, 'stopped_by_switch'],
  ])('is used or not %s', (_, more, then) => {
    expect(asks(after(create()), use(more))).toEqual(then);
  });

  it('counts its uses, each an event, until it ends', () => {
    const state = after(create(), use(), use());
    expect(state).toMatchObject({ uses: 2, version: 3, until: T0 + HOUR });
    expect(asks(state, use(), T0 + HOUR - 1)).toEqual(['used']);
    expect(asks(state, use(), T0 + HOUR)).toBe('standing_over');
    expect(asks(state, create())).toBe('approval_exists');
    expect(asks(null, use())).toBe('standing_not_found');
  });

  it('is worth nothing once who gave it may not decide any more', () => {
    expect(asks(after(create()), use(), T0, without('ada'))).toBe('not_eligible');
    expect(asks(after(create()), use(), T0, { ...office, agentOwners: { 'billing-bot': 'ada' } })).toBe('never_counts');
  });

  it.each<[string, boolean, string | string[]]>([
    ['ada', false, ['revoked']],
    ['ben', false, ['revoked']],
    ['otto', true, ['revoked']],
    ['dora', false, 'forbidden'],
  ])('is revoked by %s (operator: %s)', (who, operator, then) => {
    expect(asks(after(create()), revoke(who, operator))).toEqual(then);
  });

  it('is not used once revoked', () => {
    const state = after(create(), use(), revoke('ben'));
    expect(asks(state, use())).toBe('standing_over');
    expect(asks(state, revoke('ada'))).toEqual([]);
  });
});
