/** An account of a workspace, and the person that it is. */
export interface SlackLink {
  readonly tenant: string;
  readonly team: string;
  readonly account: string;
  readonly person: string;
}

/** A page that links an account to whoever signs in there: known by the digest of the secret in its address. */
export interface LinkOffer {
  readonly tenant: string;
  readonly team: string;
  readonly account: string;
  readonly digest: string;
  readonly expiresAt: number;
}

/** Which Slack account is which person, state first: what changes it is recorded in the same transaction. */
export interface SlackLinks {
  personOf(tenant: string, team: string, account: string): Promise<string | null>;
  accountOf(tenant: string, team: string, person: string): Promise<string | null>;
  /** Takes the place of an earlier offer to the same account. */
  offer(offer: LinkOffer): Promise<void>;
  /** An offer that is open at this moment. */
  offered(digest: string, now: number): Promise<LinkOffer | null>;
  /** Takes up an open offer, once; null when it is not open any more. A link of the account or of the person to somebody else ends. */
  accept(digest: string, person: string, via: 'api' | 'console', now: number): Promise<SlackLink | null>;
  /** False when there was none. */
  end(tenant: string, team: string, person: string, via: 'api' | 'console', now: number): Promise<boolean>;
}
export const SlackLinks = Symbol('SlackLinks');
