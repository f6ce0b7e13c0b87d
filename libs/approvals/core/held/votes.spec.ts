import { describe, expect, it } from '@jest/globals';
import type { Command } from './commands.ts';
import type { Flow } from './flow.ts';
import { Approval, claimCommand, edited, flow, HOUR, MINUTE, office, original, people, step, T0, without } from './spec/office.ts';

describe('a flow', () => {
  it('goes through its steps in order, with as many people as each needs, to a grant of limited time', () => {
    const approval = new Approval();
    expect(approval.asks(approval.approve('ada'))).toEqual(['voted']);
    approval.does(approval.approve('ada'));
    expect(approval.asks(approval.approve('lena'))).toBe('not_eligible');
    expect(approval.asks(approval.approve('ben'))).toEqual(['voted', 'step_opened']);
    approval.does(approval.approve('ben'));
    expect(approval.asks(approval.approve('cleo'))).toBe('not_eligible');
    approval.at(T0 + 59 * MINUTE);
    expect(approval.asks(approval.approve('lena'))).toEqual(['voted', 'granted']);
    approval.does(approval.approve('lena'));
    expect(approval.held).toMatchObject({ status: 'approved', expiresAt: T0 + 89 * MINUTE, grant: { by: 'quorum', args: original, postReview: false } });
  });

  it('counts one person once, also where that person could decide in two steps', () => {
    const approval = new Approval({ flow: flow({ steps: [step(), step({ name: 'again' })] }) });
    approval.does(approval.approve('ada'));
    expect(approval.held.step).toBe(1);
    expect(approval.asks(approval.approve('ada'))).toBe('counted_already');
    expect(approval.asks(approval.deny('ada'))).toBe('decided_otherwise');
    expect(approval.asks(approval.approve('ben'))).toEqual(['voted', 'granted']);
  });

  it('does not count somebody who has left by the time the next one decides', () => {
    const approval = new Approval();
    approval.does(approval.approve('ada'));
    approval.with(without('ada')).does(approval.approve('ben'));
    expect(approval.held).toMatchObject({ status: 'held', step: 0 });
    expect(approval.asks(approval.approve('cleo'))).toEqual(['voted', 'step_opened']);
  });
});

describe('who may decide', () => {
  it.each<[string, string, string | string[]]>([
    ['a member of the group', 'ada', ['voted']],
    ['the requester, though a member', 'rita', 'never_counts'],
    ["the agent's owner, though a member", 'olga', 'never_counts'],
    ['somebody of a later step', 'lena', 'not_eligible'],
    ['somebody else', 'dora', 'not_eligible'],
    ['nobody we know', 'ghost', 'not_eligible'],
  ])('%s', (_, who, then) => {
    const approval = new Approval();
    expect(approval.asks(approval.approve(who))).toEqual(then);
    expect(approval.asks(approval.deny(who))).toEqual(Array.isArray(then) ? ['voted', 'denied'] : then);
    expect(approval.asks(approval.edit(who))).toEqual(Array.isArray(then) ? ['edited', 'step_opened', 'voted'] : then);
  });

  it('is judged when the decision is made, not when the call was held', () => {
    const approval = new Approval();
    expect(approval.with(without('ada')).asks(approval.approve('ada'))).toBe('not_eligible');
    const joined = { ...office, people: people.map((one) => (one.id === 'dora' ? { ...one, groups: ['finance'] } : one)) };
    expect(approval.with(joined).asks(approval.approve('dora'))).toEqual(['voted']);
  });

  it("excludes who owned the agent when the call was held, and who owns it now", () => {
    const approval = new Approval().with({ ...office, agentOwners: { 'billing-bot': 'ada' } });
    expect(approval.asks(approval.approve('ada'))).toBe('never_counts');
    expect(approval.asks(approval.approve('olga'))).toBe('never_counts');
  });
});

describe('a denial', () => {
  it('ends the call at the number the step names, one by default', () => {
    const approval = new Approval({ flow: flow({ steps: [step({ need: 2, deny: 2 })] }) });
    expect(approval.asks(approval.deny('ada'))).toEqual(['voted']);
    approval.does(approval.deny('ada'));
    approval.does(approval.approve('ben'));
    expect(approval.asks(approval.deny('cleo'))).toEqual(['voted', 'denied']);
  });

  it('beats a grant that has not been used, and every later approval', () => {
    const approval = new Approval({ flow: flow({ steps: [step()] }) });
    approval.does(approval.approve('ada'));
    expect(approval.held.status).toBe('approved');
    approval.does(approval.deny('ben'));
    expect(approval.held.status).toBe('denied');
    expect(approval.asks(approval.approve('cleo'))).toBe('approval_denied');
    expect(approval.asks(claimCommand())).toBe('approval_denied');
  });

  it('still counts when the person who gave it has left', () => {
    const approval = new Approval({ flow: flow({ steps: [step({ deny: 2 })] }) });
    approval.does(approval.deny('ada'));
    expect(approval.with(without('ada')).asks(approval.deny('ben'))).toEqual(['voted', 'denied']);
  });
});

