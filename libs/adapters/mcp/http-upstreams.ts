import {
  type Definition,
  type ListKind,
  type UpstreamAnswer,
  type UpstreamCall,
  type UpstreamDescription,
  type UpstreamServer,
  type Upstreams,
  UpstreamUnavailable,
} from '#libs/broker/core';
import { type ConnectionOptions, UpstreamConnection } from './upstream-connection.ts';

export type HttpUpstreamOptions = ConnectionOptions;

/** {@link Upstreams} over HTTP, in either protocol era. Each server has connections of its own. */
export class HttpUpstreams implements Upstreams {
  private readonly connections = new Map<string, UpstreamConnection>();

  constructor(private readonly options: HttpUpstreamOptions) {}

  async describe(server: UpstreamServer): Promise<UpstreamDescription> {
    return this.known(server).describe();
  }

  async list(server: UpstreamServer, kind: ListKind): Promise<readonly Definition[]> {
    return this.known(server).list(kind);
  }

  async watch(): Promise<UpstreamAnswer> {
    return { kind: 'not_sent', reason: 'unreachable' };
  }

  async unwatch(): Promise<UpstreamAnswer> {
    return { kind: 'not_sent', reason: 'unreachable' };
  }

  listen(): void {}

  endConversation(): void {}

  async call(server: UpstreamServer, call: UpstreamCall): Promise<UpstreamAnswer> {
    const connection = this.connection(server);
    return connection ? connection.call(call) : { kind: 'not_sent', reason: 'unreachable' };
  }

  retain(keys: ReadonlySet<string>): void {
    for (const [key, connection] of this.connections) {
      if (keys.has(key)) continue;
      this.connections.delete(key);
      connection.close();
    }
  }

  async close(): Promise<void> {
    this.retain(new Set());
  }

  private known(server: UpstreamServer): UpstreamConnection {
    const connection = this.connection(server);
    if (!connection) throw new UpstreamUnavailable(`transport ${server.transport.type} is not part of this version`);
    return connection;
  }

  private connection(server: UpstreamServer): UpstreamConnection | undefined {
    let connection = this.connections.get(server.key);
    if (!connection && server.transport.type === 'http') {
      connection = new UpstreamConnection(server, new URL(server.transport.url), this.options);
      this.connections.set(server.key, connection);
    }
    return connection;
  }
}
