import type { ImpactClass } from '#libs/contracts';

/** What policy knows of a server. */
export interface ServerFacts {
  readonly id: string;
  readonly environment: string | undefined;
  readonly owner: string | undefined;
  readonly dataClasses: readonly string[];
  readonly systems: readonly string[];
}

/** What policy knows of a tool. One object per pinned definition: matching is remembered by its identity. */
export interface ToolFacts {
  readonly server: ServerFacts;
  /** As the server names it. */
  readonly name: string;
  /** As agents see it on `/mcp`. */
  readonly exposed: string;
  readonly class: ImpactClass;
  readonly hash: string;
}
