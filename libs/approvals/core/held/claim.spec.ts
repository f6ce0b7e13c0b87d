import { describe, expect, it } from '@jest/globals';
import type { Claim } from './commands.ts';
import { Approval, binding, claimCommand, edited, flow, HOUR, MINUTE, office, original, step, T0, without } from './spec/office.ts';

describe('claiming', () => {
  it('gives the right to execute once', () => {
    const approval = new Approval().approved();
    approval.does(claimCommand());
    expect(approval.held).toMatchObject({ status: 'claimed', claim: { broker: 'broker-1', args: original, toolHash: binding.toolHash, policyVersion: 7 } });
    expect(approval.asks(claimCommand())).toBe('approval_claimed');
    expect(approval.asks(claimCommand({ broker: 'broker-2' }))).toBe('approval_claimed');
  });

  it('waits for the people', () => {
    const approval = new Approval();
    expect(approval.asks(claimCommand())).toBe('approval_pending');
    approval.does(approval.approve('ada'));
    approval.does(approval.approve('ben'));
    expect(approval.asks(claimCommand())).toBe('approval_pending');
  });

  const other = 'X'.repeat(43);
  const call = (difference: Partial<Claim['call']>): Partial<Claim> => ({ call: { ...binding, ...difference } });
  const policy = (effect: Claim['policy']['effect'], of: Claim['policy']['flow'] = null): Partial<Claim> => ({ policy: { version: 8, effect, flow: of } });

  it.each<[string, Partial<Claim>, string | string[]]>([
    ['nothing has changed', {}, ['claimed']],
    ['the tenant is another', call({ tenant: 'other' }), 'binding_mismatch'],
    ['the user is another', call({ user: 'ada' }), 'binding_mismatch'],
    ['the client is another', call({ client: 'curl' }), 'binding_mismatch'],
    ['the agent is another', call({ agent: 'other-bot' }), 'binding_mismatch'],
    ['there is no agent', call({ agent: null }), 'binding_mismatch'],
    ['the server is another', call({ server: 'crm' }), 'binding_mismatch'],
    ['it is a prompt of that name', call({ method: 'prompts/get' }), 'binding_mismatch'],
    ['the tool is another', call({ tool: 'charge' }), 'binding_mismatch'],
    ['the arguments have drifted', { args: { digest: other, absent: false } }, 'binding_mismatch'],
    ['the arguments are absent now', { args: { ...original, absent: true } }, 'binding_mismatch'],
    ['the tool has drifted', call({ toolHash: other }), 'tool_changed'],
    ['the tool has no definition any more', call({ toolHash: null }), 'tool_changed'],
    ['the requester may not call any more', { requesterValid: false }, 'requester_invalid'],
    ['a kill switch is on', { stopped: true }, 'stopped_by_switch'],
    ['policy has become a denial', policy('deny'), 'policy_denied'],
    ['policy allows it by now', policy('allow'), ['claimed']],
    ['policy asks for the same flow', policy('require_approval', flow()), ['claimed']],
    ['policy asks for another flow', policy('require_approval', { id: 'board', digest: flow().digest }), 'policy_denied'],
    ['the flow of that name asks for something else now', policy('require_approval', { id: 'two-steps', digest: other }), 'policy_denied'],
    ['policy asks for approval by no flow', policy('require_approval'), 'policy_denied'],
  ])('when %s', (_, more, then) => {
    const approval = new Approval().approved();
    const before = approval.held;
    expect(approval.asks(claimCommand(more))).toEqual(then);
    expect(approval.held).toBe(before);
  });

  it('is over when the grant is', () => {
    const approval = new Approval().approved();
    expect(approval.at(T0 + 30 * MINUTE - 1).asks(claimCommand())).toEqual(['claimed']);
    expect(approval.at(T0 + 30 * MINUTE).asks(claimCommand())).toBe('approval_expired');
  });

  it('takes the edited arguments and no others', () => {
    const approval = new Approval({ flow: flow({ steps: [step()] }) });
    approval.does(approval.edit('ada'));
    expect(approval.asks(claimCommand())).toBe('binding_mismatch');
    expect(approval.asks(claimCommand({ args: edited }))).toEqual(['claimed']);
  });

  it.each<[string, (approval: Approval) => unknown]>([
    ['somebody of the quorum has left', (it) => it.with(without('ben'))],
    ['somebody of the quorum owns the agent now', (it) => it.with({ ...office, agentOwners: { 'billing-bot': 'lena' } })],
    ['somebody of the quorum is in another group now', (it) => it.with({ ...office, people: office.people.map((one) => (one.id === 'ada' ? { ...one, groups: [] } : one)) })],
  ])('needs the quorum still: %s', (_, change) => {
    const approval = new Approval().approved();
    change(approval);
    expect(approval.asks(claimCommand())).toBe('quorum_lost');
    expect(approval.with(office).asks(claimCommand())).toEqual(['claimed']);
  });

  it('does not need those who did not decide', () => {
    expect(new Approval().approved().with(without('cleo', 'otto', 'rita')).asks(claimCommand())).toEqual(['claimed']);
  });
});

