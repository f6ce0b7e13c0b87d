import { beforeEach, describe, expect, it } from '@jest/globals';
import { Refusal } from '#libs/contracts';
import { account, APPROVAL, approvalView, SlackSpec } from './spec/world.ts';

const grace = { tenant: 'acme', id: 'grace', operator: false, auditor: false, via: 'slack' };
let w: SlackSpec;
beforeEach(() => {
  w = new SlackSpec();
  w.links.links.set('U0GRACE', 'grace');
});

describe('a press', () => {
  it('is a decision of the person, about the version that was shown', async () => {
    await w.press('approve');
    expect(w.decided).toEqual([{ person: grace, id: APPROVAL, verdict: { verdict: 'approve', version: 3 } }]);
    expect(w.whispers).toEqual([]);
  });

  it.each([
    ['made up', () => 'sealed?'.slice(0, 3)],
    ['of another tenant', () => w.handle('approve', null, { tenant: 'globex' })],
    ['of a form', () => w.handle('approve', 'U0GRACE')],
    ['too long', () => 'x'.repeat(3_000)],
  ])('with a handle that is %s is nothing', async (_, handle) => {
    await w.press('approve', 'U0GRACE', handle());
    expect(w.decided).toEqual([]);
    expect(w.told).toContain('approval_not_found');
  });

  it('of an account that is nobody gets a link and decides nothing', async () => {
    await w.press('approve', 'U0MALLORY');
    expect(w.decided).toEqual([]);
    expect(w.told).toContain(`https://h.test/slack/link/${'07'.repeat(32)}`);
    expect([...w.links.offers.values()]).toMatchObject([{ tenant: 'acme', team: 'T0HOLD', account: 'U0MALLORY', expiresAt: w.now + 600_000 }]);
  });

  it('of a person who is gone decides nothing', async () => {
    w.users = [];
    await w.press('approve');
    expect(w.decided).toEqual([]);
  });

  it('above the ceiling decides nothing, whatever the message showed', async () => {
    w.view = approvalView({ impactClass: 'external' });
    await w.press('approve');
    await w.press('deny');
    expect([w.decided, w.forms]).toEqual([[], []]);
    expect(w.told).toContain('only_in_console');
  });

  it('that does not count is told with its code, to that person', async () => {
    w.decide = () => Promise.reject(new Refusal('decision_stale'));
    await w.press('approve');
    expect(w.whispers).toMatchObject([{ user: 'U0GRACE' }]);
    expect(w.told).toContain('[decision_stale]');
  });

  it('asks for a reason where one is needed, and not of those who may not decide', async () => {
    await w.press('deny');
    w.view = approvalView({ approverReason: 'required' });
    await w.press('approve');
    expect(w.forms.map((form) => form['callback_id'])).toEqual(['deny', 'approve']);
    expect(w.decided).toEqual([]);
    w.rights = { ...w.rights, decide: false, whyNot: 'not_eligible' };
    await w.press('deny');
    expect(w.told).toContain('not_eligible');
    expect(w.forms).toHaveLength(2);
  });

  it('that Slack waited too long for is to be done again', async () => {
    w.inTime = false;
    await w.press('deny');
    expect(w.told).toContain('press the button again');
  });

  it('shows arguments for editing where the tenant wants it and they fit', async () => {
    await w.press('edit');
    expect(JSON.stringify(w.forms)).toContain('\\"amount\\": 900');
    w.args = { text: 'x'.repeat(3_000) };
    await w.press('edit');
    expect(w.told).toContain('channel_too_small');
    w.settings = { ...w.settings, showArguments: 'summary' };
    await w.press('edit');
    expect(w.told).toContain('only_in_console');
    expect(w.forms).toHaveLength(1);
  });

  it('is tried again when something is away', async () => {
    w.decide = () => Promise.reject(new Error('database'));
    await expect(w.press('approve')).rejects.toThrow('database');
  });
});

