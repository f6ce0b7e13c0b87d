import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { announce } from './child.ts';

export interface EchoUpstream {
  readonly port: number;
  /** The MCP endpoint. */
  readonly url: string;
  /** How many calls were executed, and with `remember` what each of them was told to echo, in order. */
  executed(): { readonly count: number; readonly messages: readonly string[] };
  close(): Promise<void>;
}

const MAX_REMEMBERED = 1_000_000;
const MAX_DELAY_MS = 10_000;
const MAX_BODY_BYTES = 8 << 20;
const VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26'];

const ECHO = {
  name: 'echo',
  title: 'Echo',
  description: 'Gives its message back.',
  inputSchema: {
    type: 'object',
    properties: { message: { type: 'string' }, delayMs: { type: 'integer', minimum: 0, maximum: MAX_DELAY_MS } },
    required: ['message'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true },
};

/**
 * The cheapest honest MCP server: one tool on bare node:http, JSON answers, 2025-era sessions. It counts what it executed before it
 * answers, so a count can be compared with a log. `GET /count` and, with `remember`, `GET /executed` tell it to other processes.
 */
export async function startEchoUpstream(options: { readonly port?: number; readonly remember?: boolean } = {}): Promise<EchoUpstream> {
  let count = 0;
  const messages: string[] = [];

  const answer = async (message: Message): Promise<unknown> => {
    switch (message.method) {
      case 'initialize': {
        const wanted = String(message.params?.protocolVersion);
        return { protocolVersion: VERSIONS.includes(wanted) ? wanted : VERSIONS[0], capabilities: { tools: {} }, serverInfo: { name: 'holdfast-echo', version: '1' } };
      }
      case 'ping':
        return {};
      case 'tools/list':
        return { tools: [ECHO] };
      case 'tools/call': {
        const { message: text, delayMs } = message.params?.arguments ?? {};
        if (message.params?.name !== ECHO.name || typeof text !== 'string') return undefined;
        count += 1;
        if (options.remember && messages.length < MAX_REMEMBERED) messages.push(text);
        if (delayMs) await sleep(Math.min(delayMs, MAX_DELAY_MS));
        return { content: [{ type: 'text', text }] };
      }
      default:
        return undefined;
    }
  };

  const server = createServer((request, response) => {
    const send = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
      const text = body === undefined ? '' : JSON.stringify(body);
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers }).end(text);
    };
    if (request.method === 'GET' && request.url === '/count') return send(200, { count });
    if (request.method === 'GET' && request.url === '/executed') return send(200, { count, messages });
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
      const message = parse(Buffer.concat(chunks).toString());
      if (!message) return send(400, { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'not JSON-RPC' } });
      if (message.id === undefined) return send(202, undefined);
      const session: Record<string, string> = message.method === 'initialize' ? { 'mcp-session-id': randomUUID() } : {};
      void answer(message).then((result) => {
        if (result === undefined) send(200, { jsonrpc: '2.0', id: message.id, error: { code: -32601, message: 'not known here' } });
        else send(200, { jsonrpc: '2.0', id: message.id, result }, session);
      });
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
    executed: () => ({ count, messages }),
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: { readonly protocolVersion?: unknown; readonly name?: unknown; readonly arguments?: { readonly message?: unknown; readonly delayMs?: number } };
}

function parse(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const upstream = await startEchoUpstream({ remember: process.argv.includes('--remember') });
  announce({ port: upstream.port });
}
