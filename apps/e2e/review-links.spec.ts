import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { events, expectProven } from './harness/history.ts';
import { pagesWorld, type PagesWorld } from './harness/pages-world.ts';
import { until } from './harness/until.ts';

describe('links of mails, in a browser', () => {
  let w: PagesWorld;
  beforeAll(async () => {
    w = await pagesWorld();
  }, 120_000);
  afterAll(() => w.close());
  afterEach(() => w.tidy());

  it('a mail scanner that opens a link, runs it and presses everything changes nothing', async () => {
    const held = await w.hold({ marker: 'scanned' });
    const path = await w.links.make('acme', held.id, 0, 'grace');
    const before = await w.said(held.id);
    expect(before).toEqual(['approval.requested', 'approval.step_opened']);
    for (let i = 0; i < 3; i++) {
      expect((await fetch(w.url(path), { method: 'HEAD' })).status).toBe(200);
      const text = await (await fetch(w.url(path))).text();
      expect(text).not.toContain('write');
      expect(text).not.toContain(held.id);
    }
    const page = await w.open(path);
    const controls = await page.locator('button, input[type=submit], a, summary').count();
    for (let i = 0; i < controls; i++) {
      const scanner = await page.context().newPage();
      await scanner.goto(w.url(path));
      // What leads nowhere loads nothing.
      const loaded = scanner.waitForEvent('load', { timeout: 1_000 }).catch(() => undefined);
      await scanner.locator('button, input[type=submit], a, summary').nth(i).dispatchEvent('click');
      await loaded;
      await scanner.close();
    }
    for (const action of ['', '/arguments']) {
      await page.goto(w.url(path));
      await page.evaluate(`(() => { const form = document.createElement('form'); form.method = 'post'; form.action = '${path}${action}'; for (const [name, value] of [['form', 'x'], ['action', 'approve'], ['version', '${held.version}']]) { const input = document.createElement('input'); input.name = name; input.value = value; form.append(input); } document.body.append(form); form.submit(); })()`);
      await page.getByRole('heading', { name: 'That did not work' }).waitFor();
      await page.waitForLoadState();
    }
    await page.goto(w.url(path));
    const answered = page.waitForEvent('load');
    await page.evaluate('document.forms[0].submit()');
    await answered;
    // An unknown link looks the same to whoever is not signed in.
    expect((await fetch(w.url(`/review/${'A'.repeat(43)}`))).status).toBe(200);
    expect(await w.said(held.id)).toEqual(before);
    const { body } = await w.as('oscar').show(held.id);
    expect({ status: body.status, version: body.version, votes: body.votes }).toEqual({ status: 'held', version: held.version, votes: [] });
    expect((await w.links.find(path.slice('/review/'.length)))!.used).toBe(false);
  });

  it('a link is for its recipient, decides once, and is read only afterwards', async () => {
    const held = await w.hold({ marker: 'linked' });
    const path = await w.links.make('acme', held.id, 0, 'grace');
    const forwarded = await w.open(path);
    await w.signIn(forwarded, w.as('edsger').token);
    expect(await forwarded.getByRole('alert').textContent()).toContain('sent to somebody else');
    expect(await forwarded.locator('main').textContent()).not.toContain('write');
    const foreign = await w.open(path);
    await w.signIn(foreign, w.strangerToken);
    expect(await foreign.getByRole('alert').textContent()).toContain('not known here');
    const page = await w.open(path);
    await w.signIn(page, w.as('grace').token);
    expect(page.url()).toBe(w.url(path));
    await page.reload();
    expect(await page.getByText('break the glass').count()).toBe(0);
    await w.press(page, 'Approve');
    await page.getByText('You approved it.').waitFor();
    expect(await page.getByText('This link was used to decide.').count()).toBe(1);
    expect(await page.getByRole('button', { name: 'Approve', exact: true }).count()).toBe(0);
    expect((await w.as('oscar').show(held.id)).body.votes).toMatchObject([{ person: 'grace', verdict: 'approve' }]);
    await until('the vote is in the log', async () => (await w.said(held.id)).includes('approval.voted'));
    const voted = (await events(w.installation, w.auditorToken, { type: 'approval.voted' })).filter(({ links: { approval } }) => approval === held.id);
    expect(voted.map(({ actor }) => actor.via)).toEqual(['email']);
  });

  it('an old link leads to what became of the request, and decides nothing', async () => {
    const held = await w.hold({ marker: 'late' });
    const [first, second] = [await w.links.make('acme', held.id, 0, 'grace'), await w.links.make('acme', held.id, 1, 'edsger')];
    const early = await w.at(second, 'edsger');
    expect(await early.locator('main').textContent()).toContain('Nothing can be decided by this link');
    const page = await w.at(first, 'grace');
    await w.as('oscar').request('POST', `/approvals/${held.id}/cancel`, {});
    await w.press(page, 'Approve');
    expect(await page.getByRole('alert').textContent()).toContain('Nothing can be decided by this link');
    expect(await page.getByText('Cancelled; not executed').count()).toBe(1);
  });

  it('and all of it stands in a log that proves it', async () => {
    await expect(expectProven(w.installation)).resolves.toBeUndefined();
  });
});
