import { type ErrorCode, Refusal } from '#libs/contracts';
import { type Broker, errorReply, type Hosts, type McpReply } from '#libs/broker/core';
import type { AuthenticationGate } from './authentication-gate.ts';
import { baseUrl, metadataUrl } from './resource-metadata.ts';

/** The part of Fastify that is used here; the adapter's own types do not name a version of it. */
export interface FastifyScope {
  register(plugin: (scope: FastifyScope) => Promise<void>): unknown;
  route(options: {
    method: string | string[];
    url: string;
    bodyLimit?: number;
    handler(request: FastifyRequestLike, reply: FastifyReplyLike): unknown;
  }): unknown;
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(type: string, options: { parseAs: 'buffer'; bodyLimit: number }, parser: (request: unknown, body: Buffer) => Promise<unknown>): unknown;
  setErrorHandler(handler: (error: unknown, request: FastifyRequestLike, reply: FastifyReplyLike) => unknown): unknown;
}

export interface FastifyRequestLike {
  readonly method: string;
  readonly ip: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface FastifyReplyLike {
  code(status: number): FastifyReplyLike;
  headers(values: Readonly<Record<string, string>>): FastifyReplyLike;
  send(body?: unknown): FastifyReplyLike;
}

export interface McpRouteOptions {
  readonly broker: Broker;
  readonly gate: AuthenticationGate;
  readonly hosts: Hosts;
  readonly publicUrl?: string;
  readonly onFault: (error: unknown) => void;
}

const MAX_BODY_BYTES = 4 << 20;
const METHODS = ['POST', 'GET', 'DELETE'];
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** `/mcp` and `/mcp/s/<server>`: Host and Origin, then the credential, then the message, in this order. */
export function registerMcpRoutes(scope: FastifyScope, options: McpRouteOptions): void {
  // The body is wanted as the bytes that came, whatever they are called: what is recorded, judged and passed on is this text.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, async (_request, body) => body);
  scope.setErrorHandler((error, _request, reply) => write(reply, errorReply(refusalOf(error, options.onFault), null)));
  const handler = async (request: FastifyRequestLike, reply: FastifyReplyLike): Promise<unknown> => write(reply, await answer(request, options));
  scope.route({ method: METHODS, url: '/mcp', bodyLimit: MAX_BODY_BYTES, handler });
  scope.route({ method: METHODS, url: '/mcp/s/:server', bodyLimit: MAX_BODY_BYTES, handler });
}

async function answer(request: FastifyRequestLike, { broker, gate, hosts, publicUrl }: McpRouteOptions): Promise<McpReply> {
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  if (!hosts.servesHost(header('host'))) return errorReply(new Refusal('host_denied'), null);
  if (!hosts.acceptsOrigin(header('origin'))) return errorReply(new Refusal('origin_denied'), null);
  const server = request.params['server'];
  const path = server === undefined ? '/mcp' : `/mcp/s/${server}`;
  const admitted = gate.admit(header('authorization'), request.ip, path.slice(0, 100));
  if (admitted instanceof Refusal) {
    const challenge = `Bearer resource_metadata="${metadataUrl(baseUrl(publicUrl, header('host')!), path)}"`;
    // Which key it was is for the log, not for whoever holds it.
    return errorReply(new Refusal(admitted.code, admitted.detail), null, false, admitted.entry.http === 401 ? { 'www-authenticate': challenge } : {});
  }
  let body = '';
  try {
    if (request.body instanceof Uint8Array) body = UTF8.decode(request.body);
  } catch {
    return errorReply(new Refusal('parse_error', 'The body is not UTF-8.'), null);
  }
  return broker.mcp.handle({ method: request.method, server, header, body, principal: admitted, ip: request.ip });
}

function write(reply: FastifyReplyLike, { status, headers, body }: McpReply): FastifyReplyLike {
  return reply.code(status).headers(headers).send(body);
}

const BY_STATUS: Readonly<Record<number, ErrorCode>> = { 400: 'invalid_request', 413: 'body_too_large', 415: 'unsupported_media_type' };

/** What Fastify turns away by itself, in our words; anything else is a fault, of which nothing is told. */
function refusalOf(error: unknown, onFault: (error: unknown) => void): Refusal {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  const code = typeof status === 'number' ? BY_STATUS[status] : undefined;
  if (code) return new Refusal(code);
  onFault(error);
  return new Refusal('internal');
}
