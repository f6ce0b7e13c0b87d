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
import { ChannelConnection } from './channel-connection.ts';
import type { ConnectionOptions, UpstreamConnection } from './connection.ts';
import { HttpConnection } from './http-connection.ts';
import { openSse } from './sse-channel.ts';
import { openStdio } from './stdio-channel.ts';

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
  /** Keys of all servers there are, once somebody said so. */
  private kept: ReadonlySet<string> | undefined;

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
    this.kept = keys;
    for (const [key, connection] of this.connections) {
      if (keys.has(key)) continue;
      this.connections.delete(key);
      const closed = connection.close(LEAVING_MS).finally(() => this.leaving.delete(connection));
      this.leaving.set(connection, closed);
    }
  }

  async close(): Promise<void> {
    this.kept = new Set();
    const all = [...this.connections.values(), ...this.leaving.keys()];
    this.connections.clear();
    await Promise.all(all.map((connection) => connection.close(LAST_CALLS_MS)));
  }

  private known(server: UpstreamServer): UpstreamConnection {
    const connection = this.connection(server);
    if (!connection && this.kept?.has(server.key) === false) throw new UpstreamUnavailable('the server is not served any more');
    if (!connection) throw new UpstreamUnavailable(`transport ${server.transport.type} is not part of this version`);
    return connection;
  }

  private connection(server: UpstreamServer): UpstreamConnection | undefined {
    let connection = this.connections.get(server.key);
    if (!connection) {
      // Whoever still means a server that is gone would bring it back, and nobody would end it.
      if (this.kept?.has(server.key) === false) return undefined;
      connection = this.connect(server);
      if (connection) this.connections.set(server.key, connection);
    }
    return connection;
  }

  private connect(server: UpstreamServer): UpstreamConnection | undefined {
    const { options } = this;
    const { transport } = server;
    const listening = (): UpstreamListener | undefined => this.listener;
    switch (transport.type) {
      case 'http':
        return new HttpConnection(server, new URL(transport.url), options, listening);
      case 'stdio':
        return new ChannelConnection(server, (events) => openStdio(server, transport, options, events), 'both', options, listening);
      case 'sse':
        return new ChannelConnection(server, (events) => openSse(server, new URL(transport.url), options, events), 'legacy', options, listening);
      case 'openapi':
        return undefined;
    }
  }
}
