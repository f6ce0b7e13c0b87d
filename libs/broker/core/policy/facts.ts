import type { ImpactClass } from '#libs/contracts';

/** What policy knows of a server. */
export interface ServerFacts {
  readonly id: string;
  readonly environment: string | undefined;
  readonly owner: string | undefined;
  readonly dataClasses: readonly string[];
  readonly systems: readonly string[];
}

/** The requests that policy judges and the log keeps. */
export type CallMethod = 'tools/call' | 'prompts/get' | 'resources/read';

/** What policy knows of a tool, a prompt or a resource. One object per pinned definition: matching is remembered by its identity. */
export interface OfferFacts {
  readonly method: CallMethod;
  readonly server: ServerFacts;
  /** As the server names it; the URI of a resource. */
  readonly name: string;
  /** As agents see it on `/mcp`; a resource has its server's prefix here, for rules, and is addressed by its URI. */
  readonly exposed: string;
  readonly class: ImpactClass;
  /** Of the definition; null for resources, which are read by address and have none. */
  readonly hash: string | null;
}
