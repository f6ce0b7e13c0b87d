import { expect } from '@jest/globals';
import type { ApprovalView } from '#libs/approvals/core';
import { type FakeMessage, FakeSlack } from '#libs/testing';
import { approvalWorld, type ApprovalWorld } from './approval-world.ts';
import { until } from './until.ts';

type Json = Readonly<Record<string, unknown>>;

export interface SlackWorld extends ApprovalWorld {
  readonly slack: FakeSlack;
  /** The Slack account of a person; of nobody before it is linked. */
  readonly accounts: Readonly<Record<string, string>>;
  /** Links an account by the page that Slack's whisper names, signed in as that person. */
  link(user: string): Promise<void>;
  /** Calls, and waits until it is held and told in the room. */
  held(args: Json): Promise<{ readonly answer: ReturnType<ReturnType<ApprovalWorld['caller']>['call']>; readonly view: ApprovalView; readonly message: FakeMessage }>;
  /** The message in the room about an approval's step, as it is now. */
  message(approval: string): FakeMessage | undefined;
}

export const ROOM = 'approvals';

export interface SlackWorldOptions {
  readonly settings?: Json;
  readonly socket?: boolean;
  readonly flow?: Json;
  readonly config?: (base: Record<string, unknown>) => Record<string, unknown>;
}

/** {@link approvalWorld} whose flow tells `slack:#approvals`, and a Slack of its own. */
export async function slackWorld({ settings = {}, socket = false, flow = {}, config = (base) => base }: SlackWorldOptions = {}): Promise<SlackWorld> {
  const slack = await new FakeSlack().start();
  slack.addRoom(ROOM);
  const accounts = { grace: 'U0GRACE', edsger: 'U0EDSGER', alan: 'U0ALAN', ada: 'U0ADA', barbara: 'U0BARBARA' };
  for (const [user, account] of Object.entries(accounts)) slack.addUser(account, { email: `${user}@acme.test` });
  const app = {
    tenant: 'acme',
    appId: slack.appId,
    teamId: slack.teamId,
    botToken: { secretRef: 'env:SLACK_BOT_TOKEN' },
    signingSecret: { secretRef: 'env:SLACK_SIGNING_SECRET' },
    ...(socket ? { appToken: { secretRef: 'env:SLACK_APP_TOKEN' } } : {}),
    apiUrl: slack.apiUrl,
    ...settings,
  };
  const w = await approvalWorld({
    flow: { channels: ['console', `slack:#${ROOM}`], ...flow },
    env: { SLACK_BOT_TOKEN: slack.botToken, SLACK_SIGNING_SECRET: slack.signingSecret, SLACK_APP_TOKEN: slack.appToken },
    config: (base) => config({ ...base, notify: { slack: [app] } }),
  });
  const message = (approval: string): FakeMessage | undefined => slack.inRoom(ROOM).findLast(({ state }) => JSON.stringify(state.blocks).includes(`/approvals/${approval}`));
  return {
    ...w,
    slack,
    accounts,
    message,
    link: async (user) => {
      const nonce = await offerOf(slack, w.installation.url, accounts[user as keyof typeof accounts]);
      expect((await w.as(user).request('POST', '/slack/links', { nonce })).body).toMatchObject({ person: user, account: accounts[user as keyof typeof accounts] });
    },
    held: async (args) => {
      const known = new Set((await w.as('oscar').list('state=held&limit=500')).body.items.map(({ id }) => id));
      const answer = w.caller().call('wit__write', args);
      const view = await until('the call is held', async () => (await w.as('oscar').list('state=held&limit=500')).body.items.find(({ id }) => !known.has(id)));
      return { answer, view, message: await until('it is told in Slack', () => message(view.id)) };
    },
    close: async () => {
      await w.close();
      await slack.stop();
    },
  };
}

/** The secret part of the link that Slack shows to an account that is nobody yet. */
export async function offerOf(slack: FakeSlack, url: string, account: string): Promise<string> {
  const { body } = await slack.command(url, account, 'link');
  const [, nonce] = /\/slack\/link\/([0-9a-f]{64})"/.exec(body) ?? [];
  if (nonce === undefined) throw new Error(`no link in ${body}`);
  return nonce;
}

/** What the buttons of a message stand for, by their names. */
export function buttons({ state }: Pick<FakeMessage, 'state'>): Readonly<Record<string, string>> {
  const elements = state.blocks.flatMap((block) => (block['type'] === 'actions' ? (block['elements'] as readonly Json[]) : []));
  return Object.fromEntries(elements.filter((element) => element['value'] !== undefined).map((element) => [String(element['action_id']), String(element['value'])]));
}

export function words({ state }: Pick<FakeMessage, 'state'>): string {
  return JSON.stringify(state.blocks);
}