describe('reasons', () => {
  const asks = (of: Partial<Flow>, command: (approval: Approval) => Command): string | string[] => {
    const approval = new Approval({ flow: flow({ breakGlass: { roles: ['operator'] }, ...of }) });
    return approval.asks(command(approval));
  };

  it.each<[string, Partial<Flow>, (approval: Approval) => Command, string | string[]]>([
    ['a denial without one', {}, (it) => it.deny('ada', { reason: '' }), 'reason_required'],
    ['a denial with a blank one', {}, (it) => it.deny('ada', { reason: '  ' }), 'reason_required'],
    ['an approval without one', {}, (it) => it.approve('ada'), ['voted']],
    ['an approval without one where the flow wants it', { approverReason: 'required' }, (it) => it.approve('ada'), 'reason_required'],
    ['an approval with one where the flow wants it', { approverReason: 'required' }, (it) => it.approve('ada', { reason: 'ok' }), ['voted']],
    ['an edit without one where the flow wants it', { approverReason: 'required' }, (it) => it.edit('ada'), 'reason_required'],
    ['breaking the glass without one', {}, (it) => it.breakGlass('otto', { reason: ' ' }), 'reason_required'],
    ['breaking the glass with one', {}, (it) => it.breakGlass('otto'), ['broke_glass', 'granted']],
  ])('%s', (_, of, command, then) => {
    expect(asks(of, command)).toEqual(then);
  });

  it('travel sealed, never in the data', () => {
    const approval = new Approval();
    approval.does(approval.edit('ada', { reason: 'a secret one', value: { iban: 'secret' } }));
    approval.does(approval.deny('ben', { reason: 'another secret' }));
    expect(approval.events.flatMap((event) => (event.seal ? [[event.type, event.seal]] : []))).toEqual([
      ['approval.edited', { '/args': { iban: 'secret' }, '/reason': 'a secret one' }],
      ['approval.voted', { '/reason': 'a secret one' }],
      ['approval.voted', { '/reason': 'another secret' }],
    ]);
    expect(JSON.stringify([approval.held, approval.events.map((event) => event.data)])).not.toContain('secret');
  });
});

describe('the same decision again', () => {
  it('returns the recorded one, at any time', () => {
    const approval = new Approval();
    const first = approval.approve('ada');
    const { vote } = approval.does(first);
    expect(approval.does(first)).toEqual({ ok: true, events: [], vote });
    expect(approval.does(approval.approve('ada'))).toEqual({ ok: true, events: [], vote });
    for (const who of ['ben', 'lena']) approval.does(approval.approve(who));
    expect(approval.does(first)).toEqual({ ok: true, events: [], vote });
    approval.does(claimCommand());
    expect(approval.at(T0 + 9 * HOUR).does(first)).toEqual({ ok: true, events: [], vote });
  });

  it('holds for denials and edits', () => {
    const approval = new Approval();
    const edit = approval.edit('ada');
    const { vote } = approval.does(edit);
    expect(approval.does(edit)).toEqual({ ok: true, events: [], vote });
    const deny = approval.deny('ben');
    const denied = approval.does(deny);
    expect(approval.does(deny)).toEqual({ ok: true, events: [], vote: denied.vote });
  });

  it('is not another one: a person decides once', () => {
    const approval = new Approval({ flow: flow({ steps: [step({ need: 2, deny: 2 })] }) });
    approval.does(approval.approve('ada'));
    approval.does(approval.deny('ben'));
    expect(approval.asks(approval.deny('ada'))).toBe('decided_otherwise');
    expect(approval.asks(approval.approve('ben'))).toBe('decided_otherwise');
  });
});

describe('a decision about something else than what was seen', () => {
  it('is stale after an edit and after a new step, and not after the vote of somebody else', () => {
    const approval = new Approval();
    const seen = approval.held.version;
    approval.does(approval.approve('ada'));
    expect(approval.asks(approval.approve('ben', { version: seen }))).toEqual(['voted', 'step_opened']);
    approval.does(approval.edit('cleo'));
    expect(approval.asks(approval.approve('ben', { version: seen }))).toBe('decision_stale');
    expect(approval.asks(approval.deny('ben', { version: seen }))).toBe('decision_stale');
    expect(approval.asks(approval.approve('ben', { version: approval.held.version + 1 }))).toBe('decision_stale');
    const second = approval.held.version;
    approval.does(approval.approve('ben'));
    expect(approval.held.step).toBe(1);
    expect(approval.asks(approval.approve('lena', { version: second }))).toBe('decision_stale');
  });
});

