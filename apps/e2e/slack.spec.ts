import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { events, expectProven, settled } from './harness/history.ts';
import { buttons, offerOf, slackWorld, type SlackWorld, words } from './harness/slack-world.ts';
import { until } from './harness/until.ts';

describe('approvals in Slack', () => {
  let w: SlackWorld;
  let url: string;
  beforeAll(async () => {
    w = await slackWorld({ settings: { showArguments: 'full' } });
    await w.installation.start();
    url = w.installation.url;
  });
  afterAll(() => w.close());

  const whisperTo = (user: string, text: string): Promise<unknown> => until(`${user} hears: ${text}`, () => w.slack.whispers.find((whisper) => whisper.user === w.accounts[user] && JSON.stringify(whisper).includes(text)));

  it('shows what is asked, and nothing happens before an account is linked', async () => {
    const { answer, view, message } = await w.held({ marker: 'unlinked' });
    expect(words(message)).toContain('Approval needed: write');
    expect(words(message)).toContain('Two people look at every write.');
    expect(Object.keys(buttons(message))).toEqual(['approve', 'deny', 'edit']);
    expect(words(message)).toContain('marker: unlinked');
    expect((await w.slack.press(url, w.accounts['grace']!, buttons(message)['approve']!)).status).toBe(200);
    await whisperTo('grace', 'is not linked');
    expect((await w.as('grace').show(view.id)).body).toMatchObject({ status: 'held', votes: [] });
    expect((await w.as('grace').decide(view.id, 'deny', view.version, { reason: 'enough' })).status).toBe(200);
    await answer;
  });

  it('links an account once, to who is signed in, and only when it is theirs', async () => {
    const grace = w.accounts['grace']!;
    const nonce = await offerOf(w.slack, url, grace);
    const page = await fetch(`${url}/slack/link/${nonce}`);
    expect([page.status, page.headers.get('cache-control'), page.headers.get('referrer-policy')]).toEqual([200, 'no-store', 'no-referrer']);
    expect(await page.text()).toContain('nothing is linked by opening this page');
    expect((await fetch(`${url}/slack/link/${nonce}`, { method: 'HEAD' })).status).toBe(200);
    expect((await w.as('grace').request('GET', `/slack/links/${nonce}`)).body).toEqual({ team: w.slack.teamId, account: grace, name: 'u0grace', email: 'grace@acme.test' });
    // Somebody else was sent grace's link, and does not become her.
    expect((await w.as('edsger').request('POST', '/slack/links', { nonce })).body).toMatchObject({ code: 'account_not_accepted' });
    expect((await fetch(`${url}/api/v1/slack/links`, { method: 'POST', headers: { authorization: `Bearer ${w.agentToken}`, 'content-type': 'application/json' }, body: JSON.stringify({ nonce }) })).status).toBe(403);
    expect((await fetch(`${url}/api/v1/slack/links`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ nonce }) })).status).toBe(401);
    const both = await Promise.all([1, 2].map(() => w.as('grace').request<{ readonly person?: string; readonly code?: string }>('POST', '/slack/links', { nonce })));
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 410]);
    expect((await w.as('grace').request('POST', '/slack/links', { nonce })).body).toMatchObject({ code: 'link_over' });
    expect((await w.as('grace').request('POST', '/slack/links', { nonce: 'x' })).body).toMatchObject({ code: 'link_over' });
    expect((await fetch(`${url}/slack/link/x`)).status).toBe(410);
  });

  it('links an account on the page, with the form of the person who signed in there', async () => {
    const path = `/slack/link/${await offerOf(w.slack, url, w.accounts['edsger']!)}`;
    const form = (body: Readonly<Record<string, string>>, cookie = '', to = path) => fetch(`${url}${to}`, { method: 'POST', redirect: 'manual', headers: { cookie, origin: url, 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(body) });
    const entered = await form({ token: w.as('edsger').token, next: path }, '', '/console/sign-in');
    expect([entered.status, entered.headers.get('location')]).toEqual([303, path]);
    const cookie = entered.headers.get('set-cookie')!.split(';')[0]!;
    const page = await (await fetch(`${url}${path}`, { headers: { cookie } })).text();
    expect(page).toContain('edsger@acme.test');
    const [, token] = /action="\/slack\/link\/[0-9a-f]{64}"><input type="hidden" name="form" value="([^"]+)"/.exec(page) ?? [];
    expect((await form({ form: 'forged' }, cookie)).status).toBe(403);
    expect((await form({ form: token! })).status).toBe(401);
    expect((await fetch(`${url}${path}`, { method: 'POST', headers: { cookie, origin: 'https://evil.test', 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ form: token! }) })).status).toBe(403);
    expect(await (await form({ form: token! }, cookie)).text()).toContain('is edsger now');
    expect((await form({ form: token! }, cookie)).status).toBe(410);
  });

  it('approves, and the call is executed; the message says who, and what became of it', async () => {
    const { answer, view, message } = await w.held({ marker: 'slack' });
    expect((await w.slack.press(url, w.accounts['grace']!, buttons(message)['approve']!)).status).toBe(200);
    const second = await until('the second step is told', () => {
      const latest = w.message(view.id);
      return latest !== undefined && latest.ts !== message.ts && buttons(latest)['approve'] !== undefined ? latest : undefined;
    });
    const first = await until('the first message has no buttons', () => {
      const now = w.slack.messages.get(`${message.channel}:${message.ts}`)!;
      return Object.keys(buttons(now)).length === 0 ? now : undefined;
    });
    expect(words(first)).toMatch(/grace approved · first/);
    expect(w.upstream.executed.has('slack')).toBe(false);
    await w.slack.press(url, w.accounts['edsger']!, buttons(second)['approve']!);
    const { body } = await answer;
    expect(body.result).toMatchObject({ content: [{ text: 'done slack' }], _meta: { 'dev.holdfast/call': { disposition: 'approved-executed' } } });
    expect(w.upstream.executed.get('slack')).toBe(1);
    for (const { channel, ts } of [message, second]) {
      const now = await until('the outcome is told', () => {
        const shown = w.slack.messages.get(`${channel}:${ts}`)!;
        return words(shown).includes('Approved and executed') ? shown : undefined;
      });
      expect(buttons(now)).toEqual({});
      expect(words(now)).toMatch(/grace approved.*edsger approved/);
    }
  });

  it('denies with a reason that must be given', async () => {
    const { answer, view, message } = await w.held({ marker: 'denied' });
    await w.slack.press(url, w.accounts['grace']!, buttons(message)['deny']!);
    const { view: form } = await until('a form is open', () => w.slack.views.at(-1));
    expect(form).toMatchObject({ type: 'modal', callback_id: 'deny' });
    expect(JSON.parse((await w.slack.submit(url, w.accounts['grace']!, form, { reason: '  ' })).body)).toMatchObject({ response_action: 'errors', errors: { reason: 'A reason is required.' } });
    // The form of one account is nothing in the hands of another.
    expect((await w.slack.submit(url, w.accounts['edsger']!, form, { reason: 'mine' })).body).toContain('approval_not_found');
    expect((await w.as('oscar').show(view.id)).body.status).toBe('held');
    const done = await w.slack.submit(url, w.accounts['grace']!, form, { reason: 'not today' });
    expect([done.status, done.body]).toEqual([200, '{}']);
    // Slack sends it again because it heard no answer.
    expect((await w.slack.submit(url, w.accounts['grace']!, form, { reason: 'not today' })).body).toBe('{}');
    expect((await answer).body.result?.content?.[0]?.text).toMatch(/^NOT EXECUTED: This call was denied/);
    await until('the message says so', () => words(w.slack.messages.get(`${message.channel}:${message.ts}`)!).includes('Denied, not executed'));
  });

  it('approves with other arguments, and a press on what was shown before is stale', async () => {
    const { answer, view, message } = await w.held({ marker: 'before' });
    await w.slack.press(url, w.accounts['grace']!, buttons(message)['edit']!);
    const { view: form } = await until('a form is open', () => (w.slack.views.at(-1)?.view['callback_id'] === 'edit' ? w.slack.views.at(-1) : undefined));
    expect(JSON.stringify(form)).toContain('before');
    const grace = w.accounts['grace']!;
    expect((await w.slack.submit(url, grace, form, { args: '{"marker":', reason: 'typo' })).body).toContain('write one JSON object');
    expect((await w.slack.submit(url, grace, form, { args: '{"marker":"a","marker":"b"}', reason: 'twice' })).body).toContain('write one JSON object');
    expect((await w.slack.submit(url, grace, form, { args: '{"marker":"after"}', reason: 'better so' })).body).toBe('{}');
    const told = await until('the second step is told', () => {
      const latest = w.message(view.id);
      return latest && words(latest).includes('grace changed the arguments') && buttons(latest)['approve'] !== undefined ? latest : undefined;
    });
    const stale = w.slack.whispers.length;
    await w.slack.press(url, w.accounts['edsger']!, buttons(message)['approve']!);
    await until('edsger hears that it is stale', () => w.slack.whispers.slice(stale).some((whisper) => JSON.stringify(whisper).includes('decision_stale')));
    await w.slack.press(url, w.accounts['edsger']!, buttons(told)['approve']!);
    expect((await answer).body.result?.content?.map(({ text }) => text)).toEqual(['done after', expect.stringContaining('people approved this call with other arguments')]);
    expect(w.upstream.executed.has('before')).toBe(false);
  });

  it('refuses what is forged, old, of the future, changed, replayed, or of another app, and nothing of it counts', async () => {
    const { answer, view, message } = await w.held({ marker: 'attacked' });
    const [grace, handle] = [w.accounts['grace']!, buttons(message)['approve']!];
    const attacks = [{ secret: 'f'.repeat(32) }, { ageS: 301 }, { ageS: -302 }, { team: 'T0ELSEWHERE' }, { app: 'A0ELSEWHERE' }, { tamper: (body: string) => body.replace('U0GRACE', 'U0ALAN0') }, { tamper: () => '' }];
    for (const attack of attacks) expect([attack, (await w.slack.press(url, grace, handle, attack)).status]).toEqual([attack, 401]);
    expect((await fetch(`${url}/slack/interactions`, { method: 'POST', body: 'payload={}' })).status).toBe(401);
    expect((await w.slack.press(url, grace, `${handle.slice(0, -2)}AA`)).status).toBe(200);
    await whisperTo('grace', 'approval_not_found');
    expect((await w.as('grace').show(view.id)).body.votes).toEqual([]);
    const honest = await w.slack.press(url, grace, handle);
    expect(honest.status).toBe(200);
    expect((await w.slack.again(honest)).status).toBe(401);
    await until('it counted', async () => (await w.as('grace').show(view.id)).body.votes.length === 1);
    // The same press in new envelopes, at once: one decision.
    const quiet = w.slack.whispers.length;
    await Promise.all([1, 2, 3, 4].map(() => w.slack.press(url, grace, handle)));
    const { version } = (await w.as('edsger').show(view.id)).body;
    expect((await w.as('edsger').decide(view.id, 'deny', version, { reason: 'done' })).body).toMatchObject({ status: 'denied' });
    await answer;
    expect((await w.as('grace').show(view.id)).body.votes).toMatchObject([{ person: 'grace' }, { person: 'edsger' }]);
    expect(w.slack.whispers.slice(quiet)).toEqual([]);
    await until('a decision made elsewhere is told', () => words(w.slack.messages.get(`${message.channel}:${message.ts}`)!).includes('edsger denied'));
    expect(buttons(w.slack.messages.get(`${message.channel}:${message.ts}`)!)).toEqual({});
  });

  it('lists what waits for the person who asks', async () => {
    const { answer, view } = await w.held({ marker: 'listed' });
    expect((await w.slack.command(url, w.accounts['grace']!, 'approvals')).body).toContain(`/approvals/${view.id}`);
    expect((await w.slack.command(url, w.accounts['edsger']!, 'approvals')).body).toContain('Nothing waits for you.');
    expect((await w.slack.command(url, w.accounts['grace']!, 'help me')).body).toContain('/holdfast approvals');
    await w.as('grace').decide(view.id, 'deny', view.version, { reason: 'listed' });
    await answer;
  });

  it('goes on without Slack: rate limits are waited for, and with the app revoked people decide elsewhere', async () => {
    w.slack.rateLimit('chat.postMessage', 1);
    const limited = await w.held({ marker: 'limited' });
    await w.as('grace').decide(limited.view.id, 'deny', limited.view.version, { reason: 'limited' });
    await limited.answer;
    w.slack.revoked = true;
    const calling = w.caller().call('wit__write', { marker: 'revoked' });
    const [held] = await w.waiting(1);
    await until('Slack was asked', () => w.slack.refusals.some((refusal) => refusal === 'chat.postMessage: token_revoked'));
    await w.approve(held!.id);
    // On a slow machine this took longer than one leg; then the repeated call collects it.
    await calling;
    expect((await w.caller().call('wit__write', { marker: 'revoked' })).body.result).toMatchObject({ content: [{ text: 'done revoked' }] });
    w.slack.revoked = false;
  });

  it('sent Slack nothing that Slack would refuse', () => {
    expect(w.slack.refusals.filter((refusal) => refusal.includes('invalid_blocks'))).toEqual([]);
  });

  it('leaves a log that proves all of it', async () => {
    const calls = [...(await settled(w.installation, w.auditorToken)).values()];
    const votes = calls.flatMap(({ events }) => events.filter(({ type }) => type === 'approval.voted')).map(({ actor }) => `${actor.user} ${actor.via}`);
    const failed = (await events(w.installation, w.auditorToken, { type: 'notification.failed' })).map(({ data }) => data);
    expect(failed).toContainEqual(expect.objectContaining({ channel: 'slack:#approvals', problem: 'slack: token_revoked' }));
    expect(new Set(votes)).toEqual(new Set(['grace slack', 'edsger slack', 'grace api', 'edsger api']));
    await expectProven(w.installation);
    const { code, stderr } = await w.installation.stop();
    expect(code).toBe(0);
    expect(stderr).toMatch(/"problem":"token_revoked".*a Slack channel is broken/);
    for (const secret of [w.slack.botToken, w.slack.signingSecret]) expect(stderr).not.toContain(secret);
  });
});

