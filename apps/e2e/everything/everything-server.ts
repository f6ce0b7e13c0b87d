import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { localhostHostValidation, localhostOriginValidation, type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest } from '@modelcontextprotocol/server';
import { Catalogue } from './catalogue.ts';
import { describeServer } from './describe-server.ts';
import { LegacySessions } from './legacy-sessions.ts';

/** Which eras it speaks. A server of one era answers the other as such servers do. */
export type Eras = 'both' | 'modern' | 'legacy';

export interface EverythingServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * An MCP server that uses every part of the protocol: what the official conformance suite asks of a server, and no more. It is the
 * upstream of tools/parity.mjs and speaks both eras on one URL: 2026-07-28 without state, and 2025-11-25 and older with sessions. It
 * listens on loopback only and keeps everything in memory. `port` 0 takes a free one.
 */
export async function startEverythingServer(port = 0, eras: Eras = 'both'): Promise<EverythingServer> {
  const catalogue = new Catalogue();
  const sessions = new LegacySessions(catalogue);
  const modern = createMcpHandler(() => describeServer(catalogue).server, { legacy: 'reject' });
  catalogue.onChange((list) => {
    if (list === 'tools') modern.notify.toolsChanged();
    else modern.notify.promptsChanged();
  });

  const isForSession = (request: Request): boolean | Promise<boolean> => (eras === 'both' ? isLegacyRequest(request) : eras === 'legacy');
  const serve = toNodeHandler({
    fetch: async (request, options) => ((await isForSession(request)) ? sessions.serve(request) : modern.fetch(request, options)),
  });
  const [hostIsOurs, originIsOurs] = [localhostHostValidation(), localhostOriginValidation()];
  const http = createServer((request, response) => {
    if (!hostIsOurs(request, response) || !originIsOurs(request, response)) return;
    if (new URL(request.url ?? '/', 'http://localhost').pathname !== '/mcp') {
      response.writeHead(404).end();
      return;
    }
    serve(request as NodeIncomingMessageLike, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    close: async () => {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await closed;
      await Promise.all([modern.close(), sessions.close()]);
    },
  };
}
