import type { EventDraft, HoldfastConfig } from '#libs/contracts';

/** One accepted configuration: immutable, hashed, kept. */
export interface ConfigRevision {
  readonly revision: number;
  /** base64url SHA-256 of the canonical configuration. */
  readonly digest: string;
  readonly config: HoldfastConfig;
}

/** Configuration revisions, state first: a revision and the events that tell of it are one transaction. */
export interface ConfigurationStore {
  latest(): Promise<ConfigRevision | null>;
  /** Every tenant that was ever configured: its log outlives it. */
  tenants(): Promise<readonly string[]>;
  /**
   * Makes `next` the revision after `previous` and stages `events` in the outbox. Returns null, having changed nothing, when
   * somebody else applied a revision in the meantime.
   */
  apply(next: ConfigRevision, previous: number | null, source: 'start' | 'api', events: readonly EventDraft[]): Promise<ConfigRevision | null>;
}
export const ConfigurationStore = Symbol('ConfigurationStore');
