import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { BareRelay } from './bare-relay.ts';
import { announce, stopProcess } from './child.ts';
import { type EchoMessage, parseMessage } from './echo-tool.ts';
import { Lines } from './lines.ts';

const MAX_BODY_BYTES = 8 << 20;
const MAX_WAITING = 10_000;
const STOP_MS = 2_000;

interface Waiting {
  readonly id: unknown;
  readonly method: unknown;
  readonly response: ServerResponse;
}

/**
 * The reference for stdio upstreams: HTTP on one side, the lines of one child on the other, with no identity, no policy and no log. Unlike
 * the relay over HTTP it parses each message, because clients of one child use the same ids and must not get each other's answers.
 */
export async function startBareStdioRelay(command: string, args: readonly string[]): Promise<BareRelay> {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => undefined);
  const waiting = new Map<number, Waiting>();
  let nextId = 0;

  const answered = (line: string): void => {
    const message = parseMessage(line) as (EchoMessage & Record<string, unknown>) | undefined;
    const id = Number(message?.id);
    const one = waiting.get(id);
    if (!message || !one) return;
    waiting.delete(id);
    const body = Buffer.from(JSON.stringify({ ...message, id: one.id }));
    const session = one.method === 'initialize' && message['result'] !== undefined ? { 'mcp-session-id': randomUUID() } : {};
    one.response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length, ...session }).end(body);
  };
  const lines = new Lines(MAX_BODY_BYTES, answered);
  child.stdout.on('data', (chunk: Buffer) => lines.push(chunk));
  child.once('exit', () => {
    for (const { response } of waiting.values()) response.writeHead(502).end();
    waiting.clear();
  });

  const pass = (text: string, response: ServerResponse): void => {
    const message = parseMessage(text);
    if (!message || waiting.size >= MAX_WAITING || child.exitCode !== null) {
      response.writeHead(message ? 503 : 400).end();
      return;
    }
    if (message.id === undefined) {
      child.stdin.write(`${JSON.stringify(message)}\n`);
      response.writeHead(202).end();
      return;
    }
    const id = ++nextId;
    waiting.set(id, { id: message.id, method: message.method, response });
    response.on('close', () => waiting.delete(id));
    child.stdin.write(`${JSON.stringify({ ...message, id })}\n`);
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
    request.on('end', () => pass(Buffer.concat(chunks).toString(), response));
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
      await stopProcess(child, STOP_MS);
    },
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [command, ...args] = process.argv.slice(2);
  if (command === undefined) throw new Error('the command of the upstream is needed');
  announce({ port: (await startBareStdioRelay(command, args)).port });
}
