/** A request that its sender may send again. */
export interface OnceRequest {
  readonly tenant: string;
  readonly person: string;
  /** The sender's key. */
  readonly key: string;
  /** Of what is asked: path and body. */
  readonly digest: string;
}

export type Begun =
  /** Work on it. `id` is the same when the work is taken over from somebody who never answered. */
  | { readonly kind: 'begun'; readonly id: string }
  | { readonly kind: 'answered'; readonly answer: string }
  /** Somebody works on it right now. */
  | { readonly kind: 'running' }
  /** The key was used for something else. */
  | { readonly kind: 'other' }
  /** This person has too many keys of the last day. */
  | { readonly kind: 'full' };

/** First answers by key, for a day. */
export interface IdempotencyStore {
  begin(request: OnceRequest): Promise<Begun>;
  answered(request: OnceRequest, answer: string): Promise<void>;
  /** It failed in a way that may be tried again. */
  forget(request: OnceRequest): Promise<void>;
  /** Removes what is older than a day; how many. */
  sweep(limit: number): Promise<number>;
}
export const IdempotencyStore = Symbol('IdempotencyStore');
