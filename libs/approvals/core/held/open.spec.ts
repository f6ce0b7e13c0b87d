import { describe, expect, it } from '@jest/globals';
import { type Open } from './commands.ts';
import { decide } from './decide.ts';
import type { DirectoryFacts } from './directory.ts';
import type { FlowStep } from './flow.ts';
import { isJoinedBy } from './open.ts';
import { Approval, binding, facts, flow, HOUR, office, openCommand, original, step, T0, without } from './spec/office.ts';

const opening = (more: Partial<Open>, directory: DirectoryFacts = office): string | string[] => {
  const decided = decide(null, openCommand(more), facts(T0, directory));
  return decided.ok ? decided.events.map((event) => event.type) : decided.code;
};

const HELD = ['approval.requested', 'approval.step_opened'];

describe('holding a call', () => {
  it('binds the approval to the call, keeps the flow as it is now, and opens the first step', () => {
    const { held, events } = new Approval({ reason: 'customer waits' });
    expect(held).toMatchObject({ id: 'ap-1', call: 'call-1', status: 'held', version: 2, binding, args: original, agentOwners: ['olga'], expiresAt: T0 + HOUR, step: 0 });
    expect(held.flow).toEqual(flow());
    expect(events[0]).toMatchObject({ actor: { user: 'rita', client: 'claude-code', agent: 'billing-bot', via: 'mcp' }, seal: { '/reason': 'customer waits' } });
    expect(JSON.stringify(events.map((event) => event.data))).not.toContain('customer waits');
  });

  it.each<[string, Partial<Open>, string | string[]]>([
    ['a kill switch is on', { stopped: true }, 'stopped_by_switch'],
    ['the flow wants a reason of the requester and there is none', { flow: flow({ requesterReason: 'required' }) }, 'reason_required'],
    ['the reason is blank', { flow: flow({ requesterReason: 'required' }), reason: ' \n' }, 'reason_required'],
    ['the reason is there', { flow: flow({ requesterReason: 'required' }), reason: 'month end' }, HELD],
    ['the agent has as many held calls as it may', { held: { agent: 20, tenant: 20 }, limits: { agent: 20, tenant: null } }, 'too_many_held'],
    ['the agent has one fewer', { held: { agent: 19, tenant: 19 }, limits: { agent: 20, tenant: null } }, HELD],
    ['the tenant has as many as it may', { held: { agent: 0, tenant: 100 }, limits: { agent: 20, tenant: 100 } }, 'too_many_held'],
    ['a limit of none holds nothing', { limits: { agent: 0, tenant: null } }, 'too_many_held'],
    ['the flow has no steps', { flow: flow({ steps: [] }) }, 'approval_unavailable'],
  ])('when %s', (_, more, then) => {
    expect(opening(more)).toEqual(then);
  });

  it('does not keep a reason that the flow does not ask for', () => {
    expect(new Approval({ flow: flow({ requesterReason: 'none' }), reason: 'x' }).events[0]).not.toHaveProperty('seal');
  });

  it('happens once', () => {
    expect(new Approval().asks(openCommand())).toBe('approval_exists');
    expect(decide(null, { type: 'kill', kill: 'k' }, facts())).toEqual({ ok: false, code: 'approval_not_found' });
  });
});

describe('a call is never parked for nobody', () => {
  const of = (users: readonly string[], need: number, more: Partial<FlowStep> = {}): FlowStep => step({ name: users.join('-') || 'nobody', approvers: { users }, need, ...more });
  const later = { afterMs: HOUR / 2, to: { users: ['otto'] } };

  it.each<[string, readonly FlowStep[], boolean, DirectoryFacts?]>([
    ['nobody is named', [of([], 1)], false],
    ['only the requester is named', [of(['rita'], 1)], false],
    ["only the agent's owner is named", [of(['olga'], 1)], false],
    ['nobody of that name exists', [of(['ghost'], 1)], false],
    ['the only one has left', [of(['ada'], 1)], false, without('ada')],
    ['one is left of the two that are needed', [of(['ada', 'ben'], 2)], false, without('ben')],
    ['two of the two that are needed are there', [of(['ada', 'ben'], 2)], true],
    ['a group has enough without requester and owner', [step({ need: 3 })], true],
    ['a group has enough only with the requester', [step({ need: 4 })], false],
    ['a later step has nobody', [of(['ada'], 1), of(['rita'], 1)], false],
    ['one person would have to count in two steps', [of(['ada'], 1), of(['ada'], 1)], false],
    ['the first step takes everybody the second one needs', [of(['ada', 'ben'], 2), of(['ben'], 1)], false],
    ['somebody else can do the first step', [of(['ada', 'ben'], 1), of(['ada'], 1)], true],
    ['it takes moving two people to find places for all', [of(['ada', 'ben'], 1), of(['ben', 'cleo'], 1), of(['ada', 'ben'], 1)], true],
    ['three steps share two people', [of(['ada', 'ben'], 1), of(['ada', 'ben'], 1), of(['ada', 'ben'], 1)], false],
    ['an escalation will add the one that is missing', [of(['ada'], 2, { escalation: later })], true],
    ['the escalation would come after the end', [of(['ada'], 2, { escalation: { ...later, afterMs: HOUR } })], false],
    ['the role has somebody', [step({ approvers: { roles: ['operator'] } })], true],
    ['the role has nobody', [step({ approvers: { roles: ['auditor'] } })], false],
    ['the owner of the server is meant', [step({ approvers: { roles: ['owner-of-server'] } })], true, { ...office, serverOwners: { billing: 'ada' } }],
    ['the group that owns the server is meant', [step({ approvers: { roles: ['owner-of-server'] }, need: 1 })], true, { ...office, serverOwners: { billing: 'leads' } }],
    ['nobody owns the server', [step({ approvers: { roles: ['owner-of-server'] } })], false],
    ['only the members of the group that owns the agent are named', [of(['ada', 'ben'], 1)], false, { ...office, agentOwners: { 'billing-bot': 'finance' } }],
  ])('when %s', (_, steps, possible, directory = office) => {
    expect(opening({ flow: flow({ steps }) }, directory)).toEqual(possible ? HELD : 'approval_unavailable');
  });
});

describe('a repeated call', () => {
  it.each<[string, Partial<typeof binding>, boolean]>([
    ['at another time', { createdAt: T0 + 5 }, true],
    ['of another tenant', { tenant: 'other' }, false],
    ['of another user', { user: 'ada' }, false],
    ['from another client', { client: 'curl' }, false],
    ['by another agent', { agent: null }, false],
    ['to another server', { server: 'crm' }, false],
    ['of a prompt of that name', { method: 'prompts/get' }, false],
    ['of another tool', { tool: 'charge' }, false],
    ['of a changed tool', { toolHash: 'X'.repeat(43) }, false],
    ['with other arguments', { args: { digest: 'C'.repeat(43), absent: false } }, false],
    ['without arguments instead of empty ones', { args: { ...original, absent: true } }, false],
    ['under another policy', { policyVersion: 8 }, false],
  ])('%s joins or not', (_, difference, joins) => {
    expect(isJoinedBy(new Approval().held, { ...binding, ...difference }, T0)).toBe(joins);
  });

  it('joins while the approval is pending and not overdue', () => {
    const approval = new Approval();
    expect(isJoinedBy(approval.held, binding, T0 + HOUR)).toBe(false);
    approval.approved();
    expect(isJoinedBy(approval.held, binding, T0)).toBe(true);
    approval.does({ type: 'kill', kill: 'k' });
    expect(isJoinedBy(approval.held, binding, T0)).toBe(false);
  });
});
