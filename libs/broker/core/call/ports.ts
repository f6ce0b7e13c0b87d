/** What is wrong with arguments, in two forms that hold no values. */
export interface ArgumentProblem {
  /** For the agent: places in its arguments (JSON pointers) and the rules they break. */
  readonly told: string;
  /** For the log: the rules only, because even the names of members belong to whoever sent them. */
  readonly recorded: string;
  /** It is the schema that cannot be used, whatever the value is. */
  readonly unusable?: true;
}

/** Checks arguments and results against a tool's schemas. */
export interface ArgumentValidator {
  /**
   * Null when the value fits. `hash` identifies the schema, so that it is compiled once. A schema that cannot be used is a problem
   * of every call.
   */
  check(hash: string, schema: Readonly<Record<string, unknown>>, value: unknown): ArgumentProblem | null;
}
export const ArgumentValidator = Symbol('ArgumentValidator');

/** Whether what the broker knows of policy and switches is still sure to be in force. */
export interface Freshness {
  /** Throws Refusal `state_stale` when it cannot be known any more; every call is then refused. */
  assertFresh(): void;
}
export const Freshness = Symbol('Freshness');
