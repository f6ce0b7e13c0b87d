/** A call that was allowed and has no outcome on record. */
export interface OpenCall {
  readonly tenant: string;
  readonly call: string;
  /** The event that allowed it. */
  readonly decision: string;
  readonly user?: string;
  readonly client?: string;
  readonly agent?: string;
}

/** Reads the log's view of calls without an outcome. */
export interface OpenCalls {
  /** Whether everything the journal holds right now has been projected, so that `of` misses nothing. */
  caughtUp(): Promise<boolean>;
  /** Allowed calls of a broker instance that have no outcome, oldest first. */
  of(instance: string, limit: number): Promise<readonly OpenCall[]>;
  /** Where one call stands; null when the log does not know it. */
  stateOf(tenant: string, call: string): Promise<{ readonly state: string; readonly outcome: string | null } | null>;
}
export const OpenCalls = Symbol('OpenCalls');
