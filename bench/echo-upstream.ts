import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { announce } from './child.ts';
import { EchoTool, type Era, eraOf, parseMessage } from './echo-tool.ts';

export interface EchoUpstream {
  readonly port: number;
  /** The MCP endpoint. */
  readonly url: string;
  /** How many calls were executed, and with `remember` what each of them was told to echo, in order. */
  executed(): { readonly count: number; readonly messages: readonly string[] };
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 8 << 20;

/**
 * The cheapest honest MCP server: one tool on bare node:http, JSON answers, sessions where the era has them. It counts what it executed
 * before it answers, so a count can be compared with a log. `GET /count` and, with `remember`, `GET /executed` tell it to other processes.
 */
export async function startEchoUpstream(options: { readonly port?: number; readonly remember?: boolean; readonly era?: Era } = {}): Promise<EchoUpstream> {
  const tool = new EchoTool(options.era ?? 'legacy', options.remember);
  const executed = (): { count: number; messages: readonly string[] } => ({ count: tool.count, messages: tool.messages });

  const server = createServer((request, response) => {
    const send = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
      const text = body === undefined ? '' : JSON.stringify(body);
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers }).end(text);
    };
    if (request.method === 'GET' && request.url === '/count') return send(200, { count: tool.count });
    if (request.method === 'GET' && request.url === '/executed') return send(200, executed());
    if (request.url !== '/mcp') return send(404, { error: 'not here' });
    if (request.method === 'DELETE') return send(200, {});
    if (request.method !== 'POST') return send(405, { error: 'POST only' }, { allow: 'POST, DELETE' });
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) request.destroy();
      else chunks.push(chunk);
    });
    request.on('end', () => {
      const message = parseMessage(Buffer.concat(chunks).toString());
      if (!message) return send(400, { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'not JSON-RPC' } });
      if (message.id === undefined) return send(202, undefined);
      const opens = message.method === 'initialize' && options.era !== 'modern';
      void tool.answer(message).then((answer) => send(200, answer, opens ? { 'mcp-session-id': randomUUID() } : {}));
    });
  });
  // A relay keeps its connections for long; closing an idle one just as it sends would look like a lost call.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/mcp`,
    executed,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const upstream = await startEchoUpstream({ remember: process.argv.includes('--remember'), era: eraOf(process.argv) });
  announce({ port: upstream.port });
}
