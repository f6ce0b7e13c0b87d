import { describe, expect, it } from '@jest/globals';
import { digestOf, HeldCall, type Told, twoSteps, uuidOf } from '#libs/testing';
import type { CheckReport } from './audit-check.ts';
import { by, changed, check, put, twice, without } from './spec/retold.ts';

const MINUTE = 60_000;
const failed = (report: CheckReport): string[] => report.properties.filter((property) => property.status === 'FAIL').map((property) => property.property.slice(0, 2));

const a = new HeldCall();
const whole = [...a.approved(), ...a.executed()];
/** What a script says of a call of its own, whose time begins anew. */
const told = (script: (call: HeldCall) => Told[]): Told[] => script(new HeldCall());

const other = { digest: digestOf('other arguments'), absent: false };
const edited = (call: HeldCall, person = 'ben', more: object = {}): Told[] => [
  call.says('approval.edited', { person, round: 1, from: call.args, to: other, ...more }, person),
  call.opened(0, 1),
  call.voted(0, person, { round: 1, argsDigest: other.digest, at: call.last }),
];
const withEdit = told((c) => [
  ...c.held(), c.voted(0, 'cleo'), ...edited(c), c.voted(0, 'cleo', { round: 1, argsDigest: other.digest }), c.opened(1, 1),
  c.voted(1, 'lena', { round: 1, argsDigest: other.digest }), c.granted({ args: other }), c.claimed(other), c.allowed(), c.completed(), c.settled(),
]);
const withGlass = (person = 'otto', flow = twoSteps): Told[] => {
  const c = new HeldCall({ flow });
  return [...c.held(), c.says('approval.broke_glass', { person, argsDigest: c.args.digest }, person), c.granted({ by: 'break_glass', postReview: true }), ...c.executed()];
};
const delegated = (c: HeldCall, more: object = {}): Told => c.says('approval.delegated', { from: 'lena', to: 'dora', until: c.now + 20 * MINUTE, scope: {}, ...more }, 'lena');
const withDelegate = told((c) => [
  ...c.held(), delegated(c), c.voted(0, 'ben'), c.voted(0, 'cleo'), c.opened(1), c.voted(1, 'dora', { seat: 'lena' }), c.granted(), ...c.executed(),
]);
const withEscalation = told((c) => [
  ...c.held(), c.voted(0, 'ben'), c.voted(0, 'cleo'), c.opened(1), c.after(10).says('approval.escalated', { step: 1, to: { users: ['grace'] } }), c.voted(1, 'grace'), c.granted(), ...c.executed(),
]);

const bound = { tenant: 'acme', agent: 'billing-bot', server: 'billing', method: 'tools/call' as const, tool: 'refund', toolHash: digestOf('refund') };
const given = uuidOf('a standing approval');
/** Two calls, released by what ada approved beforehand. */
const beforehand = told((c) => {
  const standing = (told: Told, call?: string): Told => ({ ...told, draft: { ...told.draft, links: { ...(call === undefined ? {} : { call }), approval: given } } });
  const used = (call: HeldCall, number: number): Told[] => [
    ...call.asked(), standing(call.says('approval.standing_used', { call: call.call, argsDigest: call.args.digest, number }, 'rita'), call.call), standing(call.allowed(), call.call), call.completed(),
  ];
  const b = new HeldCall({ call: 'b' });
  return [
    standing(c.says('approval.standing_created', { standing: given, person: 'ada', call: bound, condition: 'true', approvers: { users: ['ada'] }, until: c.now + 60 * MINUTE }, 'ada')),
    ...used(c, 1), ...used(b, 2), standing(b.says('approval.standing_revoked', { person: 'ada' }, 'ada')),
  ];
});

