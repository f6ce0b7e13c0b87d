import type { ServerConfig } from '#libs/contracts';

/** A registered server as the broker reaches it. Two with the same key are the same server with the same settings. */
export interface UpstreamServer {
  readonly key: string;
  readonly tenant: string;
  readonly id: string;
  readonly transport: ServerConfig['transport'];
  readonly auth: ServerConfig['auth'];
  readonly limits: ServerConfig['limits'];
}

/** A tool as its server describes it, member for member. */
export interface ToolDefinition {
  readonly name: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly [member: string]: unknown;
}

export interface UpstreamCall {
  /** Becomes the JSON-RPC id, so that both sides' records meet. */
  readonly requestId: string;
  readonly tool: string;
  /** JSON text of the arguments as the agent sent them; absent when it sent none. */
  readonly argsText: string | undefined;
  /** `_meta` members to pass on. */
  readonly meta: Readonly<Record<string, unknown>>;
  /** Headers a server of the 2026 era wants beside arguments that its schema marks with `x-mcp-header`. */
  readonly paramHeaders: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Aborting ends the wait, not what the server does. */
  readonly signal: AbortSignal;
}

/**
 * What became of a call that was handed over. `not_sent` and `rejected` mean that the server did not execute it: no byte of it left,
 * or the server turned the request away before looking at the call. `lost` means that nobody can tell.
 */
export type UpstreamAnswer =
  | { readonly kind: 'result'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'too_large'; readonly isError?: true }
  | { readonly kind: 'not_sent'; readonly reason: 'unreachable' | 'busy' }
  | { readonly kind: 'rejected'; readonly status: number }
  | { readonly kind: 'lost'; readonly reason: 'timeout' | 'broken' | 'protocol' | 'stopped' };

/** The servers could not be asked for its tools; the message is for operators and holds no secret. */
export class UpstreamUnavailable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UpstreamUnavailable';
  }
}

/**
 * Upstream MCP servers. Each is reached in the protocol era it speaks; connections and sessions are the implementation's own.
 * A server that hangs or is full never delays another one.
 */
export interface Upstreams {
  /** All pages of the server's tool list. Throws {@link UpstreamUnavailable}. */
  tools(server: UpstreamServer): Promise<readonly ToolDefinition[]>;
  /** Sends a call at most once and never throws for what the server or the network does. */
  call(server: UpstreamServer, call: UpstreamCall): Promise<UpstreamAnswer>;
  /** These are all servers there are from now on; connections to others end when their calls are done. */
  retain(keys: ReadonlySet<string>): void;
}
export const Upstreams = Symbol('Upstreams');
