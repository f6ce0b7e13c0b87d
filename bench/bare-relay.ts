import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { Pool } from 'undici';
import { announce } from './child.ts';
import { exchange } from './exchange.ts';

export interface BareRelay {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

const RELAYED_REQUEST = ['content-type', 'accept', 'mcp-session-id', 'mcp-protocol-version', 'mcp-method', 'mcp-name'];
const RELAYED_RESPONSE = ['content-type', 'mcp-session-id'];
const MAX_BODY_BYTES = 8 << 20;

/**
 * The reference of every ratio: what it costs in Node to take a call and pass it on over kept connections, with no identity, no
 * policy and no log. It does not even parse the body.
 */
export async function startBareRelay(upstreamUrl: string): Promise<BareRelay> {
  const upstream = new URL(upstreamUrl);
  const pool = new Pool(upstream.origin, { connections: 256, pipelining: 1, keepAliveTimeout: 60_000 });
  const pass = (headers: Record<string, string>, body: Buffer, response: ServerResponse): void => {
    exchange(pool, upstream.pathname, headers, body).then(
      (answer) => response.writeHead(answer.status, { ...pick(RELAYED_RESPONSE, answer.headers), 'content-length': answer.body.length }).end(answer.body),
      () => response.writeHead(502).end(),
    );
  };
  const server = createServer((request, response) => {
    if (request.method !== 'POST') {
      response.writeHead(405, { allow: 'POST' }).end();
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) request.destroy();
      else chunks.push(chunk);
    });
    request.on('end', () => pass(pick(RELAYED_REQUEST, request.headers), chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), response));
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/mcp`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await pool.destroy();
    },
  };
}

function pick(names: readonly string[], headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string') picked[name] = value;
  }
  return picked;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const upstreamUrl = process.argv[2];
  if (upstreamUrl === undefined) throw new Error('the URL of the upstream is needed');
  announce({ port: (await startBareRelay(upstreamUrl)).port });
}
