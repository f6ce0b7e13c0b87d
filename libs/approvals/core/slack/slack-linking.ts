import { Refusal } from '#libs/contracts';
import type { Clock, Ids } from '#libs/ports';
import { sameAddress } from './accounts.ts';
import type { LinkOffer, SlackLinks } from './slack-links.ts';
import type { SlackAccount, SlackWorkspace, SlackWorkspaces } from './workspace.ts';

/** A person who signed in with Holdfast, on a page or with a token. */
export interface SignedIn {
  readonly tenant: string;
  readonly id: string;
  readonly via: 'api' | 'console';
}

/** The account that would be linked, as its owner is to recognise it. */
export interface AccountToLink {
  readonly team: string;
  readonly account: string;
  readonly name: string;
  readonly email: string | null;
}

export interface SlackLinkingDependencies {
  readonly workspaces: SlackWorkspaces;
  readonly links: SlackLinks;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'randomBytes'>;
  readonly digestOf: (text: string) => string;
}

export const LINK_MS = 10 * 60_000;
const NONCE = /^[0-9a-f]{64}$/;

/**
 * Links Slack accounts to people. The address is made for one account and says nothing of the person; the person is whoever signed in
 * where it is opened. So that nobody is talked into linking somebody else's account, the page shows whose it is, and where both sides
 * know an e-mail address it must be the same.
 */
export class SlackLinking {
  constructor(private readonly deps: SlackLinkingDependencies) {}

  /** The secret part of the address of a page for this account; single use. */
  async offer({ tenant, settings }: SlackWorkspace, account: string): Promise<string> {
    const nonce = [...this.deps.ids.randomBytes(32)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    await this.deps.links.offer({ tenant, team: settings.teamId, account, digest: this.deps.digestOf(nonce), expiresAt: this.deps.clock.now() + LINK_MS });
    return nonce;
  }

  /** Shows what would be linked; takes nothing up. */
  async look(person: SignedIn, nonce: string): Promise<AccountToLink> {
    const { account } = await this.open(person, nonce);
    return account;
  }

  async accept(person: SignedIn, nonce: string): Promise<AccountToLink> {
    const { account, digest } = await this.open(person, nonce);
    const link = await this.deps.links.accept(digest, person.id, person.via, this.deps.clock.now());
    if (!link) throw new Refusal('link_over');
    return account;
  }

  /** Ends the link of a person; false when there was none. */
  async end({ tenant, id, via }: SignedIn): Promise<boolean> {
    const workspace = this.deps.workspaces.ofTenant(tenant);
    return workspace !== undefined && this.deps.links.end(tenant, workspace.settings.teamId, id, via, this.deps.clock.now());
  }

  private async open(person: SignedIn, nonce: string): Promise<{ readonly account: AccountToLink; readonly digest: string }> {
    const digest = this.deps.digestOf(nonce);
    const offer = NONCE.test(nonce) ? await this.deps.links.offered(digest, this.deps.clock.now()) : null;
    // An offer to another tenant's account is no offer.
    const workspace = offer?.tenant === person.tenant ? this.deps.workspaces.ofTenant(person.tenant) : undefined;
    if (!offer || workspace?.settings.teamId !== offer.team) throw new Refusal('link_over');
    const user = workspace.users.find(({ id }) => id === person.id);
    const account = await this.ask(workspace, offer);
    const differs = user?.email !== undefined && account.verifiedEmail !== null && !sameAddress(user.email, account.verifiedEmail);
    if (!user || !account.fullMember || account.id !== offer.account || differs) throw new Refusal('account_not_accepted');
    return { account: { team: offer.team, account: offer.account, name: account.name, email: account.verifiedEmail }, digest };
  }

  private async ask(workspace: SlackWorkspace, { account }: LinkOffer): Promise<SlackAccount> {
    try {
      return await workspace.api.account(account);
    } catch {
      throw new Refusal('channel_unavailable');
    }
  }
}
