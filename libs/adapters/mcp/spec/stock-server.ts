import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  localhostHostValidation,
  localhostOriginValidation,
  type NodeIncomingMessageLike,
  toNodeHandler,
} from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest, type McpServer, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import { sampleServer } from './sample-server.ts';

export interface StockServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * The sample server behind the official handlers and nothing of ours: `createMcpHandler` for the 2026 era, the Streamable HTTP transport
 * with sessions for the older one, told apart by the SDK itself. With `eras: 'legacy'` it speaks the older one only.
 */
export async function startStockServer(eras: 'both' | 'legacy' = 'both'): Promise<StockServer> {
  const sessions = new Map<string, { readonly server: McpServer; readonly transport: WebStandardStreamableHTTPServerTransport }>();
  const modern = createMcpHandler(() => sampleServer(), { legacy: 'reject' });

  const begin = async (): Promise<WebStandardStreamableHTTPServerTransport> => {
    const server = sampleServer();
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      // A stream's headers leave this server with the first thing it says, which would otherwise be after 15 seconds.
      keepAliveMs: 50,
      onsessioninitialized: (id) => void sessions.set(id, { server, transport }),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await server.connect(transport);
    return transport;
  };
  // The transport knows one session; which one a request is for is the caller's part, done as the SDK's examples do it.
  const legacy = async (request: Request): Promise<Response> => {
    const id = request.headers.get('mcp-session-id');
    const transport = id === null ? await begin() : sessions.get(id)?.transport;
    if (transport) return transport.handleRequest(request);
    return Response.json({ jsonrpc: '2.0', error: { code: -32_001, message: 'Session not found' }, id: null }, { status: 404 });
  };
  const serve = toNodeHandler({
    fetch: async (request, options) => (eras === 'legacy' || (await isLegacyRequest(request)) ? legacy(request) : modern.fetch(request, options)),
  });
  const [hostIsOurs, originIsOurs] = [localhostHostValidation(), localhostOriginValidation()];
  const http = createServer((request, response) => {
    if (!hostIsOurs(request, response) || !originIsOurs(request, response)) return;
    serve(request as NodeIncomingMessageLike, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (http.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await closed;
      await Promise.all([modern.close(), ...[...sessions.values()].map(({ server }) => server.close())]);
    },
  };
}
