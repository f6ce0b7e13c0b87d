import { type ErrorCode, Refusal } from '#libs/contracts';
import { type Broker, errorReply, type Hosts, type McpReply } from '#libs/broker/core';
import type { Principal } from '#libs/ports';
import { HttpChannel, type RawResponse } from './http-channel.ts';
import type { AuthenticationGate } from './authentication-gate.ts';
import { baseUrl, metadataUrl } from './resource-metadata.ts';

/** The part of Fastify that is used here; the adapter's own types do not name a version of it. */
export interface FastifyScope {
  register(plugin: (scope: FastifyScope) => Promise<void>): unknown;
  route(options: {
    method: string | string[];
    url: string;
    bodyLimit?: number;
    helmet?: false;
    onRequest?(request: FastifyRequestLike, reply: FastifyReplyLike, done: () => void): void;
    handler(request: FastifyRequestLike, reply: FastifyReplyLike): unknown;
  }): unknown;
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(
    type: string,
    options: { parseAs: 'buffer'; bodyLimit: number },
    parser: (request: unknown, body: Buffer) => Promise<unknown>,
  ): unknown;
  setErrorHandler(handler: (error: unknown, request: FastifyRequestLike, reply: FastifyReplyLike) => unknown): unknown;
}

interface IncomingLike {
  readonly readableEnded: boolean;
  on(event: string, listener: (chunk?: { readonly length: number }) => void): unknown;
  resume(): unknown;
}

export interface FastifyRequestLike {
  readonly raw: IncomingLike;
  readonly method: string;
  readonly ip: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface FastifyReplyLike {
  readonly raw: RawResponse;
  hijack(): unknown;
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
const METHODS = ['POST', 'GET', 'DELETE', 'PUT', 'PATCH', 'OPTIONS'];
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Who a request is from, once its Host, Origin and credential were found good. */
type Admitted = { readonly principal: Principal };

/**
 * `/mcp` and `/mcp/s/<server>`: Host and Origin, then the credential, then the message, in this order. The first two are settled
 * before the body is read, so that nobody unknown can make the broker hold megabytes.
 */
export function registerMcpRoutes(scope: FastifyScope, options: McpRouteOptions): void {
  // The body is wanted as the bytes that came, whatever they are called: what is recorded, judged and passed on is this text.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, async (_request, body) => body);
  scope.setErrorHandler(async (error, request, reply) => {
    const refusal = refusalOf(error, options.onFault);
    if (refusal.code === 'body_too_large') await readToTheEnd(request.raw);
    return write(reply, errorReply(refusal, null));
  });
  const admitted = new WeakMap<FastifyRequestLike, Admitted>();
  for (const url of ['/mcp', '/mcp/s/:server']) {
    scope.route({
      method: METHODS,
      url,
      bodyLimit: MAX_BODY_BYTES,
      // Headers that protect pages in browsers say nothing to an MCP client, and cost on every call.
      helmet: false,
      onRequest: (request, reply, done) => {
        const admission = admit(request, options);
        if ('status' in admission) {
          write(reply, admission);
          return;
        }
        admitted.set(request, admission);
        done();
      },
      handler: async (request, reply) => {
        const channel = new HttpChannel(takesStreams(headerOf(request, 'accept')), reply.raw, () => reply.hijack());
        const answered = await answer(request, channel, admitted.get(request)!, options);
        return channel.finish(answered) ? undefined : write(reply, answered);
      },
    });
  }
}

/** How much of a body that is too large is read all the same, and for how long. */
const READ_ON_BYTES = 32 << 20;
const READ_ON_MS = 3_000;

/** Closing a connection while the client still writes would cost it the answer, so what it writes is read and dropped for a while. */
function readToTheEnd(raw: IncomingLike): Promise<void> {
  return new Promise((resolve) => {
    let left = READ_ON_BYTES;
    const timer = setTimeout(resolve, READ_ON_MS);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    raw.on('data', (chunk) => {
      left -= chunk?.length ?? 0;
      if (left < 0) done();
    });
    for (const end of ['end', 'error', 'close']) raw.on(end, done);
    if (raw.readableEnded) done();
    raw.resume();
  });
}

function admit(request: FastifyRequestLike, { gate, hosts, publicUrl }: McpRouteOptions): Admitted | McpReply {
  const host = headerOf(request, 'host');
  if (host === undefined || !hosts.servesHost(host)) return errorReply(new Refusal('host_denied'), null);
  if (!hosts.acceptsOrigin(headerOf(request, 'origin'))) return errorReply(new Refusal('origin_denied'), null);
  const { server } = request.params;
  const path = server === undefined ? '/mcp' : `/mcp/s/${server}`;
  const principal = gate.admit(headerOf(request, 'authorization'), request.ip, path.slice(0, 100));
  if (!(principal instanceof Refusal)) return { principal };
  const challenge = `Bearer resource_metadata="${metadataUrl(baseUrl(publicUrl, host), path)}"`;
  // Which key it was is for the log, not for whoever holds it.
  const told = new Refusal(principal.code, principal.detail);
  return errorReply(told, null, false, told.entry.http === 401 ? { 'www-authenticate': challenge } : {});
}

async function answer(request: FastifyRequestLike, channel: HttpChannel, { principal }: Admitted, { broker }: McpRouteOptions): Promise<McpReply> {
  let body = '';
  try {
    if (request.body instanceof Uint8Array) body = UTF8.decode(request.body);
  } catch {
    return errorReply(new Refusal('parse_error', 'The body is not UTF-8.'), null);
  }
  const header = (name: string): string | undefined => headerOf(request, name);
  return broker.mcp.handle({ method: request.method, server: request.params['server'], header, body, principal, ip: request.ip, channel });
}

function takesStreams(accept: string | undefined): boolean {
  return accept !== undefined && (accept.includes('text/event-stream') || accept.includes('*/*'));
}

function headerOf(request: FastifyRequestLike, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function write(reply: FastifyReplyLike, { status, headers, body }: McpReply): FastifyReplyLike {
  // Without a body there is no type of one either.
  return reply.code(status).headers(headers).send(body === '' ? undefined : body);
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
