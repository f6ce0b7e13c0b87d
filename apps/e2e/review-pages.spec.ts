import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { barriers } from './harness/browser.ts';
import { events, expectProven } from './harness/history.ts';
import { pagesWorld, type PagesWorld } from './harness/pages-world.ts';
import { until } from './harness/until.ts';

/** What people see of one upstream tool that needs grace, then edsger. */
describe('the pages of people, in a browser', () => {
  let w: PagesWorld;
  beforeAll(async () => {
    w = await pagesWorld();
  }, 120_000);
  afterAll(() => w.close());
  afterEach(() => w.tidy());

  it('signs in with a token, out again, and shows strangers and agents the door', async () => {
    const page = await w.open('/console');
    expect(page.url()).toBe(w.url('/console/sign-in'));
    await w.signIn(page, 'hf_nobody');
    expect(await page.getByRole('alert').textContent()).toContain('not one of ours');
    await w.signIn(page, w.agentToken);
    expect(await page.getByRole('alert').textContent()).toContain('for people');
    await w.signIn(page, w.as('grace').token);
    await page.getByRole('heading', { name: 'Waiting for you' }).waitFor();
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    expect(cookie!.value).not.toContain(w.as('grace').token.slice(3));
    await w.press(page, 'Sign out');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    // A copy of the cookie is worth nothing either.
    await page.context().addCookies([cookie!]);
    await page.goto(w.url('/console'));
    expect(page.url()).toBe(w.url('/console/sign-in'));
  });

  it('sends pages that nobody frames, keeps or loads anything into', async () => {
    const response = await fetch(w.url('/console/sign-in'));
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
    const review = await fetch(w.url(await w.links.make('acme', (await w.hold({ marker: 'headers' })).id, 0, 'grace')));
    expect([review.headers.get('referrer-policy'), review.headers.get('cache-control')]).toEqual(['no-referrer', 'no-store']);
  });

  it('shows what waits as it comes, and what exactly will run', async () => {
    const page = await w.at('/console', 'grace');
    await page.getByText('No call waits for your decision.').waitFor();
    const held = await w.hold({ marker: 'seen', note: 'pay <b>ada@acme.test</b> \u202e001', list: [1, 2] });
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
    await w.press(page, 'Show everything (this is recorded)');
    expect(JSON.parse((await page.locator('#arguments').textContent())!)).toEqual({ marker: 'seen', note: 'pay <b>ada@acme.test</b> \u202e001', list: [1, 2] });
    await until('it is in the log', async () => (await events(w.installation, w.auditorToken, { type: 'approval.arguments_shown' })).length > before);
    expect(await w.status(held.id)).toBe('held');
  });

  it('takes an approval by keyboard alone, and says so; the call is executed once', async () => {
    const held = await w.hold({ marker: 'keyboard' });
    const page = await w.at('/console', 'grace');
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
    const second = await w.at(`/console/approvals/${held.id}`, 'edsger');
    await w.press(second, 'Approve');
    await second.getByText('You approved it.').waitFor();
    await until('it ran', () => w.upstream.executed.get('keyboard') === 1);
  });

  it('shows the difference to the last one that was executed', async () => {
    const held = await w.hold({ marker: 'keyboard-2', delayMs: 0 });
    const page = await w.at(`/console/approvals/${held.id}`, 'grace');
    const text = await page.locator('main').textContent();
    expect(text).toContain('changed /marker');
    expect(text).toContain('then: "keyboard"');
    expect(text).toContain('now: "keyboard-2"');
    expect(text).toContain('added /delayMs');
  });

  it('works without a script: other arguments, a refusal in words, a denial with its reason', async () => {
    const held = await w.hold({ marker: 'noscript' });
    const page = await w.at(`/console/approvals/${held.id}`, 'grace', { javaScriptEnabled: false });
    await page.getByText('Approve with other arguments').first().click();
    await page.getByLabel('Arguments (JSON)').fill('{"marker": 5}');
    await w.press(page, 'Approve these arguments');
    expect(await page.getByRole('alert').textContent()).toContain('do not fit');
    expect(await page.getByLabel('Arguments (JSON)').inputValue()).toBe('{"marker": 5}');
    await page.getByLabel('Arguments (JSON)').fill('{"marker": "a", "marker": "b"}');
    await w.press(page, 'Approve these arguments');
    expect(await page.getByRole('alert').textContent()).toContain('recorded exactly');
    await page.getByLabel('Arguments (JSON)').fill('{"marker": "edited"}');
    await w.press(page, 'Approve these arguments');
    await page.getByText('You approved it with other arguments.').waitFor();
    const second = await w.at(`/console/approvals/${held.id}`, 'edsger', { javaScriptEnabled: false });
    expect(await second.locator('main').textContent()).toContain(`grace put other arguments in place of the agent's`);
    await second.getByLabel('Reason (required)').fill('not this one either');
    await w.press(second, 'Deny');
    await second.getByText('You denied it.').waitFor();
    expect(await w.status(held.id)).toBe('denied');
    expect(w.upstream.executed.has('noscript') || w.upstream.executed.has('edited')).toBe(false);
  });

  it('lets who may break the glass, with a reason, and an operator cancel', async () => {
    const glass = await w.hold({ marker: 'glass' });
    const page = await w.at(`/console/approvals/${glass.id}`, 'oscar');
    await page.getByText('Emergency: break the glass').click();
    await page.getByLabel('Why it cannot wait (required)').fill('the house burns');
    await w.press(page, 'Break the glass and approve alone');
    await page.getByText('You broke the glass').waitFor();
    await until('it ran', () => w.upstream.executed.get('glass') === 1);
    const taken = await w.hold({ marker: 'taken' });
    await page.goto(w.url(`/console/approvals/${taken.id}`));
    await page.getByText('Take the call back').click();
    await w.press(page, 'Cancel the call');
    await page.getByText('The call was cancelled.').waitFor();
    expect(await w.status(taken.id)).toBe('cancelled');
  });

  it('says why it does nothing: not meant, never counted, seen too long ago, over', async () => {
    const held = await w.hold({ marker: 'words' });
    expect(await (await w.at(`/console/approvals/${held.id}`, 'ada')).locator('main').textContent()).toContain('you never decide about it');
    const barbara = await w.at(`/console/approvals/${held.id}`, 'barbara');
    expect(await barbara.locator('main').textContent()).toContain('You are not one of the people');
    const page = await w.at(`/console/approvals/${held.id}`, 'grace');
    await page.getByText('This request has changed').isHidden();
    const stale = await page.context().newPage();
    await stale.goto(w.url(`/console/approvals/${held.id}`));
    await w.as('alan').decide(held.id, 'approve', held.version, { editedArgs: { marker: 'changed' } });
    await page.getByText('This request has changed').waitFor();
    await w.press(stale, 'Approve');
    expect(await stale.getByRole('alert').textContent()).toMatch(/Not done: .*(changed since you saw it|not one of the people)/);
    await w.as('oscar').request('POST', `/approvals/${held.id}/cancel`, {});
    await w.press(page, 'Approve');
    expect(await page.getByRole('alert').textContent()).toContain('This call was cancelled.');
    expect(await page.getByText('Cancelled; not executed').count()).toBe(1);
  });

  it('silence denies: when the time is over nothing can be decided any more', async () => {
    const held = await w.hold({ marker: 'soon' });
    const path = await w.links.make('acme', held.id, 0, 'grace');
    const page = await w.at(`/console/approvals/${held.id}`, 'grace');
    const linked = await page.context().newPage();
    await linked.goto(w.url(path));
    await until('the time is over', () => Date.now() >= Date.parse(held.expiresAt));
    await w.press(page, 'Approve');
    expect(await page.getByRole('alert').textContent()).toContain('The time for this approval is over');
    expect(await page.getByText('Expired; not executed').count()).toBe(1);
    expect(await page.getByRole('button', { name: 'Approve', exact: true }).count()).toBe(0);
    await w.press(linked, 'Approve');
    expect(await linked.getByRole('alert').textContent()).toContain('Nothing can be decided by this link');
    expect((await w.as('grace').decide(held.id, 'approve', held.version)).body).toMatchObject({ status: 410, code: 'approval_expired' });
    expect(w.upstream.executed.has('soon')).toBe(false);
  });

  it('refuses a forged form, another origin, and the approver of another tenant; nothing changes', async () => {
    const held = await w.hold({ marker: 'forged' });
    const page = await w.at(`/console/approvals/${held.id}`, 'grace');
    const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const form = (await page.locator('input[name=form]').first().getAttribute('value'))!;
    const post = async (path: string, headers: Readonly<Record<string, string>>, fields: Readonly<Record<string, string>>): Promise<{ status: number; text: string }> => {
      const response = await fetch(w.url(path), { method: 'POST', redirect: 'manual', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body: new URLSearchParams({ action: 'approve', version: String(held.version), form, ...fields }) });
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
      'the API': await fetch(w.url(`/api/v1/approvals/${held.id}/decisions`), { method: 'POST', headers: { ...own, cookie, 'content-type': 'application/json' }, body: JSON.stringify({ verdict: 'approve', version: held.version }) }).then(async (response) => ({ status: response.status, text: await response.text() })),
    };
    expect(Object.fromEntries(Object.entries(attempts).map(([name, { status: code }]) => [name, code]))).toEqual({ 'no session': 401, 'a forged token': 403, 'another origin': 403, 'another site': 403, 'no origin': 403, 'a frame': 403, 'a field too many': 400, 'the API': 403 });
    const other = await w.open('/console/sign-in');
    await w.signIn(other, w.strangerToken);
    await other.getByText('No call waits for your decision.').waitFor();
    const answer = await other.goto(w.url(path));
    expect(answer!.status()).toBe(404);
    expect(await other.locator('main').textContent()).toContain('There is no such approval.');
    expect(await w.status(held.id)).toBe('held');
    expect((await w.as('oscar').show(held.id)).body.votes).toEqual([]);
  });

  it('can be used by everybody: no barriers in either colour scheme, on a desk or a phone', async () => {
    const found: Record<string, readonly string[]> = {};
    const anonymous = await w.open('/console/sign-in');
    found['sign in'] = await barriers(anonymous);
    await w.signIn(anonymous, 'hf_wrong');
    found['sign in, refused'] = await barriers(anonymous);
    const held = await w.hold({ marker: 'a very long one '.repeat(40), to: 'ada@acme.test', nested: { x: [1, { y: 'z'.repeat(400) }] } });
    const link = await w.links.make('acme', held.id, 0, 'grace');
    found['link'] = await barriers(await w.open(link));
    const page = await w.at('/console', 'grace');
    found['inbox'] = await barriers(page);
    for (const path of [`/console/approvals/${held.id}`, link, `/console/approvals/${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}`]) {
      await page.goto(w.url(path));
      found[path] = await barriers(page);
    }
    await page.goto(w.url(`/console/approvals/${held.id}`));
    await w.press(page, 'Show everything (this is recorded)');
    for (const summary of await page.locator('summary').all()) await summary.click();
    found['everything open'] = await barriers(page);
    const operator = await w.at(`/console/approvals/${held.id}`, 'oscar');
    for (const summary of await operator.locator('summary').all()) await summary.click();
    found['operator'] = await barriers(operator);
    await w.as('grace').decide(held.id, 'deny', held.version, { reason: 'no' });
    await page.goto(w.url(`/console/approvals/${held.id}`));
    found['decided'] = await barriers(page);
    expect(Object.fromEntries(Object.entries(found).filter(([, barrier]) => barrier.length > 0))).toEqual({});
  }, 120_000);

  it('and all of it stands in a log that proves it', async () => {
    await expect(expectProven(w.installation)).resolves.toBeUndefined();
  });
});