describe('approving other arguments', () => {
  it('keeps both digests, asks everybody again, and counts as the approval of who edited', () => {
    const approval = new Approval();
    approval.does(approval.approve('ada'));
    approval.does(approval.edit('ben'));
    expect(approval.held).toMatchObject({ status: 'held', args: edited, round: 1, edits: [{ person: 'ben', from: original, to: edited }] });
    expect(approval.held.binding.args).toEqual(original);
    expect(approval.asks(approval.approve('ada'))).toEqual(['voted', 'step_opened']);
    approval.does(approval.approve('ada'));
    approval.does(approval.approve('lena'));
    expect(approval.held).toMatchObject({ status: 'approved', grant: { args: edited } });
  });

  it('in a later step begins the flow anew; the later step is met already when it comes again', () => {
    const approval = new Approval();
    approval.does(approval.approve('ada'));
    approval.does(approval.approve('ben'));
    approval.does(approval.edit('lena'));
    expect(approval.held).toMatchObject({ step: 0, status: 'held' });
    approval.does(approval.approve('cleo'));
    expect(approval.asks(approval.approve('ben'))).toEqual(['voted', 'step_opened', 'granted']);
  });

  it('does not wash a denial away', () => {
    const approval = new Approval({ flow: flow({ steps: [step({ need: 2, deny: 2 })] }) });
    approval.does(approval.deny('ada'));
    approval.does(approval.edit('ben'));
    expect(approval.asks(approval.deny('cleo'))).toEqual(['voted', 'denied']);
    expect(approval.asks(approval.approve('ada'))).toEqual(['voted', 'granted']);
  });

  it('does not bring approvals back with the arguments they were for', () => {
    const approval = new Approval({ flow: flow({ steps: [step({ need: 3 })] }) });
    approval.does(approval.approve('ada'));
    approval.does(approval.edit('ben'));
    approval.does(approval.edit('cleo', { args: original }));
    expect(approval.held.args).toEqual(original);
    approval.does(approval.approve('ben'));
    expect(approval.held.status).toBe('held');
    expect(approval.asks(approval.approve('ada'))).toEqual(['voted', 'granted']);
  });

  it.each<[string, Partial<Extract<Command, { type: 'edit' }>>, string]>([
    ['that do not fit the schema', { valid: false }, 'arguments_invalid'],
    ['that are the same', { args: original }, 'edit_changes_nothing'],
    ['seen too long ago', { version: 1 }, 'decision_stale'],
  ])('is refused for arguments %s', (_, more, code) => {
    const approval = new Approval();
    expect(approval.asks(approval.edit('ada', more))).toBe(code);
  });

  it('is refused once granted, and after twenty times', () => {
    expect(new Approval().approved().asks(new Approval().edit('cleo'))).toBe('approval_granted');
    const approval = new Approval();
    for (let i = 0; i < 20; i++) approval.does(approval.edit(i % 2 ? 'ada' : 'ben', { args: { digest: String(i).padEnd(43, '_'), absent: false } }));
    expect(approval.asks(approval.edit('cleo'))).toBe('too_many_edits');
  });
});

describe('breaking the glass', () => {
  const emergency = flow({ breakGlass: { roles: ['operator'], users: ['rita', 'olga'] } });

  it('is one approval for the whole flow, to be reviewed', () => {
    const approval = new Approval({ flow: emergency });
    approval.does(approval.breakGlass('otto'));
    expect(approval.held).toMatchObject({ status: 'approved', brokenBy: 'otto', grant: { by: 'break_glass', postReview: true } });
    expect(approval.does(approval.breakGlass('otto'))).toEqual({ ok: true, events: [] });
    expect(approval.asks(claimCommand())).toEqual(['claimed']);
    expect(approval.with(without('otto')).asks(claimCommand())).toBe('quorum_lost');
  });

  it.each([
    ['switched off', flow(), 'otto', 'break_glass_off'],
    ['by somebody else', emergency, 'ada', 'not_eligible'],
    ['by the requester', emergency, 'rita', 'never_counts'],
    ["by the agent's owner", emergency, 'olga', 'never_counts'],
  ])('is refused %s', (_, of, who, code) => {
    const approval = new Approval({ flow: of });
    expect(approval.asks(approval.breakGlass(who))).toBe(code);
  });
});
