import type { Clock, Ids, Sha256 } from '#libs/ports';
import { isPending } from '../held/state.ts';
import type { ApprovalStore } from './approval-store.ts';

/** What a link stands for: a request, and the one person it was sent to. It is no credential; who that person is must be known otherwise. */
export interface ReviewLink {
  readonly tenant: string;
  readonly approval: string;
  readonly step: number;
  readonly recipient: string;
  /** Whether its recipient has decided by it. */
  readonly used: boolean;
}

/** Links by the SHA-256 of what stands in them; the token itself is kept nowhere. */
export interface ReviewLinkStore {
  /** False when this approval has too many. */
  add(hash: Uint8Array, link: Omit<ReviewLink, 'used'>): Promise<boolean>;
  find(hash: Uint8Array): Promise<ReviewLink | null>;
  use(hash: Uint8Array): Promise<void>;
  /** Removes what was made before this moment; how many. */
  sweep(before: number, limit: number): Promise<number>;
}
export const ReviewLinkStore = Symbol('ReviewLinkStore');

export interface ReviewLinksDependencies {
  readonly links: ReviewLinkStore;
  readonly store: Pick<ApprovalStore, 'load'>;
  readonly sha256: Sha256;
  readonly ids: Pick<Ids, 'randomBytes'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** How long a link still leads to a page that says what became of the request. */
const KEPT_MS = 30 * 86_400_000;
const TOKEN_BYTES = 32;

/** Links for mails. Opening one changes nothing; deciding by it uses it up; it decides nothing once its approval or its step is over. */
export class ReviewLinks {
  constructor(private readonly deps: ReviewLinksDependencies) {}

  /** The path of a new link. Throws when this approval has too many of them, or there is no such approval. */
  async make(tenant: string, approval: string, step: number, recipient: string): Promise<string> {
    const token = base64url(this.deps.ids.randomBytes(TOKEN_BYTES));
    const added = await this.deps.links.add(this.deps.sha256(token), { tenant, approval, step, recipient });
    if (!added) throw new Error('an approval has a bounded number of links');
    return `/review/${token}`;
  }

  /** Null for what is no link, or none any more. `open`: it may still be decided by it. */
  async find(token: string): Promise<(ReviewLink & { readonly open: boolean }) | null> {
    if (!isToken(token)) return null;
    const link = await this.deps.links.find(this.deps.sha256(token));
    if (!link) return null;
    const stored = await this.deps.store.load(link.tenant, link.approval);
    if (!stored) return null;
    const { state } = stored;
    return { ...link, open: !link.used && isPending(state) && state.step === link.step && this.deps.clock.now() < state.expiresAt };
  }

  async use(token: string): Promise<void> {
    await this.deps.links.use(this.deps.sha256(token));
  }

  sweep(limit: number): Promise<number> {
    return this.deps.links.sweep(this.deps.clock.now() - KEPT_MS, limit);
  }
}

function isToken(token: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(token);
}

function base64url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
