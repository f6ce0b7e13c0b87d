import { type ErrorCode, Refusal } from '#libs/contracts';
import type { InletAnswer, SlackInlet, SlackSignatures, SlackWorkspace, SlackWorkspaces } from '#libs/approvals/core';

/** The part of Fastify that is used here; the adapter's own types do not name a version of it. */
export interface FastifyScope {
  register(plugin: (scope: FastifyScope) => Promise<void>): unknown;
  post(url: string, options: { readonly bodyLimit: number }, handler: (request: FastifyRequestLike, reply: FastifyReplyLike) => unknown): unknown;
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(type: string, options: { parseAs: 'buffer'; bodyLimit: number }, parser: (request: unknown, body: Buffer) => Promise<unknown>): unknown;
  setErrorHandler(handler: (error: unknown, request: FastifyRequestLike, reply: FastifyReplyLike) => unknown): unknown;
}

interface FastifyRequestLike {
  readonly ip: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

interface FastifyReplyLike {
  code(status: number): FastifyReplyLike;
  headers(values: Readonly<Record<string, string>>): FastifyReplyLike;
  send(body?: unknown): FastifyReplyLike;
}

export interface SlackRoutesOptions {
  readonly inlet: SlackInlet;
  readonly signatures: SlackSignatures;
  readonly workspaces: SlackWorkspaces;
  readonly now: () => number;
  /** Told of every request that is not from Slack. */
  readonly onDenied: (refusal: Refusal, ip: string) => void;
  readonly onFault: (error: unknown) => void;
}

/** Slack sends the message with each press, so a body is larger than what we read of it. */
const MAX_BODY_BYTES = 512 << 10;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * What Slack posts. These routes stand on Fastify itself, because the signature is over the bytes of the body: nothing may parse it before
 * the signature was found good, and the application's own parsers must not learn about forms.
 */
export function registerSlackRoutes(scope: FastifyScope, options: SlackRoutesOptions): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, async (_request, body) => body);
  scope.setErrorHandler(async (error, request, reply) => {
    const refusal = refusalOf(error, options.onFault);
    if (refusal.code === 'signature_invalid') options.onDenied(refusal, request.ip);
    return refuse(reply, refusal);
  });
  // access: Slack's signature over the body, made with the signing secret of a tenant's app
  scope.post('/slack/interactions', { bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
    const { fields, from } = signed(request, options);
    return answer(reply, await options.inlet.interaction(json(fields.get('payload')), from));
  });
  // access: Slack's signature over the body, made with the signing secret of a tenant's app
  scope.post('/slack/commands', { bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
    const { fields, from } = signed(request, options);
    // Slack looks now and then whether somebody is there.
    if (fields.has('ssl_check')) return answer(reply, null);
    return answer(reply, await options.inlet.command(Object.fromEntries(fields), from));
  });
}

function signed(request: FastifyRequestLike, { signatures, workspaces, now }: SlackRoutesOptions): { readonly fields: URLSearchParams; readonly from: (workspace: SlackWorkspace) => boolean } {
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  const all = workspaces.all();
  const secrets = all.map(({ signingSecret }) => signingSecret);
  const signer = signatures.check({ timestamp: headerOf(request, 'x-slack-request-timestamp'), signature: headerOf(request, 'x-slack-signature'), body }, secrets, now());
  if (signer === null) throw new Refusal('signature_invalid');
  const secret = secrets[signer];
  return { fields: new URLSearchParams(text(body)), from: (workspace) => workspace.signingSecret === secret };
}

function text(body: Uint8Array): string {
  try {
    return UTF8.decode(body);
  } catch {
    throw new Refusal('request_invalid');
  }
}

function json(payload: string | null): unknown {
  try {
    return JSON.parse(payload ?? '');
  } catch {
    throw new Refusal('request_invalid');
  }
}

function headerOf(request: FastifyRequestLike, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function answer(reply: FastifyReplyLike, body: InletAnswer): FastifyReplyLike {
  if (body === null) return reply.code(200).send();
  return reply.code(200).headers({ 'content-type': 'application/json; charset=utf-8' }).send(JSON.stringify(body));
}

function refuse(reply: FastifyReplyLike, { code, entry }: Refusal): FastifyReplyLike {
  const problem = { type: `urn:holdfast:error:${code}`, title: entry.sentence, status: entry.http, code };
  return reply.code(entry.http).headers({ 'content-type': 'application/problem+json' }).send(JSON.stringify(problem));
}

const BY_STATUS: Readonly<Record<number, ErrorCode>> = { 400: 'request_invalid', 413: 'body_too_large', 415: 'unsupported_media_type' };

function refusalOf(error: unknown, onFault: (error: unknown) => void): Refusal {
  if (error instanceof Refusal) return error;
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  const code = typeof status === 'number' ? BY_STATUS[status] : undefined;
  if (code) return new Refusal(code);
  onFault(error);
  return new Refusal('internal');
}
