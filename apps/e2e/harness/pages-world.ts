import type { BrowserContext, Page } from 'playwright-core';
import type { ApprovalView } from '#libs/approvals/core';
import { approvalWorld, type ApprovalWorld } from './approval-world.ts';
import { launchBrowser, newWindow } from './browser.ts';
import { events } from './history.ts';
import { newKey } from './holdfast.ts';
import { reviewLinks } from './review-links.ts';
import { until } from './until.ts';

type WindowOptions = Parameters<typeof newWindow>[1];

/** {@link approvalWorld} with a browser: policy hides values, a second tenant has a grace of its own, and `marker: soon` waits for two seconds only. */
export interface PagesWorld extends ApprovalWorld {
  readonly links: Awaited<ReturnType<typeof reviewLinks>>['links'];
  /** A person of the other tenant who has the name of somebody here. */
  readonly strangerToken: string;
  url(path: string): string;
  /** A call of the agent that waits for people. */
  hold(args: Readonly<Record<string, unknown>>): Promise<ApprovalView>;
  open(path: string, options?: WindowOptions): Promise<Page>;
  /** Presses a button that sends a form, and waits for the page that answers. */
  press(page: Page, name: string): Promise<void>;
  signIn(page: Page, token: string): Promise<void>;
  /** A page as somebody sees it. */
  at(path: string, user: string, options?: WindowOptions): Promise<Page>;
  status(id: string): Promise<string>;
  /** Everything that the log says of an approval, once it has all there is. */
  said(id: string): Promise<readonly string[]>;
  /** Closes windows, and cancels the calls that still wait. */
  tidy(): Promise<void>;
}

export async function pagesWorld(): Promise<PagesWorld> {
  const stranger = newKey({ id: 'stranger', tenant: 'other', user: 'grace', client: 'console', roles: ['approver', 'operator'] });
  const browser = await launchBrowser();
  const w = await approvalWorld({
    config: (base) => {
      const identity = base['identity'] as { users: unknown[]; keys: unknown[] };
      const [all, writes] = base['policies'] as [unknown, object];
      const soon = { id: 'soon', tenant: 'acme', priority: 9, match: { tools: ['write'] }, when: 'args.marker == "soon"', effect: 'require_approval', flow: 'short', reason: 'Soon.' };
      return {
        ...base,
        tenants: [{ id: 'acme', name: 'Acme' }, { id: 'other', name: 'Other' }],
        identity: { users: [...identity.users, { id: 'grace', tenant: 'other', roles: ['approver'] }], keys: [...identity.keys, stranger.entry] },
        flows: [...(base['flows'] as unknown[]), { id: 'short', tenant: 'acme', expiresIn: '2s', steps: [{ name: 'only', approvers: { users: ['grace'] } }] }],
        policies: [all, soon, { ...writes, obligations: { redact: ['email', 'card', 'iban', 'secret'] } }],
      };
    },
  });
  await w.installation.start();
  const links = await reviewLinks(w.installation);
  const windows: BrowserContext[] = [];
  const pending: { readonly id: string; readonly calling: Promise<unknown> }[] = [];
  const url = (path: string): string => `${w.installation.url}${path}`;
  const held = async (): Promise<readonly ApprovalView[]> => (await w.as('oscar').list('state=held')).body.items;
  const press = async (page: Page, name: string): Promise<void> => {
    const loaded = page.waitForEvent('load');
    await page.getByRole('button', { name, exact: true }).click();
    await loaded;
  };
  const open = async (path: string, options: WindowOptions = {}): Promise<Page> => {
    const window = await newWindow(browser, options);
    windows.push(window);
    const page = await window.newPage();
    await page.goto(url(path));
    return page;
  };
  const signIn = async (page: Page, token: string): Promise<void> => {
    await page.getByLabel('Your API token').fill(token);
    await press(page, 'Sign in');
  };
  return {
    ...w,
    links: links.links,
    strangerToken: stranger.token,
    url,
    open,
    press,
    signIn,
    hold: async (args) => {
      const before = new Set((await held()).map(({ id }) => id));
      const calling = w.caller().call('wit__write', args, { 'dev.holdfast/reason': 'the quarter ends' });
      const found = await until('the call is held', async () => (await held()).find(({ id }) => !before.has(id)));
      pending.push({ id: found.id, calling });
      return found;
    },
    at: async (path, user, options = {}) => {
      const page = await open('/console/sign-in', options);
      await signIn(page, w.as(user).token);
      if (path !== '/console') await page.goto(url(path));
      return page;
    },
    status: async (id) => (await w.as('oscar').show(id)).body.status,
    said: async (id) => {
      await until('the log has everything', async () => ((await (await fetch(url('/readyz'))).json()) as { projector: { lag: number } }).projector.lag === 0);
      return (await events(w.installation, w.auditorToken)).filter((event) => event.links.approval === id).map(({ type }) => type);
    },
    tidy: async () => {
      for (const window of windows.splice(0)) await window.close();
      for (const { id, calling } of pending.splice(0)) {
        await w.as('oscar').request('POST', `/approvals/${id}/cancel`, {});
        await calling;
      }
    },
    close: async () => {
      await browser.close();
      await links.close();
      await w.close();
    },
  };
}