describe('the outcome', () => {
  it.each(['executed', 'failed', 'unknown'] as const)('%s is told once', (outcome) => {
    const approval = new Approval().approved();
    expect(approval.asks({ type: 'settle', outcome })).toBe('approval_not_claimed');
    approval.does(claimCommand());
    approval.does({ type: 'settle', outcome });
    expect(approval.held.status).toBe(outcome);
    expect(approval.asks({ type: 'settle', outcome })).toEqual([]);
    expect(approval.asks({ type: 'settle', outcome: outcome === 'failed' ? 'unknown' : 'failed' })).toBe('approval_claimed');
  });
});

describe('stopping', () => {
  it.each<[string, boolean, string | string[]]>([
    ['rita', false, ['cancelled']],
    ['otto', true, ['cancelled']],
    ['ada', false, 'forbidden'],
    ['olga', false, 'forbidden'],
  ])('cancelling by %s (operator: %s)', (who, operator, then) => {
    for (const approval of [new Approval(), new Approval().approved()]) expect(approval.asks(approval.cancel(who, operator))).toEqual(then);
  });

  it('a kill switch stops what is held, what is approved, and nothing that was released', () => {
    for (const approval of [new Approval(), new Approval().approved()]) {
      approval.does({ type: 'kill', kill: 'k-1' });
      expect(approval.held.status).toBe('killed');
      expect(approval.asks(claimCommand())).toBe('approval_killed');
    }
    const released = new Approval().approved();
    released.does(claimCommand());
    expect(released.asks({ type: 'kill', kill: 'k-1' })).toBe('approval_claimed');
  });

  const ended: Record<string, [(approval: Approval) => unknown, string]> = {
    denied: [(it) => it.does(it.deny('ada')), 'approval_denied'],
    expired: [(it) => it.at(T0 + HOUR).does({ type: 'expire' }), 'approval_expired'],
    cancelled: [(it) => it.does(it.cancel('rita')), 'approval_cancelled'],
    killed: [(it) => it.does({ type: 'kill', kill: 'k' }), 'approval_killed'],
    claimed: [(it) => it.approved().does(claimCommand()), 'approval_claimed'],
    executed: [(it) => (it.approved().does(claimCommand()), it.does({ type: 'settle', outcome: 'executed' })), 'approval_claimed'],
  };

  it.each(Object.entries(ended))('what is %s changes no more, and says why', (status, [end, code]) => {
    const approval = new Approval();
    end(approval);
    expect(approval.held.status).toBe(status);
    const commands = [
      approval.approve('cleo'),
      approval.deny('cleo'),
      approval.edit('cleo'),
      approval.breakGlass('otto'),
      approval.delegate('cleo', 'dora'),
      approval.cancel('rita'),
      claimCommand(),
      ...(['remind', 'escalate', 'expire'] as const).map((type) => ({ type })),
      { type: 'kill', kill: 'k' } as const,
    ];
    expect(commands.map((command) => approval.asks(command))).toEqual(commands.map(() => code));
  });
});
