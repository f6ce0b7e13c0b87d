import type { McpReply } from '#libs/broker/core';
import { MemoryChannel } from './memory-channel.ts';
import type { SpecBroker } from './spec-broker.ts';

export interface RpcBody {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Readonly<Record<string, unknown>> };
}

export function bodyOf(reply: McpReply): RpcBody {
  return JSON.parse(reply.body) as RpcBody;
}

/** A client with a session of the legacy era. */
export class LegacyClient {
  private constructor(
    private readonly spec: SpecBroker,
    private readonly id: string,
    private readonly path: string | undefined,
  ) {}

  static async open(spec: SpecBroker, capabilities: object = {}, path?: string): Promise<LegacyClient> {
    const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'spec', version: '1' } };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
    const reply = await spec.http(body, path === undefined ? {} : { server: path });
    return new LegacyClient(spec, reply.headers['mcp-session-id']!, path);
  }

  /** The same client, whose requests arrive at another broker. */
  at(spec: SpecBroker): LegacyClient {
    return new LegacyClient(spec, this.id, this.path);
  }

  send(message: object, channel = new MemoryChannel()): Promise<McpReply> {
    return this.http('POST', JSON.stringify({ jsonrpc: '2.0', ...message }), channel);
  }

  async ask(method: string, params: object = {}, channel?: MemoryChannel): Promise<RpcBody> {
    return bodyOf(await this.send({ id: 1, method, params }, channel));
  }

  http(method: string, body: string, channel: MemoryChannel): Promise<McpReply> {
    const headers = { 'mcp-session-id': this.id, 'mcp-protocol-version': '2025-11-25' };
    return this.spec.http(body, { method, headers, channel, ...(this.path === undefined ? {} : { server: this.path }) });
  }
}