describe('a form', () => {
  const submit = (asks: 'approve' | 'deny' | 'edit', more: object = {}, user = 'U0GRACE', form: string | null = 'U0GRACE') =>
    w.desk.submit(w.workspace, { user, handle: w.handle(asks, form), reason: 'because', args: null, ...more });

  it('is a decision with a reason', async () => {
    expect(await submit('deny', { reason: '  not today\u0000 ' })).toEqual({});
    expect(w.decided).toEqual([{ person: grace, id: APPROVAL, verdict: { verdict: 'deny', version: 3, reason: 'not today' } }]);
  });

  it.each(['', '   ', '\n\t', '\u0000'])('without a reason is not: %j', async (reason) => {
    expect(await submit('deny', { reason })).toMatchObject({ response_action: 'errors', errors: { reason: expect.any(String) } });
    expect(await submit('edit', { reason, args: '{}' })).toMatchObject({ response_action: 'errors' });
    expect(w.decided).toEqual([]);
  });

  it('needs none for approving where the flow wants none', async () => {
    expect(await submit('approve', { reason: '' })).toEqual({});
    expect(w.decided[0]!.verdict).toEqual({ verdict: 'approve', version: 3 });
  });

  it('is for the account it was opened for', async () => {
    w.links.links.set('U0ALAN', 'alan');
    expect(await submit('deny', {}, 'U0ALAN')).toMatchObject({ response_action: 'update' });
    expect(await submit('deny', {}, 'U0GRACE', null)).toMatchObject({ response_action: 'update' });
    w.links.links.delete('U0GRACE');
    expect(JSON.stringify(await submit('deny'))).toContain('account_unlinked');
    expect(w.decided).toEqual([]);
  });

  it('with arguments approves these', async () => {
    expect(await submit('edit', { args: '{ "amount": 5 }' })).toEqual({});
    expect(w.decided[0]!.verdict).toEqual({ verdict: 'approve', version: 3, reason: 'because', editedArgs: { amount: 5 } });
  });

  it.each([null, '', 'null', '[]', '"x"', '{"a":1,"a":2}', '{"a":', `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`])('with something else than arguments says so: %j', async (args) => {
    expect(await submit('edit', { args })).toMatchObject({ response_action: 'errors', errors: { args: expect.any(String) } });
    expect(w.decided).toEqual([]);
  });

  it.each([
    ['reason_required', 'reason'],
    ['arguments_invalid', 'args'],
    ['edit_changes_nothing', 'args'],
  ] as const)('says %s where it is to be mended', async (code, field) => {
    w.decide = () => Promise.reject(new Refusal(code));
    expect(await submit('edit', { args: '{}' })).toMatchObject({ response_action: 'errors', errors: { [field]: expect.any(String) } });
  });

  it('says what cannot be mended in its place, and lets faults out', async () => {
    w.decide = () => Promise.reject(new Refusal('approval_expired'));
    expect(JSON.stringify(await submit('deny'))).toContain('[approval_expired]');
    w.decide = () => Promise.reject(new Error('database'));
    await expect(submit('deny')).rejects.toThrow('database');
  });

  it('edits nothing where arguments are not shown', async () => {
    w.settings = { ...w.settings, showArguments: 'summary' };
    expect(JSON.stringify(await submit('edit', { args: '{}' }))).toContain('only_in_console');
  });
});

describe('who an account is', () => {
  it('is nobody by its address, unless the tenant trusts addresses', async () => {
    w.accounts.set('U0ALAN', account('U0ALAN', { verifiedEmail: 'ALAN@acme.test' }));
    await w.press('approve', 'U0ALAN');
    expect(w.decided).toEqual([]);
    w.settings = { ...w.settings, trustVerifiedEmail: true };
    await w.press('approve', 'U0ALAN');
    expect(w.decided).toMatchObject([{ person: { id: 'alan', via: 'slack' } }]);
  });

  it.each([
    ['a guest', { fullMember: false, verifiedEmail: 'alan@acme.test' }],
    ['an address nobody verified', { verifiedEmail: null }],
    ['the address of a person who linked another account', { verifiedEmail: 'grace@acme.test' }],
    ['the address of nobody', { verifiedEmail: 'eve@acme.test' }],
  ])('is nobody with %s', async (_, more) => {
    w.settings = { ...w.settings, trustVerifiedEmail: true };
    w.accounts.set('U0EVE', account('U0EVE', more));
    await w.press('approve', 'U0EVE');
    expect(w.decided).toEqual([]);
  });

  it('is nobody when two people have the address', async () => {
    w.settings = { ...w.settings, trustVerifiedEmail: true };
    w.users = [{ id: 'alan', email: 'alan@acme.test' }, { id: 'allen', email: 'alan@acme.test' }];
    w.accounts.set('U0ALAN', account('U0ALAN', { verifiedEmail: 'alan@acme.test' }));
    await w.press('approve', 'U0ALAN');
    expect(w.decided).toEqual([]);
  });
});

describe('linking an account', () => {
  const offered = (): Promise<string> => w.linking.offer(w.workspace, 'U0NEW');
  const alan = { tenant: 'acme', id: 'alan', via: 'api' as const };

  it('makes it the person who signed in, once', async () => {
    const nonce = await offered();
    expect(await w.linking.look(alan, nonce)).toEqual({ team: 'T0HOLD', account: 'U0NEW', name: 'u0new', email: null });
    await w.linking.accept(alan, nonce);
    expect(w.links.links.get('U0NEW')).toBe('alan');
    await expect(w.linking.accept(alan, nonce)).rejects.toMatchObject({ code: 'link_over' });
  });

  it.each([
    ['somebody of another tenant', { tenant: 'globex' }, (): void => undefined, 'link_over'],
    ['somebody who is no user', { id: 'eve' }, (): void => undefined, 'account_not_accepted'],
    ['anybody after ten minutes', {}, (): void => void (w.now += 600_000), 'link_over'],
    ['anybody when it is a guest', {}, (): void => void w.accounts.set('U0NEW', account('U0NEW', { fullMember: false })), 'account_not_accepted'],
    ['anybody with another address', {}, (): void => void w.accounts.set('U0NEW', account('U0NEW', { verifiedEmail: 'mallory@acme.test' })), 'account_not_accepted'],
    ['anybody when Slack speaks of somebody else', {}, (): void => void w.accounts.set('U0NEW', account('U0OTHER')), 'account_not_accepted'],
  ])('does not make it %s', async (_, more, before, code) => {
    const nonce = await offered();
    before();
    await expect(w.linking.accept({ ...alan, ...more }, nonce)).rejects.toMatchObject({ code });
    expect(w.links.links.has('U0NEW')).toBe(false);
  });

  it.each(['', 'x', '07'.repeat(31), '07'.repeat(33), 'AB'.repeat(32)])('is nothing with %j', async (nonce) => {
    await expect(w.linking.look(alan, nonce)).rejects.toMatchObject({ code: 'link_over' });
  });
});
