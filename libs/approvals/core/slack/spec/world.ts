import type { ApprovalView, Rights } from '../../desk/approval-view.ts';
import type { Decision, Opened, Person, Verdict } from '../../desk/people-desk.ts';
import type { Message } from '../../notify/message-channel.ts';
import type { SlackContent, SlackView } from '../blocks.ts';
import { Handles } from '../handles.ts';
import { SlackDesk } from '../slack-desk.ts';
import { SlackLinking } from '../slack-linking.ts';
import type { LinkOffer, SlackLinks } from '../slack-links.ts';
import type { SlackAccount, SlackSettings, SlackWorkspace, SlackWorkspaces } from '../workspace.ts';

export const NOW = Date.parse('2026-11-21T20:05:00Z');
export const APPROVAL = '0199d0c4-7c1d-7a00-8000-00000000a001';

export function approvalView(more: Partial<ApprovalView> = {}): ApprovalView {
  return {
    id: APPROVAL, call: 'c1', status: 'held', version: 5, caller: { user: 'ada', client: 'claude-code', agent: 'billing-bot' }, server: 'billing', method: 'tools/call', tool: 'refund', toolHash: null,
    impactClass: 'write', rule: 'refunds-need-two', why: 'Refunds above 500 need two.', flow: 'two', step: 0, progress: 'finance: 1 of 2', votes: [],
    steps: [{ name: 'finance', need: 2, deny: 1, state: 'open', escalated: false, people: ['grace'] }],
    argsDigest: Buffer.from('0123456789abcdef'.repeat(4), 'hex').toString('base64url'), argsAbsent: false, edits: [],
    createdAt: '2026-11-21T20:00:00.000Z', changedAt: '2026-11-21T20:01:00.000Z', expiresAt: '2026-11-21T21:00:00.000Z', grantedBy: null, brokenBy: null, approverReason: 'optional', channels: ['slack:#ops'], ...more,
  };
}

export function message(view: ApprovalView = approvalView(), more: Partial<Message> = {}): Message {
  return { id: 'm1', tenant: 'acme', kind: 'asked', recipient: { kind: 'room', name: '#ops' }, view, step: 0, summary: ['amount: 900', 'card: ••••'], link: 'https://h.test/a1', ...more };
}

/** Seals by spelling backwards: as opaque as a spec needs. */
export const backwards = { seal: (text: string): string => `sealed${Array.from(text).toReversed().join('')}`, open: (text: string): string | null => (text.startsWith('sealed') ? Array.from(text.slice(6)).toReversed().join('') : null) };

export function account(id: string, more: Partial<SlackAccount> = {}): SlackAccount {
  return { id, name: id.toLowerCase(), fullMember: true, verifiedEmail: null, ...more };
}

/** Links in memory, as the store keeps them. */
export class SpecLinks implements SlackLinks {
  readonly links = new Map<string, string>();
  readonly offers = new Map<string, LinkOffer>();

  personOf = async (_tenant: string, _team: string, who: string): Promise<string | null> => this.links.get(who) ?? null;
  accountOf = async (_tenant: string, _team: string, person: string): Promise<string | null> => [...this.links].find(([, linked]) => linked === person)?.[0] ?? null;
  offer = async (offer: LinkOffer): Promise<void> => void this.offers.set(offer.digest, offer);
  offered = async (digest: string, now: number): Promise<LinkOffer | null> => {
    const offer = this.offers.get(digest);
    return offer && offer.expiresAt > now ? offer : null;
  };
  accept = async (digest: string, person: string) => {
    const offer = this.offers.get(digest);
    this.offers.delete(digest);
    if (!offer) return null;
    this.links.set(offer.account, person);
    return { tenant: offer.tenant, team: offer.team, account: offer.account, person };
  };
  end = async (): Promise<boolean> => false;
}

/** A desk of Slack over people who decide whatever a spec wants, and a Slack that takes notes. */
export class SlackSpec {
  readonly links = new SpecLinks();
  readonly decided: { readonly person: Person; readonly id: string; readonly verdict: Verdict }[] = [];
  readonly whispers: { readonly user: string; readonly content: SlackContent }[] = [];
  readonly forms: SlackView[] = [];
  readonly accounts = new Map<string, SlackAccount>();
  readonly handles = new Handles(backwards);
  view = approvalView();
  rights: Rights = { decide: true, breakGlass: false, edit: true, cancel: false };
  args: Record<string, unknown> | null = { amount: 900 };
  inTime = true;
  now = NOW;
  decide: (verdict: Verdict) => Promise<void> = () => Promise.resolve();
  settings: SlackSettings = { appId: 'A0HOLD', teamId: 'T0HOLD', showArguments: 'full', riskCeiling: 'write', trustVerifiedEmail: false };
  users: SlackWorkspace['users'] = [{ id: 'grace', email: 'grace@acme.test' }, { id: 'alan', email: 'alan@acme.test' }];

  get workspace(): SlackWorkspace {
    const api = {
      account: async (user: string) => this.accounts.get(user) ?? account(user),
      openView: async (_trigger: string, view: SlackView) => {
        if (this.inTime) this.forms.push(view);
        return this.inTime;
      },
      whisper: async (_channel: string | null, user: string, content: SlackContent) => void this.whispers.push({ user, content }),
    };
    return { tenant: 'acme', settings: this.settings, signingSecret: 's', api, users: this.users };
  }

  readonly workspaces: SlackWorkspaces = {
    // Two tenants of one workspace, each with an app of its own.
    ofTenant: (tenant) => (tenant === 'acme' || tenant === 'globex' ? { ...this.workspace, tenant } : undefined),
    ofTeam: (team, app) => (team === 'T0HOLD' && app === 'A0HOLD' ? this.workspace : undefined),
    all: () => [this.workspace],
  };

  readonly clock = { now: (): number => this.now, monotonicUs: (): number => 0 };
  readonly linking = new SlackLinking({ workspaces: this.workspaces, links: this.links, clock: this.clock, ids: { randomBytes: (length) => new Uint8Array(length).fill(7) }, digestOf: (text) => `digest of ${text}` });
  readonly desk = new SlackDesk({
    people: {
      show: async () => ({ view: this.view, rights: this.rights }),
      open: async (): Promise<Opened> => ({ args: this.args, originalArgs: null, reason: null, run: null, input: null, hidden: 0 }),
      list: async () => ({ items: [this.view], next: null }),
      decide: async (person, id, verdict): Promise<Decision> => {
        await this.decide(verdict);
        this.decided.push({ person, id, verdict });
        return {} as Decision;
      },
    },
    workspaces: this.workspaces, links: this.links, linking: this.linking, handles: this.handles, clock: this.clock,
    pageOf: (_tenant, approval) => `https://h.test/${approval}`,
    linkPage: (_tenant, nonce) => `https://h.test/slack/link/${nonce}`,
  });

  handle(asks: 'approve' | 'deny' | 'edit', form: string | null = null, more: object = {}): string {
    return this.handles.seal({ tenant: 'acme', approval: APPROVAL, version: 3, asks, form, ...more });
  }

  press(asks: 'approve' | 'deny' | 'edit', user = 'U0GRACE', handle = this.handle(asks)): Promise<void> {
    return this.desk.press({ tenant: 'acme', user, trigger: 't', channel: 'C0OPS', handle });
  }

  get told(): string {
    return JSON.stringify(this.whispers.at(-1)?.content ?? null);
  }
}