const ending = (type: 'denied' | 'expired' | 'cancelled' | 'killed', approved = false): Told[] =>
  told((c) => {
    const held = approved ? c.approved() : c.held();
    if (type === 'denied') return [...held, c.voted(0, 'cleo', { verdict: 'deny' }), c.voted(0, 'dan', { verdict: 'deny' }), c.says('approval.denied', { step: 0 })];
    if (type === 'expired') return [...held, c.after(60).says('approval.expired', { was: approved ? 'approved' : 'held' })];
    if (type === 'cancelled') return [...held, c.says('approval.cancelled', { person: 'rita', as: 'requester' }, 'rita')];
    return [...held, c.says('approval.killed', { kill: 'k' })];
  });

/** One of the leads approves, another one changes the mind of all of them. */
const deniedAfterGrant = ((): Told[] => {
  const c = new HeldCall({ flow: { ...twoSteps, steps: [twoSteps.steps[0]!, { ...twoSteps.steps[1]!, approvers: { groups: ['leads'] } }] } });
  return [...c.approved(), c.voted(1, 'lars', { verdict: 'deny' }), c.says('approval.denied', { step: 1 })];
})();

describe('the check of approvals', () => {
  it.each<[string, Told[]]>([
    ['a call that was approved and executed', whole],
    ['one that failed', told((c) => [...c.approved(), c.claimed(), c.allowed(), c.completed('failed'), c.settled('failed')])],
    ['one whose outcome is unknown', told((c) => [...c.approved(), c.claimed(), c.allowed(), c.completed('unknown'), c.settled('unknown')])],
    ['one whose broker was lost', told((c) => [...c.approved(), c.claimed(), c.allowed(), c.unknown(), c.settled('unknown')])],
    ['one that was allowed and not sent', told((c) => [...c.approved(), c.claimed(), c.allowed(), c.abandoned(), c.settled('failed')])],
    ['one that was claimed and never allowed', told((c) => [...c.approved(), c.claimed(), c.settled('failed')])],
    ['one that was settled before its outcome was delivered', told((c) => [...c.approved(), c.claimed(), c.allowed(), c.settled(), c.completed()])],
    ['one that was denied', ending('denied')],
    ['one that was denied after it was approved', deniedAfterGrant],
    ['one that was held too long', ending('expired')],
    ['a grant that nobody used', ending('expired', true)],
    ['one that was taken back', ending('cancelled')],
    ['one that was stopped after it was approved', ending('killed', true)],
    ['one that was not held', told((c) => [...c.asked(), { by: 'broker', draft: { ...c.requested().draft, type: 'approval.refused', data: { rule: 'r', flow: 'f', code: 'approval_unavailable', at: 1 } } as Told['draft'] }])],
    ['one that is still held', a.held()],
    ['a repetition that joined', told((c) => [...c.approved(), ...c.joinedBy('again'), ...c.executed()])],
    ['a repetition that joined when all was over', told((c) => [...c.approved(), ...c.executed(), ...c.joinedBy('again')])],
    ['arguments that were edited', withEdit],
    ['an edit in the second step', told((c) => [
      ...c.held(), c.voted(0, 'ben'), c.voted(0, 'cleo'), c.opened(1), c.says('approval.edited', { person: 'lena', round: 1, from: c.args, to: other }, 'lena'), c.opened(0, 1),
      c.voted(1, 'lena', { round: 1, argsDigest: other.digest, at: c.last }), c.voted(0, 'ben', { round: 1, argsDigest: other.digest }), c.voted(0, 'cleo', { round: 1, argsDigest: other.digest }),
      c.opened(1, 1), c.granted({ args: other }), c.claimed(other), c.allowed(), c.completed(), c.settled(),
    ])],
    ['a denial that became an approval of other arguments', told((c) => [
      ...c.held(), c.voted(0, 'cleo', { verdict: 'deny' }), ...edited(c), c.voted(0, 'cleo', { round: 1, argsDigest: other.digest }), c.opened(1, 1), c.voted(1, 'lena', { round: 1, argsDigest: other.digest }),
      c.granted({ args: other }), c.claimed(other), c.allowed(), c.completed(), c.settled(),
    ])],
    ['a denial that was one too few', told((c) => [...c.held(), c.voted(0, 'ben'), c.voted(0, 'dan', { verdict: 'deny' }), c.voted(0, 'cleo'), c.opened(1), c.voted(1, 'lena'), c.granted(), ...c.executed()])],
    ['broken glass', withGlass()],
    ['a vote by delegation', withDelegate],
    ['an escalated step', withEscalation],
    ['reminders', told((c) => [...c.held(), c.says('approval.reminded', { step: 0, number: 1 }), c.says('approval.reminded', { step: 0, number: 2 })])],
    ['two approvals at once', told((c) => {
      const [one, two] = [c.approved(), new HeldCall({ call: 'b' }).approved()];
      return [...one.flatMap((event, i) => [event, two[i]!]), ...c.executed(), ...new HeldCall({ call: 'b' }).after(9).executed()];
    })],
    ['calls that were approved beforehand', beforehand],
  ])('finds nothing wrong with %s', async (_, history) => {
    const report = await check(history, { closed: true });
    expect(report.violations).toEqual([]);
    expect(report.verdict).toBe('PASS');
    expect(report.notes).toEqual([]);
  });

  it.each<[string, string[], Told[], string]>([
    // the release
    ['allowed while it was held', ['I4'], told((c) => [...c.approved(), c.allowed(), c.completed()]), 'no approval had released it'],
    ['allowed with nobody asked', ['I4'], told((c) => [...c.asked(), c.allowed(), c.completed()]), 'no approval had released it'],
    ['allowed by approval though it was never held', ['I4'], told((c) => [c.asked()[0]!, c.allowed(), c.completed()]), 'none had released it'],
    ['allowed by another broker than claimed it', ['I3', 'I4'], by(whole, 'thief', 'policy.decided', 1), 'by a broker other than the one that claimed it'],
    ['allowed by policy after the claim', ['I4'], changed(whole, 'policy.decided', { stage: 'policy' }, 1), 'but not by approval'],
    ['allowed in the name of another approval', ['I4'], changed(whole, 'policy.decided', {}, 1, { links: { call: 'a', approval: uuidOf('x') } }), 'but not by approval'],
    ['allowed by another policy than the claim was checked against', ['I4'], changed(whole, 'policy.decided', { policyVersion: 8 }, 1), 'by policy version 8'],
    ...(['denied', 'expired', 'cancelled', 'killed'] as const).map((type): [string, string[], Told[], string] => [`allowed after it was ${type}`, ['I4'], [...ending(type), a.allowed(), a.completed()], `after it was ${type}`]),
    ['allowed after it was settled as failed', ['I3', 'I4'], told((c) => [...c.approved(), c.claimed(), c.settled('failed'), c.allowed(), c.completed()]), 'after it was settled as failed'],
    ['allowed although it joined another', ['I4'], told((c) => [...c.approved(), ...c.joinedBy('again'), ...c.executed(), new HeldCall({ call: 'again' }).allowed(), new HeldCall({ call: 'again' }).completed()]), 'after it was joined to another call'],
    // the claim
    ['claimed and not granted', ['I4'], without(whole, 'approval.granted'), 'was claimed at 8, after it was asked for'],
    ['claimed twice', ['I4'], twice(whole, 'approval.claimed'), 'after it was claimed'],
    ['claimed again when it was over', ['I4'], [...whole, a.claimed()], 'after it was settled'],
    ['claimed after its time', ['I4'], told((c) => [...c.approved(), ...c.after(30).executed()]), 'after its time was over'],
    ...(['denied', 'expired', 'cancelled', 'killed'] as const).map((type): [string, string[], Told[], string] => [`claimed after it was ${type}`, ['I4'], [...ending(type), a.claimed()], `was claimed at ${ending(type).length}, after it was ${type}`]),
    ['denied after it was claimed', ['I4'], told((c) => [...c.approved(), c.claimed(), c.says('approval.denied', { step: 1 }), c.allowed(), c.completed(), c.settled()]), 'after it was claimed'],
    ['claimed for other arguments', ['I4'], changed(whole, 'approval.claimed', { args: other }), 'for arguments other than those that were granted'],
    ['claimed for absent arguments', ['I4'], changed(whole, 'approval.claimed', { args: { ...a.args, absent: true } }), 'for arguments other than those that were granted'],
    ['claimed for a tool that has changed', ['I4'], changed(whole, 'approval.claimed', { toolHash: digestOf('drifted') }), 'for a tool that is not the one'],
    ['claimed for another call', ['I4'], told((c) => [...c.approved(), ...new HeldCall({ call: 'b' }).asked(), { ...c.claimed(), draft: { ...c.claimed().draft, links: { call: 'b', approval: c.approval } } }]), 'for call b; it is for call a'],
    ['claimed and used for two calls', ['I4'], told((c) => [...c.approved(), ...new HeldCall({ call: 'b' }).asked(), ...c.executed(), { by: 'broker', draft: { ...c.allowed().draft, links: { call: 'b', approval: c.approval } } as Told['draft'] }, new HeldCall({ call: 'b' }).completed()]), 'call b was allowed at 15'],
    ['claimed and asked for by nobody', ['I4'], told((c) => [...c.asked(), ...c.executed()]), 'and nobody had asked for it'],
    ['claimed when it had enough denials', ['I4'], [...without(deniedAfterGrant, 'approval.denied'), new HeldCall().after(12).claimed()], 'where it had to be denied'],
    // the binding
    ...(['user', 'client', 'agent', 'server', 'tool', 'toolHash'] as const).map((key): [string, string[], Told[], string] => {
      const { data } = whole[2]!.draft as { data: { binding: object } };
      return [`bound to another ${key}`, ['I4'], changed(whole, 'approval.requested', { binding: { ...data.binding, [key]: digestOf('x') } }), `the call differs in ${key}`];
    }),
    ['bound to other arguments', ['I4'], changed(whole, 'call.requested', { argsDigest: other.digest }), 'the call differs in arguments'],
    ['bound to a prompt of the same name', ['I4'], changed(whole, 'call.requested', { method: 'prompts/get' }), 'the call differs in method'],
    ['bound to another policy version', ['I4'], changed(whole, 'policy.decided', { policyVersion: 6 }), 'bound to policy version 7; version 6 held the call'],
    ['approved by another flow than held it', ['I4'], changed(whole, 'policy.decided', { flow: 'three-steps' }), 'by another rule or flow'],
    ['approved twice', ['I4'], told((c) => [...c.approved(), ...twice(c.held(), 'approval.requested').slice(2, 3).map(({ by, draft }) => ({ by, draft: { ...draft, links: { ...draft.links, approval: given }, data: { ...draft.data, approval: given } } as Told['draft'] }))]), 'had been asked for the same call'],
    ['held and asked for twice', ['I4'], twice(whole, 'approval.requested'), 'was asked for at 3, after it was asked for at 2'],
    ['approved though policy allowed it', ['I4'], told((c) => [c.asked()[0]!, ...c.approved().slice(2)]), 'policy had not held call a'],
    ['waiting longer than its flow says', ['I4'], changed(whole, 'approval.requested', { expiresAt: a.now + 120 * MINUTE }), 'ends at another time'],
    // the votes
    ['approved by too few', ['I4'], without(whole, 'approval.voted', 1), 'with 1 of 2 approvals in step finance'],
    ['approved by one person twice', ['I4'], changed(whole, 'approval.voted', { person: 'ben', seat: 'ben' }, 1, { actor: { user: 'ben', via: 'slack' } }), 'by ben, a second time'],
    ['approved twice by one right', ['I4'], changed(whole, 'approval.voted', { seat: 'ben' }, 1), 'by the right of ben, which was used already'],
    ...['rita', 'olga'].map((person): [string, string[], Told[], string] => [`approved by ${person}`, ['I4'], changed(whole, 'approval.voted', { person, seat: person }, 0, { actor: { user: person, via: 'slack' } }), 'and asked for the call or owned its agent']),
    ['approved by the right of who asked', ['I4'], changed(whole, 'approval.voted', { seat: 'rita' }), 'and asked for the call or owned its agent'],
    ['approved in the name of another', ['I4'], changed(whole, 'approval.voted', {}, 0, { actor: { user: 'dan', via: 'slack' } }), 'in the name of ben, by dan'],
    ['approved by somebody who was not asked', ['I4'], changed(whole, 'approval.voted', { person: 'dan', seat: 'dan' }, 2, { actor: { user: 'dan', via: 'slack' } }), 'who is not among the approvers of that step'],
    ['approved with other arguments in mind', ['I4'], changed(whole, 'approval.voted', { argsDigest: other.digest }), 'about other arguments'],
    ['approved in a step that was not open', ['I4'], changed(whole, 'approval.voted', { step: 1 }), 'in step 1 of round 0, while step 0 of round 0 was open'],
    ['approved before its step was open', ['I4'], put(whole, 'approval.voted', 'approval.step_opened', 2), 'where it had to be put to the people of a step'],
    ['approved too late', ['I4'], changed(whole, 'approval.voted', { at: a.now + 120 * MINUTE }), 'after its time was over'],
    ['approved before the edit only', ['I4'], without(withEdit, 'approval.voted', 2), 'with 1 of 2 approvals in step finance'],
    ['edited into what nobody approved', ['I4'], changed(withEdit, 'approval.claimed', { args: a.args }), 'for arguments other than those that were granted'],
    ['edited from something else', ['I4'], changed(withEdit, 'approval.edited', { from: { ...a.args, absent: true } }), 'from arguments other than those that were asked about'],
    ['edited by who asked', ['I4'], told((c) => [...c.held(), ...edited(c, 'rita')]), 'by rita, who asked for the call'],
    ['approved although it was denied', ['I4'], told((c) => [...c.held(), c.voted(0, 'dan', { verdict: 'deny' }), c.voted(0, 'ed', { verdict: 'deny' }), c.voted(0, 'ben'), c.voted(0, 'cleo'), c.opened(1), c.voted(1, 'lena'), c.granted(), ...c.executed()]), 'where it had to be denied'],
    ['denied by nobody', ['I4'], told((c) => [...c.held(), c.says('approval.denied', { step: 0 })]), 'nobody had just denied it'],
    ['expired too early', ['I4'], changed(ending('expired'), 'approval.expired', { at: a.now }), 'before its time was over'],
    ['delegated to who asked', ['I4'], told((c) => [...c.held(), delegated(c, { to: 'rita' })]), 'one of whom asked for the call'],
    ['escalated to people of nobody\'s choice', ['I4'], changed(withEscalation, 'approval.escalated', { to: { users: ['mallory'] } }), 'to people who are not in its flow'],
    // the grant
    ['granted without its second step', ['I4'], told((c) => [...c.held(), c.voted(0, 'ben'), c.voted(0, 'cleo'), c.granted(), ...c.executed()]), 'with 0 of 1 approvals in step lead'],
    ['granted with its steps skipped', ['I4'], told((c) => [...c.held(), c.opened(1), c.voted(1, 'lena'), c.granted(), ...c.executed()]), 'with 0 of 2 approvals in step finance'],
    ['granted with an easier step', ['I4'], changed(without(whole, 'approval.voted', 1), 'approval.step_opened', { need: 1 }), 'which is not in its flow like that'],
    ['granted for longer', ['I4'], changed(whole, 'approval.granted', { claimUntil: a.now + 600 * MINUTE }), 'for another time than its flow says'],
    ['granted for other arguments', ['I4'], changed(whole, 'approval.granted', { args: other }), 'for arguments other than those that were asked about'],
    ['granted by glass that nobody broke', ['I4'], changed(whole, 'approval.granted', { by: 'break_glass', postReview: true }), 'and nobody had broken the glass'],
    ['granted by glass that was not there', ['I4'], withGlass('otto', { ...twoSteps, breakGlass: null }), 'which its flow does not have'],
    ['granted by glass that who asked broke', ['I4'], withGlass('rita', { ...twoSteps, breakGlass: { groups: ['finance'] } }), 'by rita, who asked for the call'],
    ['granted by glass that somebody else broke', ['I4'], withGlass('dan'), 'by dan, who may not'],
    ['granted by glass and never reviewed', ['I4'], changed(withGlass(), 'approval.granted', { postReview: false }), 'without a review'],
    // the repetition
    ['joined to what it does not repeat', ['I4'], told((c) => changed([...c.held(), ...c.joinedBy('again')], 'call.requested', { argsDigest: other.digest }, 1)), 'it differs in arguments'],
    ['joined for another user', ['I4'], told((c) => changed([...c.held(), ...c.joinedBy('again')], 'call.requested', {}, 1, { actor: { user: 'eve', client: 'claude-code', agent: 'billing-bot', via: 'mcp' } })), 'it differs in user'],
    ['joined to nothing', ['I4'], told((c) => c.joinedBy('again')), 'nobody had asked for that'],
    ['executed although it joined another', ['I1'], told((c) => [...c.held(), ...c.joinedBy('again'), new HeldCall({ call: 'again' }).completed()]), 'never allowed before'],
    // the outcome
    ['settled twice', ['I3'], twice(whole, 'approval.settled'), 'after it was settled'],
    ['settled without a claim', ['I4'], told((c) => [...c.approved(), c.settled('failed')]), 'was settled at 9, after it was granted'],
    ['settled as executed though it failed', ['I3'], told((c) => [...c.approved(), c.claimed(), c.allowed(), c.completed('failed'), c.settled()]), 'but call a was failed'],
    ['settled as failed though nobody knows', ['I3'], told((c) => [...c.approved(), c.claimed(), c.allowed(), c.unknown(), c.settled('failed')]), 'but call a was unknown'],
    ['settled as executed before it failed', ['I3'], told((c) => [...c.approved(), c.claimed(), c.allowed(), c.settled(), c.completed('failed')]), 'but call a was failed'],
    ['settled as executed and never allowed', ['I3'], told((c) => [...c.approved(), c.claimed(), c.settled()]), 'but call a was never allowed'],
    ['claimed and never settled', ['I3'], without(whole, 'approval.settled'), 'nobody has said what became of it'],
    // beforehand
    ['approved beforehand by nobody', ['I4'], without(beforehand, 'approval.standing_created'), 'and nobody had given it'],
    ['approved beforehand for another tool', ['I4'], changed(beforehand, 'approval.standing_created', { call: { ...bound, tool: 'charge' } }), 'the call differs in tool'],
    ['approved beforehand for a tool that has changed', ['I4'], changed(beforehand, 'approval.standing_created', { call: { ...bound, toolHash: null } }), 'the call differs in toolHash'],
    ['approved beforehand for another agent', ['I4'], changed(beforehand, 'approval.standing_created', { call: { ...bound, agent: 'other-bot' } }), 'the call differs in agent'],
    ['approved beforehand for days', ['I4'], changed(beforehand, 'approval.standing_created', { until: a.now + 5000 * MINUTE }), 'for more than 8 hours'],
    ['approved beforehand by who calls', ['I4'], changed(beforehand, 'approval.standing_created', { person: 'rita', approvers: { groups: ['finance'] } }, 0, { actor: { user: 'rita', via: 'api' } }), 'for a call of the person who gave it'],
    ['approved beforehand, but later', ['I4'], changed(beforehand, 'approval.standing_used', { at: a.now + 120 * MINUTE }, 1), 'after its time was over'],
    ['approved beforehand until it was revoked', ['I4'], put(beforehand, 'approval.standing_revoked', 'approval.standing_used'), 'after it was revoked'],
    ['approved beforehand and not counted', ['I4'], changed(beforehand, 'approval.standing_used', { number: 3 }, 1), 'as use 3, after use 1'],
    ['approved beforehand with other arguments', ['I4'], changed(beforehand, 'approval.standing_used', { argsDigest: other.digest }), 'for other arguments than the call has'],
    ['approved beforehand and used twice', ['I4'], twice(beforehand, 'approval.standing_used'), 'had released the call at'],
    ['allowed by an approval that was given beforehand and not used', ['I4'], without(beforehand, 'approval.standing_used'), 'no approval had released it'],
  ])('finds a call that was %s', async (_, invariants, history, sentence) => {
    const report = await check(history, { closed: invariants.includes('I3') });
    expect(failed(report)).toEqual(invariants);
    expect(report.violations.map((violation) => violation.sentence).join('\n')).toContain(sentence);
  });

  it.each<[string, Told[], string]>([
    ['a vote by a delegation that is not in the log', without(withDelegate, 'approval.delegated'), 'by which delegation is not in the log'],
    ['a vote by a delegation that was over', changed(withDelegate, 'approval.delegated', { until: new HeldCall().now + 2 * MINUTE }), 'by which delegation is not in the log'],
    ['a claim on a vote by a delegation that was over', told((c) => [...c.held(), delegated(c), c.voted(0, 'ben'), c.voted(0, 'cleo'), c.opened(1), c.voted(1, 'dora', { seat: 'lena' }), c.granted(), ...c.after(20).executed()]), 'whose delegation was over'],
    ['a grant that did not come', told((c) => [...without(c.approved(), 'approval.granted'), c.says('approval.killed', { kill: 'k' })]), 'although step lead had its approvals'],
    ['a claim that is not settled yet', without(whole, 'approval.settled'), '1 approvals were claimed and are not settled yet'],
    ['a truth that came late', told((c) => [...c.approved(), c.claimed(), c.allowed(), c.unknown(), c.settled('unknown'), c.completed()]), 'became known at'],
    ['doubt about what was never sent', told((c) => [...c.approved(), c.claimed(), c.settled('unknown')]), 'was never allowed'],
  ])('notes %s', async (_, history, sentence) => {
    const report = await check(history);
    expect(report.violations).toEqual([]);
    expect(report.notes).toEqual([expect.stringContaining(sentence)]);
  });

  it('still knows of many that were approved beforehand when their time was over', async () => {
    const c = new HeldCall();
    const links = (n: number): { approval: string } => ({ approval: uuidOf(`beforehand ${n}`) });
    const many = Array.from({ length: 2_000 }, (_, n) => {
      const { by, draft } = c.says('approval.standing_created', { standing: links(n).approval, person: 'ada', call: bound, condition: 'true', approvers: { users: ['ada'] }, until: c.now + MINUTE }, 'ada');
      return { by, draft: { ...draft, links: links(n) } };
    });
    const used = [c.asked(), [c.says('approval.standing_used', { call: 'a', argsDigest: c.args.digest, number: 1 }, 'rita')]].flat();
    const report = await check([...many, ...used.with(2, { ...used[2]!, draft: { ...used[2]!.draft, links: { call: 'a', ...links(3) } } })]);
    expect(report.violations.map(({ sentence }) => sentence)).toEqual([`standing approval ${links(3).approval} was used at 2002, after its time was over`]);
  });

  it('says in its report what holds', async () => {
    const { properties } = await check(whole);
    expect(properties.map(({ property }) => property)).toContain('I4 an approval fits one call exactly');
  });
});

