import { describe, expect, it } from '@jest/globals';
import { Approval, claimCommand, flow, HOUR, MINUTE, step, T0 } from './spec/office.ts';
import { wakeUps } from './wake-ups.ts';

const patient = flow({
  steps: [
    step({ need: 2, reminders: { everyMs: 15 * MINUTE, most: 2 }, escalation: { afterMs: 30 * MINUTE, to: { users: ['dora'] } } }),
    step({ name: 'lead', approvers: { users: ['lena'] } }),
  ],
});

const wanted = (approval: Approval): string[] => wakeUps(approval.held).map(({ kind, at }) => `${kind} ${(at - T0) / MINUTE}`);

describe('wake-ups', () => {
  it('are the next of each kind, earliest first, and end with what they are for', () => {
    const approval = new Approval({ flow: patient });
    expect(wanted(approval)).toEqual(['remind 15', 'escalate 30', 'expire 60']);
    approval.at(T0 + 20 * MINUTE).does({ type: 'remind' });
    expect(wanted(approval)).toEqual(['escalate 30', 'remind 35', 'expire 60']);
    approval.at(T0 + 30 * MINUTE).does({ type: 'escalate' });
    expect(wanted(approval)).toEqual(['remind 35', 'expire 60']);
    approval.at(T0 + 35 * MINUTE).does({ type: 'remind' });
    expect(wanted(approval)).toEqual(['expire 60']);
    approval.approved();
    expect(wanted(approval)).toEqual(['expire 65']);
    approval.does(claimCommand());
    expect(wanted(approval)).toEqual([]);
  });

  it('are for the open step only, and not for a time after the end', () => {
    const approval = new Approval({ flow: { ...patient, expiresInMs: 30 * MINUTE } });
    expect(wanted(approval)).toEqual(['remind 15', 'expire 30']);
    approval.does(approval.approve('ada'));
    approval.does(approval.approve('ben'));
    expect(wanted(approval)).toEqual(['expire 30']);
  });

  it('begin anew when the flow does', () => {
    const approval = new Approval({ flow: patient }).at(T0 + 20 * MINUTE);
    approval.does({ type: 'remind' });
    approval.at(T0 + 25 * MINUTE).does(approval.edit('ada'));
    expect(wanted(approval)).toEqual(['remind 40', 'escalate 55', 'expire 60']);
  });
});

describe('reminders', () => {
  it('come when they are due, once each however often they are woken, and are capped', () => {
    const approval = new Approval({ flow: patient });
    expect(approval.at(T0 + 15 * MINUTE - 1).asks({ type: 'remind' })).toBe('not_due');
    approval.at(T0 + 15 * MINUTE).does({ type: 'remind' });
    expect(approval.asks({ type: 'remind' })).toBe('not_due');
    approval.at(T0 + 30 * MINUTE).does({ type: 'remind' });
    expect(approval.at(T0 + 45 * MINUTE).asks({ type: 'remind' })).toBe('nothing_more_to_do');
    expect(approval.events.flatMap((event) => (event.type === 'approval.reminded' ? [event.data.number] : []))).toEqual([1, 2]);
  });

  it('are not made up for when they were late, and not for somebody who need not decide any more', () => {
    const approval = new Approval({ flow: patient }).at(T0 + 50 * MINUTE);
    approval.does({ type: 'remind' });
    expect(approval.asks({ type: 'remind' })).toBe('not_due');
    expect(new Approval().asks({ type: 'remind' })).toBe('nothing_more_to_do');
    expect(new Approval({ flow: patient }).approved().asks({ type: 'remind' })).toBe('approval_granted');
    expect(new Approval({ flow: patient }).at(T0 + HOUR).asks({ type: 'remind' })).toBe('approval_expired');
  });
});

describe('an escalation', () => {
  it('adds people and keeps those who were asked first, once', () => {
    const approval = new Approval({ flow: patient });
    expect(approval.asks(approval.approve('dora'))).toBe('not_eligible');
    expect(approval.at(T0 + 30 * MINUTE - 1).asks({ type: 'escalate' })).toBe('not_due');
    approval.at(T0 + 30 * MINUTE).does({ type: 'escalate' });
    expect(approval.asks({ type: 'escalate' })).toBe('nothing_more_to_do');
    approval.does(approval.approve('dora'));
    expect(approval.asks(approval.approve('ada'))).toEqual(['voted', 'step_opened']);
    approval.does(approval.approve('ada'));
    approval.does(approval.approve('lena'));
    expect(approval.asks(claimCommand())).toEqual(['claimed']);
  });

  it('never adds the requester or the agent\'s owner', () => {
    const approval = new Approval({ flow: flow({ steps: [step({ escalation: { afterMs: 1, to: { users: ['rita', 'olga'] } } })] }) }).at(T0 + 1);
    approval.does({ type: 'escalate' });
    expect(approval.asks(approval.approve('rita'))).toBe('never_counts');
    expect(approval.asks(approval.approve('olga'))).toBe('never_counts');
  });
});

describe('expiry', () => {
  it('denies a held call and ends an unused grant, not a moment early', () => {
    const approval = new Approval();
    expect(approval.at(T0 + HOUR - 1).asks({ type: 'expire' })).toBe('not_due');
    approval.at(T0 + HOUR).does({ type: 'expire' });
    expect(approval.held.status).toBe('expired');
    const granted = new Approval().approved();
    expect(granted.at(T0 + 30 * MINUTE - 1).asks({ type: 'expire' })).toBe('not_due');
    granted.at(T0 + 30 * MINUTE).does({ type: 'expire' });
    expect(granted.events.at(-1)).toMatchObject({ type: 'approval.expired', data: { was: 'approved' } });
  });

  it('holds also before anybody has noted it: nothing but the end and a switch is accepted', () => {
    const approval = new Approval().at(T0 + HOUR);
    for (const command of [approval.approve('ada'), approval.deny('ada'), approval.edit('ada'), approval.breakGlass('otto'), approval.delegate('ada', 'dora'), approval.cancel('rita'), claimCommand()]) {
      expect(approval.asks(command)).toBe('approval_expired');
    }
    expect(approval.asks({ type: 'kill', kill: 'k' })).toEqual(['killed']);
    expect(approval.asks({ type: 'expire' })).toEqual(['expired']);
  });
});
