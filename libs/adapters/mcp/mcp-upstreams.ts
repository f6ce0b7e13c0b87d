import {
  type Definition,
  type ListKind,
  type UpstreamAnswer,
  type UpstreamCall,
  type UpstreamDescription,
  type UpstreamListener,
  type UpstreamServer,
  type Upstreams,
  UpstreamUnavailable,
} from '#libs/broker/core';
import type { ConnectionOptions, UpstreamConnection } from './connection.ts';
import { HttpConnection } from './http-connection.ts';

export type McpUpstreamOptions = ConnectionOptions;

/** Calls under way when everything ends. */
const LAST_CALLS_MS = 2_000;
/** Calls under way when their server leaves the configuration: as long as any call may last. */
const LEAVING_MS = 3_600_000;

/** {@link Upstreams} over every transport of MCP, in either protocol era. Each server has connections of its own. */
export class McpUpstreams implements Upstreams {
  private readonly connections = new Map<string, UpstreamConnection>();
  private readonly leaving = new Map<UpstreamConnection, Promise<void>>();
  private listener: UpstreamListener | undefined;

  constructor(private readonly options: McpUpstreamOptions) {}

  async describe(server: UpstreamServer): Promise<UpstreamDescription> {
    return this.known(server).describe();
  }

  async list(server: UpstreamServer, kind: ListKind): Promise<readonly Definition[]> {
    return this.known(server).list(kind);
  }

  async call(server: UpstreamServer, call: UpstreamCall): Promise<UpstreamAnswer> {
    return this.connection(server)?.call(call) ?? { kind: 'not_sent', reason: 'unreachable' };
  }

  async watch(server: UpstreamServer, uri: string): Promise<UpstreamAnswer> {
    return this.connection(server)?.watch(uri) ?? { kind: 'not_sent', reason: 'unreachable' };
  }

  async unwatch(server: UpstreamServer, uri: string): Promise<UpstreamAnswer> {
    return this.connection(server)?.unwatch(uri) ?? { kind: 'not_sent', reason: 'unreachable' };
  }

  listen(listener: UpstreamListener): void {
    this.listener = listener;
  }

  endConversation(conversation: string): void {
    for (const connection of this.connections.values()) connection.endConversation(conversation);
  }

  retain(keys: ReadonlySet<string>): void {
    for (const [key, connection] of this.connections) {
      if (keys.has(key)) continue;
      this.connections.delete(key);
      const closed = connection.close(LEAVING_MS).finally(() => this.leaving.delete(connection));
      this.leaving.set(connection, closed);
    }
  }

  async close(): Promise<void> {
    const all = [...this.connections.values(), ...this.leaving.keys()];
    this.connections.clear();
    await Promise.all(all.map((connection) => connection.close(LAST_CALLS_MS)));
  }

  private known(server: UpstreamServer): UpstreamConnection {
    const connection = this.connection(server);
    if (!connection) throw new UpstreamUnavailable(`transport ${server.transport.type} is not part of this version`);
    return connection;
  }

  private connection(server: UpstreamServer): UpstreamConnection | undefined {
    let connection = this.connections.get(server.key);
    if (!connection && server.transport.type === 'http') {
      connection = new HttpConnection(server, new URL(server.transport.url), this.options, () => this.listener);
      this.connections.set(server.key, connection);
    }
    return connection;
  }
}
