import type { ServerConfig } from '#libs/contracts';
import type { Cancellation } from '../call/cancellation.ts';
import type { JsonObject } from '../mcp/protocol.ts';

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
  readonly inputSchema: JsonObject;
  readonly [member: string]: unknown;
}

/** What a server says of itself, in the words of the protocol. */
export interface UpstreamDescription {
  readonly era: 'legacy' | 'modern';
  /** The version that was agreed on. */
  readonly protocol: string;
  readonly capabilities: JsonObject;
  readonly serverInfo: JsonObject;
  readonly instructions: string | undefined;
}

/** What a server can list, and what members of the list are known by. */
export const LISTS = { tools: 'name', prompts: 'name', resources: 'uri', resourceTemplates: 'uriTemplate' } as const;
export type ListKind = keyof typeof LISTS;

/** An entry of a list, member for member, which can be written as JSON again; the member that names it is a text that is not empty. */
export type Definition = JsonObject;

/** The answer to something that a server asks of a client; JSON text of the `result` or the `error`. */
export type PeerAnswer = { readonly result: string } | { readonly error: string };

/** A request that a server makes while it works on one of ours; JSON text of its `params`, `{}` when it has none. */
export interface PeerRequest {
  readonly method: string;
  readonly params: string;
}

/** The client that a request is made for, as far as its server may know it. */
export interface UpstreamClient {
  /**
   * The client's session, for servers that keep something for each of theirs (log level, what they remember, whom they ask): such a
   * server gets a session of its own for each conversation. Undefined for clients without one.
   */
  readonly conversation: string | undefined;
  /** What the client can do, as it declared it (`elicitation`, `sampling`, `roots`, …). */
  readonly capabilities: JsonObject;
  /** Members of the protocol's own `_meta` that a 2026 client sent beside its version, info and capabilities: `logLevel` and the like. */
  readonly protocolMeta: JsonObject;
  /** The client wants progress: the server is given a token, which is the call's `requestId`. */
  readonly wantsProgress: boolean;
  /** A notification that belongs to the request, in order, before its answer. JSON text of `params`. Never throws. */
  notify(method: string, params: string): void;
  /** Something the server wants from the client while it works; absent when the client cannot be asked. Never rejects. */
  readonly ask?: (request: PeerRequest, cancellation: Cancellation) => Promise<PeerAnswer>;
}

export interface UpstreamCall {
  /** Becomes the JSON-RPC id, so that both sides' records meet. */
  readonly requestId: string;
  /** `tools/call`, `resources/read`, … */
  readonly method: string;
  /** What the `Mcp-Name` header repeats for servers of the 2026 era: name of the tool or prompt, URI of the resource. */
  readonly named: string | undefined;
  /** JSON text of `params` without `_meta`, as the client sent it, the name being the server's own. */
  readonly params: string;
  /** `_meta` members to pass on; none of the protocol's and none of ours. */
  readonly meta: JsonObject;
  /** Headers a server of the 2026 era wants beside arguments that its schema marks with `x-mcp-header`. */
  readonly paramHeaders: Readonly<Record<string, string>>;
  /** How long the server may be silent; progress that arrives begins it anew, within the server's hard maximum. */
  readonly timeoutMs: number;
  /** Ends the wait, and the server is told to stop. What it answers within a moment still counts. */
  readonly cancellation: Cancellation;
  readonly client?: UpstreamClient;
}

/**
 * What became of a call that was handed over. `not_sent` and `rejected` mean that the server did not execute it: no byte of it left,
 * or the server turned the request away before looking at the call. `lost` means that nobody can tell. What was `too_large` is
 * `cut` when nobody has seen whether it was a result, or that of a failure.
 */
export type UpstreamAnswer =
  | { readonly kind: 'result'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'too_large'; readonly isError?: true; readonly cut?: true }
  | { readonly kind: 'not_sent'; readonly reason: 'unreachable' | 'busy' | 'cancelled' | 'stopped' }
  | { readonly kind: 'rejected'; readonly status: number }
  | { readonly kind: 'lost'; readonly reason: 'timeout' | 'broken' | 'protocol' | 'stopped' | 'cancelled' };

/** The servers could not be asked for its tools; the message is for operators and holds no secret. */
export class UpstreamUnavailable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UpstreamUnavailable';
  }
}

/** Hears what servers say on their own, outside any request. None of it throws. */
export interface UpstreamListener {
  /**
   * `notifications/…` with the JSON text of its `params`: changed lists, updated resources, log messages. `conversation` is whose
   * session with the server it came on, undefined when it is everybody's.
   */
  notified(server: UpstreamServer, conversation: string | undefined, method: string, params: string): void;
  /** The server asks the client of a conversation something outside any request. */
  asked(server: UpstreamServer, conversation: string | undefined, request: PeerRequest, cancellation: Cancellation): Promise<PeerAnswer>;
}

/**
 * Upstream MCP servers. Each is reached in the protocol era it speaks; connections and sessions are the implementation's own.
 * A server that hangs or is full never delays another one.
 */
export interface Upstreams {
  /** Throws {@link UpstreamUnavailable}. */
  describe(server: UpstreamServer): Promise<UpstreamDescription>;
  /** All pages of a list; empty when the server does not have this kind. Throws {@link UpstreamUnavailable}. */
  list(server: UpstreamServer, kind: ListKind): Promise<readonly Definition[]>;
  /** Sends a request at most once and never throws for what the server or the network does. */
  call(server: UpstreamServer, call: UpstreamCall): Promise<UpstreamAnswer>;
  /**
   * From now on the updates of a resource are heard (`notifications/resources/updated`), also after the connection was lost and came
   * back. Watching what is watched is nothing new. The answer is the server's own to its subscription.
   */
  watch(server: UpstreamServer, uri: string): Promise<UpstreamAnswer>;
  unwatch(server: UpstreamServer, uri: string): Promise<UpstreamAnswer>;
  /** The one who hears; set before the first request. */
  listen(listener: UpstreamListener): void;
  /** A client's session is over: what servers keep for it is given up. */
  endConversation(conversation: string): void;
  /** These are all servers there are from now on; connections to others end when their calls are done. */
  retain(keys: ReadonlySet<string>): void;
  /** Ends every connection and every child process. */
  close(): Promise<void>;
}
export const Upstreams = Symbol('Upstreams');
