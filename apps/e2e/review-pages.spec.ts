import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { ApprovalView } from '#libs/approvals/core';
import { approvalWorld, type ApprovalWorld } from './harness/approval-world.ts';
import { barriers, launchBrowser, newWindow } from './harness/browser.ts';
import { events, expectProven } from './harness/history.ts';
import { newKey } from './harness/holdfast.ts';
import { reviewLinks } from './harness/review-links.ts';
import { until } from './harness/until.ts';

const stranger = newKey({ id: 'stranger', tenant: 'other', user: 'grace', client: 'console', roles: ['approver', 'operator'] });

/** What people see of one upstream tool that needs grace, then edsger. */
describe('the pages of people, in a browser', () => {
  let w: ApprovalWorld;
  let browser: Browser;
  let links: Awaited<ReturnType<typeof reviewLinks>>;
  const windows: BrowserContext[] = [];
  const pending: { readonly id: string; readonly calling: Promise<unknown> }[] = [];

  beforeAll(async () => {
    browser = await launchBrowser();
    w = await approvalWorld({
      config: (base) => {
        const identity = base['identity'] as { users: unknown[]; keys: unknown[] };
        const [all, writes] = base['policies'] as [unknown, object];
        return {
          ...base,
          tenants: [{ id: 'acme', name: 'Acme' }, { id: 'other', name: 'Other' }],
          identity: { users: [...identity.users, { id: 'grace', tenant: 'other', roles: ['approver'] }], keys: [...identity.keys, stranger.entry] },
          flows: [...(base['flows'] as unknown[]), { id: 'short', tenant: 'acme', expiresIn: '2s', steps: [{ name: 'only', approvers: { users: ['grace'] } }] }],
          policies: [all, { id: 'soon', tenant: 'acme', priority: 9, match: { tools: ['write'] }, when: 'args.marker == "soon"', effect: 'require_approval', flow: 'short', reason: 'Soon.' }, { ...writes, obligations: { redact: ['email', 'card', 'iban', 'secret'] } }],
        };
      },
    });
    await w.installation.start();
    links = await reviewLinks(w.installation);
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await links.close();
    await w.close();
  });
  afterEach(async () => {
    for (const window of windows.splice(0)) await window.close();
    for (const { id, calling } of pending.splice(0)) {
      await w.as('oscar').request('POST', `/approvals/${id}/cancel`, {});
      await calling;
    }
  });

  const hold = async (args: Readonly<Record<string, unknown>>): Promise<ApprovalView> => {
    const list = async (): Promise<readonly ApprovalView[]> => (await w.as('oscar').list('state=held')).body.items;
    const before = new Set((await list()).map(({ id }) => id));
    const calling = w.caller().call('wit__write', args, { 'dev.holdfast/reason': 'the quarter ends' });
    const held = await until('the call is held', async () => (await list()).find(({ id }) => !before.has(id)));
    pending.push({ id: held.id, calling });
    return held;
  };
  const url = (path: string): string => `${w.installation.url}${path}`;
  const open = async (path: string, options: Parameters<typeof newWindow>[1] = {}): Promise<Page> => {
    const window = await newWindow(browser, options);
    windows.push(window);
    const page = await window.newPage();
    await page.goto(url(path));
    return page;
  };
  /** Presses a button that sends a form, and waits for the page that answers. */
  const press = async (page: Page, name: string): Promise<void> => {
    const loaded = page.waitForEvent('load');
    await page.getByRole('button', { name, exact: true }).click();
    await loaded;
  };
  const signIn = async (page: Page, token: string): Promise<void> => {
    await page.getByLabel('Your API token').fill(token);
    await press(page, 'Sign in');
  };
  const at = async (path: string, user: string, options: Parameters<typeof newWindow>[1] = {}): Promise<Page> => {
    const page = await open('/console/sign-in', options);
    await signIn(page, w.as(user).token);
    if (path !== '/console') await page.goto(url(path));
    return page;
  };
  const status = async (id: string): Promise<string> => (await w.as('oscar').show(id)).body.status;

  /** Everything that the log says of an approval, once it has all there is. */
  const said = async (id: string): Promise<readonly string[]> => {
    await until('the log has everything', async () => ((await (await fetch(url('/readyz'))).json()) as { projector: { lag: number } }).projector.lag === 0);
    return (await events(w.installation, w.auditorToken)).filter(({ links: { approval } }) => approval === id).map(({ type }) => type);
  };

  it('signs in with a token, out again, and shows strangers and agents the door', async () => {
    const page = await open('/console');
    expect(page.url()).toBe(url('/console/sign-in'));
    await signIn(page, 'hf_nobody');
    expect(await page.getByRole('alert').textContent()).toContain('not one of ours');
    await signIn(page, w.agentToken);
    expect(await page.getByRole('alert').textContent()).toContain('for people');
    await signIn(page, w.as('grace').token);
    await page.getByRole('heading', { name: 'Waiting for you' }).waitFor();
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    expect(cookie!.value).not.toContain(w.as('grace').token.slice(3));
    await press(page, 'Sign out');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    // A copy of the cookie is worth nothing either.
    await page.context().addCookies([cookie!]);
    await page.goto(url('/console'));
    expect(page.url()).toBe(url('/console/sign-in'));
  });

  it('sends pages that nobody frames, keeps or loads anything into', async () => {
    const response = await fetch(url('/console/sign-in'));
    const policy = response.headers.get('content-security-policy')!;
    expect(policy).toContain(`default-src 'none'`);
    expect(policy).toContain(`frame-ancestors 'none'`);
    expect(policy).not.toContain('unsafe');
    expect(Object.fromEntries(['referrer-policy', 'cache-control', 'x-frame-options', 'x-content-type-options'].map((name) => [name, response.headers.get(name)]))).toEqual({
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
    });
    const review = await fetch(url(await links.links.make('acme', (await hold({ marker: 'headers' })).id, 0, 'grace')));
    expect([review.headers.get('referrer-policy'), review.headers.get('cache-control')]).toEqual(['no-referrer', 'no-store']);
  });

  it('shows what waits as it comes, and what exactly will run', async () => {
    const page = await at('/console', 'grace');
    await page.getByText('No call waits for your decision.').waitFor();
    const held = await hold({ marker: 'seen', note: 'pay <b>ada@acme.test</b> \u202e001', list: [1, 2] });
    await page.getByRole('link', { name: 'bot wants write on wit' }).click();
    await page.getByRole('heading', { name: 'bot wants write on wit' }).waitFor();
    const shown = await page.locator('main').textContent();
    expect(shown).toContain('Two people look at every write. (rule writes)');
    expect(shown).toContain('the quarter ends');
    expect(shown).toContain('first: 0 of 1 (step 1 of 2)');
    const args = (await page.locator('#arguments').textContent())!;
    expect(args).toContain('<b>[email hidden]</b>');
    expect(args).toContain('\\u202e001');
    expect(args).not.toContain('ada@acme.test');
    const before = (await events(w.installation, w.auditorToken, { type: 'approval.arguments_shown' })).length;
    expect(await page.getByText('Approve with other arguments').count()).toBe(0);
    await press(page, 'Show everything (this is recorded)');
    expect(JSON.parse((await page.locator('#arguments').textContent())!)).toEqual({ marker: 'seen', note: 'pay <b>ada@acme.test</b> \u202e001', list: [1, 2] });
    await until('it is in the log', async () => (await events(w.installation, w.auditorToken, { type: 'approval.arguments_shown' })).length > before);
    expect(await status(held.id)).toBe('held');
  });

  it('takes an approval by keyboard alone, and says so; the call is executed once', async () => {
    const held = await hold({ marker: 'keyboard' });
    const page = await at('/console', 'grace');
    const tabTo = async (name: string): Promise<void> => {
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press('Tab');
        if ((await page.evaluate<string>('document.activeElement.textContent.trim()')) === name) return;
      }
      throw new Error(`no way to "${name}" by keyboard`);
    };
    await tabTo('bot wants write on wit');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/console/approvals/${held.id}`);
    await tabTo('Approve');
    await page.keyboard.press('Enter');
    await page.getByText('You approved it.').waitFor();
    expect(await page.getByText('You have decided. It still waits for others.').count()).toBe(1);
    const second = await at(`/console/approvals/${held.id}`, 'edsger');
    await press(second, 'Approve');
    await second.getByText('You approved it.').waitFor();
    await until('it ran', () => w.upstream.executed.get('keyboard') === 1);
  });

  it('shows the difference to the last one that was executed', async () => {
    const held = await hold({ marker: 'keyboard-2', delayMs: 0 });
    const page = await at(`/console/approvals/${held.id}`, 'grace');
    const text = await page.locator('main').textContent();
    expect(text).toContain('changed /marker');
    expect(text).toContain('then: "keyboard"');
    expect(text).toContain('now: "keyboard-2"');
    expect(text).toContain('added /delayMs');
  });

  it('works without a script: other arguments, a refusal in words, a denial with its reason', async () => {
    const held = await hold({ marker: 'noscript' });
    const page = await at(`/console/approvals/${held.id}`, 'grace', { javaScriptEnabled: false });
    await page.getByText('Approve with other arguments').first().click();
    await page.getByLabel('Arguments (JSON)').fill('{"marker": 5}');
    await press(page, 'Approve these arguments');
    expect(await page.getByRole('alert').textContent()).toContain('do not fit');
    expect(await page.getByLabel('Arguments (JSON)').inputValue()).toBe('{"marker": 5}');
    await page.getByLabel('Arguments (JSON)').fill('{"marker": "a", "marker": "b"}');
    await press(page, 'Approve these arguments');
    expect(await page.getByRole('alert').textContent()).toContain('recorded exactly');
    await page.getByLabel('Arguments (JSON)').fill('{"marker": "edited"}');
    await press(page, 'Approve these arguments');
    await page.getByText('You approved it with other arguments.').waitFor();
    const second = await at(`/console/approvals/${held.id}`, 'edsger', { javaScriptEnabled: false });
    expect(await second.locator('main').textContent()).toContain(`grace put other arguments in place of the agent's`);
    await second.getByLabel('Reason (required)').fill('not this one either');
    await press(second, 'Deny');
    await second.getByText('You denied it.').waitFor();
    expect(await status(held.id)).toBe('denied');
    expect(w.upstream.executed.has('noscript') || w.upstream.executed.has('edited')).toBe(false);
  });

  it('lets who may break the glass, with a reason, and an operator cancel', async () => {
    const glass = await hold({ marker: 'glass' });
    const page = await at(`/console/approvals/${glass.id}`, 'oscar');
    await page.getByText('Emergency: break the glass').click();
    await page.getByLabel('Why it cannot wait (required)').fill('the house burns');
    await press(page, 'Break the glass and approve alone');
    await page.getByText('You broke the glass').waitFor();
    await until('it ran', () => w.upstream.executed.get('glass') === 1);
    const taken = await hold({ marker: 'taken' });
    await page.goto(url(`/console/approvals/${taken.id}`));
    await page.getByText('Take the call back').click();
    await press(page, 'Cancel the call');
    await page.getByText('The call was cancelled.').waitFor();
    expect(await status(taken.id)).toBe('cancelled');
  });

  it('says why it does nothing: not meant, never counted, seen too long ago, over', async () => {
    const held = await hold({ marker: 'words' });
    expect(await (await at(`/console/approvals/${held.id}`, 'ada')).locator('main').textContent()).toContain('you never decide about it');
    const barbara = await at(`/console/approvals/${held.id}`, 'barbara');
    expect(await barbara.locator('main').textContent()).toContain('You are not one of the people');
    const page = await at(`/console/approvals/${held.id}`, 'grace');
    await page.getByText('This request has changed').isHidden();
    const stale = await page.context().newPage();
    await stale.goto(url(`/console/approvals/${held.id}`));
    await w.as('alan').decide(held.id, 'approve', held.version, { editedArgs: { marker: 'changed' } });
    await page.getByText('This request has changed').waitFor();
    await press(stale, 'Approve');
    expect(await stale.getByRole('alert').textContent()).toMatch(/Not done: .*(changed since you saw it|not one of the people)/);
    await w.as('oscar').request('POST', `/approvals/${held.id}/cancel`, {});
    await press(page, 'Approve');
    expect(await page.getByRole('alert').textContent()).toContain('This call was cancelled.');
    expect(await page.getByText('Cancelled; not executed').count()).toBe(1);
  });

  it('silence denies: when the time is over nothing can be decided any more', async () => {
    const held = await hold({ marker: 'soon' });
    const path = await links.links.make('acme', held.id, 0, 'grace');
    const page = await at(`/console/approvals/${held.id}`, 'grace');
    const linked = await page.context().newPage();
    await linked.goto(url(path));
    await until('the time is over', () => Date.now() >= Date.parse(held.expiresAt));
    await press(page, 'Approve');
    expect(await page.getByRole('alert').textContent()).toContain('The time for this approval is over');
    expect(await page.getByText('Expired; not executed').count()).toBe(1);
    expect(await page.getByRole('button', { name: 'Approve', exact: true }).count()).toBe(0);
    await press(linked, 'Approve');
    expect(await linked.getByRole('alert').textContent()).toContain('Nothing can be decided by this link');
    expect((await w.as('grace').decide(held.id, 'approve', held.version)).body).toMatchObject({ status: 410, code: 'approval_expired' });
    expect(w.upstream.executed.has('soon')).toBe(false);
    // Its caller learns of it in a while, and nobody here waits for that.
    pending.splice(0).forEach(({ calling }) => void calling.catch(() => undefined));
  });

  it('refuses a forged form, another origin, and the approver of another tenant; nothing changes', async () => {
    const held = await hold({ marker: 'forged' });
    const page = await at(`/console/approvals/${held.id}`, 'grace');
    const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const form = (await page.locator('input[name=form]').first().getAttribute('value'))!;
    const post = async (path: string, headers: Readonly<Record<string, string>>, fields: Readonly<Record<string, string>>): Promise<{ status: number; text: string }> => {
      const response = await fetch(url(path), { method: 'POST', redirect: 'manual', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body: new URLSearchParams({ action: 'approve', version: String(held.version), form, ...fields }) });
      return { status: response.status, text: await response.text() };
    };
    const path = `/console/approvals/${held.id}`;
    const own = { origin: w.installation.url, 'sec-fetch-site': 'same-origin' };
    const attempts = {
      'no session': await post(path, own, {}),
      'a forged token': await post(path, { ...own, cookie }, { form: 'A'.repeat(43) }),
      'another origin': await post(path, { cookie, origin: 'https://evil.test' }, {}),
      'another site': await post(path, { cookie, origin: w.installation.url, 'sec-fetch-site': 'cross-site' }, {}),
      'no origin': await post(path, { cookie }, {}),
      'a frame': await post(path, { cookie, origin: 'null' }, {}),
      'a field too many': await post(path, { ...own, cookie }, { extra: '1' }),
      'the API': await fetch(url(`/api/v1/approvals/${held.id}/decisions`), { method: 'POST', headers: { ...own, cookie, 'content-type': 'application/json' }, body: JSON.stringify({ verdict: 'approve', version: held.version }) }).then(async (response) => ({ status: response.status, text: await response.text() })),
    };
    expect(Object.fromEntries(Object.entries(attempts).map(([name, { status: code }]) => [name, code]))).toEqual({ 'no session': 401, 'a forged token': 403, 'another origin': 403, 'another site': 403, 'no origin': 403, 'a frame': 403, 'a field too many': 400, 'the API': 403 });
    const other = await open('/console/sign-in');
    await signIn(other, stranger.token);
    await other.getByText('No call waits for your decision.').waitFor();
    const answer = await other.goto(url(path));
    expect(answer!.status()).toBe(404);
    expect(await other.locator('main').textContent()).toContain('There is no such approval.');
    expect(await status(held.id)).toBe('held');
    expect((await w.as('oscar').show(held.id)).body.votes).toEqual([]);
  });

  it('a mail scanner that opens a link, runs it and presses everything changes nothing', async () => {
    const held = await hold({ marker: 'scanned' });
    const path = await links.links.make('acme', held.id, 0, 'grace');
    const before = await said(held.id);
    expect(before).toEqual(['approval.requested', 'approval.step_opened']);
    for (let i = 0; i < 3; i++) {
      expect((await fetch(url(path), { method: 'HEAD' })).status).toBe(200);
      const text = await (await fetch(url(path))).text();
      expect(text).not.toContain('write');
      expect(text).not.toContain(held.id);
    }
    const page = await open(path);
    const controls = await page.locator('button, input[type=submit], a, summary').count();
    for (let i = 0; i < controls; i++) {
      const scanner = await page.context().newPage();
      await scanner.goto(url(path));
      // What leads nowhere loads nothing.
      const loaded = scanner.waitForEvent('load', { timeout: 1_000 }).catch(() => undefined);
      await scanner.locator('button, input[type=submit], a, summary').nth(i).dispatchEvent('click');
      await loaded;
      await scanner.close();
    }
    for (const action of ['', '/arguments']) {
      await page.goto(url(path));
      await page.evaluate(`(() => { const form = document.createElement('form'); form.method = 'post'; form.action = '${path}${action}'; for (const [name, value] of [['form', 'x'], ['action', 'approve'], ['version', '${held.version}']]) { const input = document.createElement('input'); input.name = name; input.value = value; form.append(input); } document.body.append(form); form.submit(); })()`);
      await page.getByRole('heading', { name: 'That did not work' }).waitFor();
      await page.waitForLoadState();
    }
    await page.goto(url(path));
    const answered = page.waitForEvent('load');
    await page.evaluate('document.forms[0].submit()');
    await answered;
    // An unknown link looks the same to whoever is not signed in.
    expect((await fetch(url(`/review/${'A'.repeat(43)}`))).status).toBe(200);
    expect(await said(held.id)).toEqual(before);
    const { body } = await w.as('oscar').show(held.id);
    expect({ status: body.status, version: body.version, votes: body.votes }).toEqual({ status: 'held', version: held.version, votes: [] });
    expect((await links.links.find(path.slice('/review/'.length)))!.used).toBe(false);
  });

  it('a link is for its recipient, decides once, and is read only afterwards', async () => {
    const held = await hold({ marker: 'linked' });
    const path = await links.links.make('acme', held.id, 0, 'grace');
    const forwarded = await open(path);
    await signIn(forwarded, w.as('edsger').token);
    expect(await forwarded.getByRole('alert').textContent()).toContain('sent to somebody else');
    expect(await forwarded.locator('main').textContent()).not.toContain('write');
    const foreign = await open(path);
    await signIn(foreign, stranger.token);
    expect(await foreign.getByRole('alert').textContent()).toContain('not known here');
    const page = await open(path);
    await signIn(page, w.as('grace').token);
    expect(page.url()).toBe(url(path));
    await page.reload();
    expect(await page.getByText('break the glass').count()).toBe(0);
    await press(page, 'Approve');
    await page.getByText('You approved it.').waitFor();
    expect(await page.getByText('This link was used to decide.').count()).toBe(1);
    expect(await page.getByRole('button', { name: 'Approve', exact: true }).count()).toBe(0);
    expect((await w.as('oscar').show(held.id)).body.votes).toMatchObject([{ person: 'grace', verdict: 'approve' }]);
    await until('the vote is in the log', async () => (await said(held.id)).includes('approval.voted'));
    const voted = (await events(w.installation, w.auditorToken, { type: 'approval.voted' })).filter(({ links: { approval } }) => approval === held.id);
    expect(voted.map(({ actor }) => actor.via)).toEqual(['email']);
  });

  it('an old link leads to what became of the request, and decides nothing', async () => {
    const held = await hold({ marker: 'late' });
    const [first, second] = [await links.links.make('acme', held.id, 0, 'grace'), await links.links.make('acme', held.id, 1, 'edsger')];
    const early = await at(second, 'edsger');
    expect(await early.locator('main').textContent()).toContain('Nothing can be decided by this link');
    const page = await at(first, 'grace');
    await w.as('oscar').request('POST', `/approvals/${held.id}/cancel`, {});
    await press(page, 'Approve');
    expect(await page.getByRole('alert').textContent()).toContain('Nothing can be decided by this link');
    expect(await page.getByText('Cancelled; not executed').count()).toBe(1);
  });

  it('can be used by everybody: no barriers in either colour scheme, on a desk or a phone', async () => {
    const found: Record<string, readonly string[]> = {};
    const anonymous = await open('/console/sign-in');
    found['sign in'] = await barriers(anonymous);
    await signIn(anonymous, 'hf_wrong');
    found['sign in, refused'] = await barriers(anonymous);
    const held = await hold({ marker: 'a very long one '.repeat(40), to: 'ada@acme.test', nested: { x: [1, { y: 'z'.repeat(400) }] } });
    const link = await links.links.make('acme', held.id, 0, 'grace');
    found['link'] = await barriers(await open(link));
    const page = await at('/console', 'grace');
    found['inbox'] = await barriers(page);
    for (const path of [`/console/approvals/${held.id}`, link, `/console/approvals/${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}`]) {
      await page.goto(url(path));
      found[path] = await barriers(page);
    }
    await page.goto(url(`/console/approvals/${held.id}`));
    await press(page, 'Show everything (this is recorded)');
    for (const summary of await page.locator('summary').all()) await summary.click();
    found['everything open'] = await barriers(page);
    const operator = await at(`/console/approvals/${held.id}`, 'oscar');
    for (const summary of await operator.locator('summary').all()) await summary.click();
    found['operator'] = await barriers(operator);
    await w.as('grace').decide(held.id, 'deny', held.version, { reason: 'no' });
    await page.goto(url(`/console/approvals/${held.id}`));
    found['decided'] = await barriers(page);
    expect(Object.fromEntries(Object.entries(found).filter(([, barrier]) => barrier.length > 0))).toEqual({});
  }, 120_000);

  it('and all of it stands in a log that proves it', async () => {
    await expect(expectProven(w.installation)).resolves.toBeUndefined();
  });
});
