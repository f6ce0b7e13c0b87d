import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Server as TcpServer } from 'node:net';
import { Cancellation, type UpstreamAnswer, type UpstreamCall, type UpstreamClient, type UpstreamServer } from '#libs/broker/core';
import { McpUpstreams } from '../mcp-upstreams.ts';

export interface Message {
  readonly id?: unknown;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly [member: string]: unknown };
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

export type Handler = (message: Message, response: ServerResponse, request: IncomingMessage) => void;

const open: (() => Promise<void> | void)[] = [];

/** For `afterEach`: ends every server and connection that a spec opened. */
export async function closeAll(): Promise<void> {
  for (const close of open.splice(0).reverse()) await close();
}

export const json = (response: ServerResponse, value: unknown, status = 200, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
};
export const result = (message: Message, value: unknown): unknown => ({ jsonrpc: '2.0', id: message.id, result: value });
const methodNotFound = (message: Message): unknown => ({
  jsonrpc: '2.0',
  id: message.id,
  error: { code: -32601, message: 'Method not found' },
});

export const sse = (response: ServerResponse): ServerResponse => response.writeHead(200, { 'content-type': 'text/event-stream' });
export const event = (value: unknown, id?: string): string => `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(value)}\n\n`;
export const progress = (token: unknown, n: number): unknown => ({
  jsonrpc: '2.0',
  method: 'notifications/progress',
  params: { progressToken: token, progress: n },
});

/** A server of the legacy era without sessions; `call` answers tools/call, `get` every GET and DELETE. */
export async function upstream(
  call: Handler,
  other?: Handler,
  get: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.writeHead(405).end(),
): Promise<{ port: number; calls: Message[]; requests: { message: Message; request: IncomingMessage }[]; server: Server }> {
  const calls: Message[] = [];
  const requests: { message: Message; request: IncomingMessage }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      if (request.method !== 'POST') return get(request, response);
      const message = JSON.parse(body) as Message;
      requests.push({ message, request });
      if (message.method === 'tools/call') {
        calls.push(message);
        call(message, response, request);
      } else if (other) other(message, response, request);
      else legacy(message, response);
    });
  });
  const port = await listen(server);
  return { port, calls, requests, server };
}

/** The rest of such a server with sessions: s1, s2, … in the order in which they were opened, with the capabilities that were declared. */
export function sessions(capabilities: unknown = {}): { readonly other: Handler; readonly declared: unknown[] } {
  const declared: unknown[] = [];
  const other: Handler = (message, response) => {
    if (message.method !== 'initialize') return legacy(message, response);
    declared.push(message.params?.['capabilities']);
    const answer = result(message, { protocolVersion: '2025-06-18', capabilities, serverInfo: { name: 's', version: '1' } });
    json(response, answer, 200, { 'mcp-session-id': `s${declared.length}` });
  };
  return { other, declared };
}

export function legacy(message: Message, response: ServerResponse): void {
  if (message.method === undefined) response.writeHead(202).end();
  else if (message.method === 'initialize')
    json(response, result(message, { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 's', version: '1' } }));
  else if (message.method === 'tools/list') json(response, result(message, { tools: [{ name: 't', inputSchema: { type: 'object' } }] }));
  else if (message.id === undefined) response.writeHead(202).end();
  else json(response, methodNotFound(message));
}

export async function listen(server: Server | TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  );
  return (server.address() as AddressInfo).port;
}

export function serverAt(
  port: number,
  more: Partial<Omit<UpstreamServer, 'limits'>> & { limits?: Partial<UpstreamServer['limits']> } = {},
): UpstreamServer {
  const { limits, ...rest } = more;
  return {
    key: `acme/s/${port}`,
    tenant: 'acme',
    id: 's',
    transport: { type: 'http', url: `http://127.0.0.1:${port}/mcp` },
    auth: { type: 'none' },
    ...rest,
    limits: { connectTimeoutMs: 1_000, timeoutMs: 1_000, concurrency: 4, maxResultBytes: 10_000, ...limits },
  };
}

export function upstreams(resolveSecret: (ref: string) => string = () => 'unused'): McpUpstreams {
  const all = new McpUpstreams({ clientInfo: { name: 'holdfast', version: '0' }, resolveSecret });
  open.push(() => all.close());
  return all;
}

/** A client that keeps what it is told. */
export function client(more: Partial<UpstreamClient> = {}): UpstreamClient & { readonly told: [string, unknown][] } {
  const told: [string, unknown][] = [];
  return {
    conversation: undefined,
    capabilities: {},
    protocolMeta: {},
    wantsProgress: true,
    notify: (method, params) => void told.push([method, JSON.parse(params)]),
    ...more,
    told,
  };
}

/** Until it is so. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

let ids = 0;
export const call = (more: Partial<UpstreamCall> = {}): UpstreamCall => ({
  requestId: `call-${++ids}`,
  method: 'tools/call',
  named: 't',
  params: '{"name":"t","arguments":{"a":1.0}}',
  meta: {},
  paramHeaders: {},
  timeoutMs: 2_000,
  cancellation: new Cancellation(),
  ...more,
});

export const RESULT = { content: [{ type: 'text', text: 'hello' }] };
export const answered: UpstreamAnswer = { kind: 'result', text: JSON.stringify(RESULT) };
