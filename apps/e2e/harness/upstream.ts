import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the upstream does with a call after it has executed it. */
export type Behaviour = 'answer' | 'drop the connection' | 'never answer' | 'answer rpc error' | 'answer isError';

interface Message {
  readonly id?: number | string;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly arguments?: { readonly marker?: string; readonly delayMs?: number } };
}

const SCHEMA = { type: 'object', properties: { marker: { type: 'string' }, delayMs: { type: 'integer', minimum: 0, maximum: 60_000 } }, required: ['marker'], additionalProperties: true };

/** A small MCP server of the 2025 era that remembers every execution by its marker: the witness of what really happened. */
export class Upstream {
  readonly executed = new Map<string, number>();
  /** Headers of every request, lower case: to see what reaches an upstream. */
  readonly headers: IncomingMessage['headers'][] = [];
  behaviour: Behaviour = 'answer';
  private server: Server | undefined;
  port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`;
  }

  async start(port = 0): Promise<this> {
    this.server = createServer((request, response) => {
      this.serve(request, response).catch(() => response.destroy());
    });
    this.server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve) => this.server!.listen(port, '127.0.0.1', resolve));
    this.port = (this.server.address() as { port: number }).port;
    return this;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve) ?? resolve(undefined));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.headers.push(request.headers);
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const message = JSON.parse(Buffer.concat(chunks).toString()) as Message;
    if (message.id === undefined) return void response.writeHead(202).end();
    const reply = (body: object): void => {
      response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'upstream-session' }).end(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...body }));
    };
    switch (message.method) {
      case 'initialize':
        return reply({ result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'witness', version: '1' } } });
      case 'tools/list':
        return reply({ result: { tools: ['read', 'write'].map((name) => ({ name, description: `Executes ${name}`, inputSchema: SCHEMA })) } });
      case 'tools/call':
        return this.call(message, reply, response);
      default:
        return reply({ error: { code: -32601, message: 'Method not found' } });
    }
  }

  private async call(message: Message, reply: (body: object) => void, response: ServerResponse): Promise<void> {
    const { marker = '', delayMs = 0 } = message.params?.arguments ?? {};
    this.executed.set(marker, (this.executed.get(marker) ?? 0) + 1);
    if (delayMs > 0) await sleep(delayMs);
    switch (this.behaviour) {
      case 'answer':
        return reply({ result: { content: [{ type: 'text', text: `done ${marker}` }] } });
      case 'answer isError':
        return reply({ result: { content: [{ type: 'text', text: `failed ${marker}` }], isError: true } });
      case 'answer rpc error':
        return reply({ error: { code: -32099, message: 'upstream said no', data: { marker } } });
      case 'drop the connection':
        return void response.destroy();
      case 'never answer':
        return;
    }
  }
}
