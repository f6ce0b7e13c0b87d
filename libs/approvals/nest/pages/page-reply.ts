import { randomBytes } from 'node:crypto';
import { document, type Page } from './layout.ts';

export interface PageReply {
  readonly sent: boolean;
  status(code: number): PageReply;
  header(name: string, value: string): PageReply;
  send(body: string): unknown;
}

/** Nothing is cached, framed, loaded from elsewhere, or told to where a link leads. */
export function sendPage(reply: PageReply, status: number, page: Page): void {
  const nonce = randomBytes(18).toString('base64');
  const policy = [`default-src 'none'`, `style-src 'nonce-${nonce}'`, `script-src 'nonce-${nonce}'`, `connect-src 'self'`, `form-action 'self'`, `base-uri 'none'`, `frame-ancestors 'none'`];
  reply.status(status).header('content-type', 'text/html; charset=utf-8').header('content-security-policy', policy.join('; '));
  guarded(reply).send(document(page, nonce));
}

export function redirect(reply: PageReply, path: string, cookie?: string): void {
  if (cookie !== undefined) reply.header('set-cookie', cookie);
  guarded(reply.status(303).header('location', path)).send('');
}

function guarded(reply: PageReply): PageReply {
  return reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer').header('x-frame-options', 'DENY').header('x-robots-tag', 'noindex, nofollow');
}