describe('approvals in Slack over a socket, by verified addresses', () => {
  let w: SlackWorld;
  beforeAll(async () => {
    w = await slackWorld({
      socket: true,
      settings: { trustVerifiedEmail: true, riskCeiling: 'write', showArguments: 'none' },
      flow: {
        steps: [
          { name: 'first', approvers: { users: ['grace', 'alan'] }, escalateAfter: '1s', escalateTo: { users: ['barbara'] } },
          { name: 'second', approvers: { users: ['edsger'] } },
        ],
      },
      config: (base) => {
        const [server] = base['servers'] as [Record<string, unknown>];
        const writes = { id: 'writes', tenant: 'acme', effect: 'require_approval', match: { tools: ['write', 'read'] }, flow: 'two' };
        return { ...base, servers: [{ ...server, tools: { read: { class: 'external' }, write: { class: 'write' } } }], policies: [writes] };
      },
    });
    await w.installation.start();
    await until('the socket is open', () => w.slack.sockets.open === 1);
  });
  afterAll(() => w.close());

  it('approves, and the call is executed', async () => {
    const { answer, view, message } = await w.held({ marker: 'socket' });
    expect(await w.slack.sockets.tell('interactive', w.slack.pressPayload(w.accounts['grace']!, buttons(message)['approve']!))).toEqual({});
    const second = await until('the second step is told', () => {
      const latest = w.message(view.id);
      return latest && latest.ts !== message.ts && buttons(latest)['approve'] !== undefined ? latest : undefined;
    });
    await w.slack.sockets.tell('interactive', w.slack.pressPayload(w.accounts['edsger']!, buttons(second)['approve']!));
    expect((await answer).body.result).toMatchObject({ content: [{ text: 'done socket' }] });
    expect(w.upstream.executed.get('socket')).toBe(1);
  });

  it.each([
    ['a guest', { is_restricted: true }],
    ['a guest of one room', { is_ultra_restricted: true }],
    ['an app', { is_bot: true }],
    ['somebody who left', { deleted: true }],
    ['somebody of another company', { is_stranger: true }],
    ['somebody of another workspace', { team_id: 'T0ELSEWHERE' }],
    ['an address that nobody verified', { is_email_confirmed: false }],
  ])('does not take %s for the person with the same address', async (_, flags) => {
    w.slack.addUser('U0MALLORY', { email: 'grace@acme.test', ...flags });
    const answer = await w.slack.sockets.tell('slash_commands', w.slack.commandFields('U0MALLORY', 'approvals'));
    expect(JSON.stringify(answer)).toContain('is not linked');
  });

  it('shows calls above the ceiling, and has them decided elsewhere', async () => {
    const calling = w.caller().call('wit__read', { marker: 'risky' });
    const [held] = await w.waiting(1);
    const message = await until('it is told', () => w.message(held!.id));
    expect(buttons(message)).toEqual({});
    expect(words(message)).toContain('decided in the console');
    await w.approve(held!.id);
    expect((await calling).body.result?.isError ?? false).toBe(false);
  });

  it('asks further people in a direct message when nobody decides, and keeps it up to date', async () => {
    await w.link('barbara');
    const { answer, view } = await w.held({ marker: 'escalated' });
    const message = await until('barbara is asked', () => w.slack.direct(w.accounts['barbara']!).find(({ state }) => JSON.stringify(state).includes(view.id)));
    const now = () => w.slack.messages.get(`${message.channel}:${message.ts}`)!;
    expect(words(message)).toContain('nobody decided in time');
    await w.slack.sockets.tell('interactive', w.slack.pressPayload(w.accounts['barbara']!, buttons(message)['approve']!));
    await until('it counted', async () => (await w.as('edsger').show(view.id)).body.step === 1);
    const { version } = (await w.as('edsger').show(view.id)).body;
    await w.as('edsger').decide(view.id, 'approve', version);
    expect((await answer).body.result).toMatchObject({ content: [{ text: 'done escalated' }] });
    await until('barbara reads what became of it', () => words(now()).includes('Approved and executed'));
    expect(buttons(now())).toEqual({});
  });

  it('answers nothing that is of another app or workspace', async () => {
    const { answer, view, message } = await w.held({ marker: 'strange' });
    for (const other of [{ team: 'T0ELSEWHERE' }, { app: 'A0ELSEWHERE' }]) {
      expect(await w.slack.sockets.tell('interactive', w.slack.pressPayload(w.accounts['grace']!, buttons(message)['approve']!, 'approve', other))).toBeNull();
    }
    expect((await w.as('grace').show(view.id)).body.votes).toEqual([]);
    await w.as('grace').decide(view.id, 'deny', view.version, { reason: 'strange' });
    await answer;
  });

  it('is connected again when Slack moves it, and when the connection breaks', async () => {
    for (const [times, interrupt] of [[2, () => w.slack.sockets.refresh()], [3, () => w.slack.sockets.dropAll()]] as const) {
      interrupt();
      await until('a new socket is open', () => w.slack.sockets.opened === times && w.slack.sockets.open === 1);
    }
    w.slack.fail('apps.connections.open', 'internal_error', 2);
    w.slack.sockets.dropAll();
    await until('it is open again', () => w.slack.sockets.opened === 4 && w.slack.sockets.open === 1);
    expect(JSON.stringify(await w.slack.sockets.tell('slash_commands', w.slack.commandFields(w.accounts['grace']!, 'approvals')))).toContain('Nothing waits for you.');
  });

  it('leaves a log that proves all of it', async () => {
    expect((await settled(w.installation, w.auditorToken)).size).toBeGreaterThan(2);
    await expectProven(w.installation);
  });
});
