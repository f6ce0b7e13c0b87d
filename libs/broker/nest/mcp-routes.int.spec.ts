import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { config, SpecBroker, specClock, specIds } from '#libs/testing';
import { AuthenticationGate } from './authentication-gate.ts';
import { BrokerModule } from './broker-module.ts';

const token = (letter: string): string => `hf_${letter.repeat(43)}`;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const key = (id: string, letter: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  id,
  tenant: 'acme',
  user: 'ada',
  client: 'cli',
  roles: ['agent'],
  sha256: sha256(token(letter)),
  ...more,
});

let spec: SpecBroker;
let app: NestFastifyApplication;
let port: number;

beforeEach(async () => {
  spec = new SpecBroker(
    config({
      identity: {
        keys: [
          key('agent', 'a'),
          key('auditor', 'b', { roles: ['auditor'] }),
          key('old', 'c', { expiresAt: '2020-01-01T00:00:00Z' }),
          key('globex', 'd', { tenant: 'globex', user: 'eve' }),
        ],
      },
    }),
  );
  class App {}
  const broker = BrokerModule.register({
    useFactory: () => ({
      broker: spec.broker,
      gate: new AuthenticationGate({ authenticator: spec.broker.keys, recorder: spec.recorder, clock: specClock, ids: specIds }),
      hosts: ['gate.acme.test'],
      onFault: (error) => spec.faults.push(error),
    }),
  });
  Module({ imports: [broker] })(App);
  app = await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  port = (app.getHttpServer().address() as { port: number }).port;
});

afterEach(async () => {
  await app.close();
  if (spec.faults.length > 0) throw new Error('a request was answered with a fault', { cause: spec.faults[0] });
});

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

function send(path: string, options: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {}): Promise<Reply> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${token('a')}`,
    ...options.headers,
  };
  for (const [name, value] of Object.entries(headers)) if (value === '') delete (headers as Record<string, string>)[name];
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', path, method: options.method ?? 'POST', headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    request.on('error', reject);
    request.end(options.body);
  });
}

const META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: META } });
const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
const codeOf = ({ body }: Reply): unknown => (JSON.parse(body) as { error?: { data?: { code?: unknown } } }).error?.data?.code;

describe('the MCP routes', () => {
  it('serve both paths', async () => {
    for (const path of ['/mcp', '/mcp/s/billing']) {
      const reply = await send(path, { headers: modern, body: list });
      expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
      expect(reply.body).toContain('refund');
    }
    expect((await send('/mcp/s/nothing', { headers: modern, body: list })).status).toBe(404);
    expect((await send('/mcp/s/%E9', { headers: modern, body: list })).status).toBeGreaterThanOrEqual(400);
  });

  it.each([
    [{ host: 'evil.test' }, 421, 'host_denied'],
    [{ host: 'localhost.evil.test' }, 421, 'host_denied'],
    [{ origin: 'https://evil.test' }, 403, 'origin_denied'],
    [{ origin: 'null' }, 403, 'origin_denied'],
  ])('turn away %j before the credential is looked at', async (headers, status, code) => {
    const reply = await send('/mcp', { headers: { ...modern, ...headers, authorization: `Bearer ${token('z')}` }, body: list });
    expect([reply.status, codeOf(reply)]).toEqual([status, code]);
    expect(spec.recorder.log).toEqual([]);
  });

  it.each([
    [{ host: 'gate.acme.test' }],
    [{ host: 'localhost:1' }],
    [{ origin: 'http://localhost:3000' }],
    [{ host: 'gate.acme.test', origin: 'https://gate.acme.test' }],
  ])('take %j', async (headers) => {
    expect((await send('/mcp', { headers: { ...modern, ...headers }, body: list })).status).toBe(200);
  });

  it.each([
    ['', 401, 'unauthenticated', undefined],
    ['Basic YTpi', 401, 'unauthenticated', undefined],
    ['Bearer nonsense', 401, 'token_malformed', undefined],
    [`Bearer ${token('z')}`, 401, 'token_unknown', undefined],
    [`Bearer ${token('c')}`, 401, 'token_expired', 'old'],
    [`Bearer ${token('b')}`, 403, 'forbidden', 'auditor'],
  ])('refuse the credential %s, say so in the system log, and nothing more', async (authorization, status, code, keyId) => {
    for (const method of ['POST', 'GET', 'DELETE']) {
      const reply = await send('/mcp/s/billing', {
        method,
        headers: { ...modern, authorization },
        ...(method === 'POST' ? { body: list } : {}),
      });
      expect([reply.status, codeOf(reply)]).toEqual([status, code]);
      expect(reply.headers['www-authenticate']).toBe(
        status === 401
          ? `Bearer resource_metadata="http://127.0.0.1:${port}/.well-known/oauth-protected-resource/mcp/s/billing"`
          : undefined,
      );
      expect(reply.body).not.toMatch(/hf_|"old"|auditor/);
    }
    expect(spec.recorder.log).toMatchObject([
      {
        type: 'auth.denied',
        tenant: '_system',
        actor: { via: 'mcp', ip: '127.0.0.1' },
        data: { code, endpoint: '/mcp/s/billing', count: 1, ...(keyId === undefined ? {} : { key: keyId }) },
      },
    ]);
  });

  it('tell at the end of failures that were counted only', async () => {
    for (let i = 0; i < 5; i++) await send('/mcp', { headers: { authorization: 'Bearer nonsense' }, body: list });
    await app.close();
    expect(spec.recorder.log.map((event) => (event.type === 'auth.denied' ? event.data.count : 0))).toEqual([1, 4]);
  });

  it.each<[string, string | Buffer, Record<string, string>, number, string]>([
    ['not JSON', '{"jsonrpc"', {}, 400, 'parse_error'],
    ['nothing', '', {}, 400, 'parse_error'],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), {}, 400, 'parse_error'],
    ['a byte order mark', `\ufeff${list}`, {}, 400, 'parse_error'],
    ['a batch', `[${list}]`, {}, 400, 'batch_not_supported'],
    ['duplicate keys', list.replace('{', '{"id":2,'), {}, 400, 'not_canonical'],
    ['form data', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'unsupported_media_type'],
    ['no type', list, { 'content-type': '' }, 415, 'unsupported_media_type'],
    ['five megabytes', Buffer.alloc(5_000_000, 0x20), {}, 413, 'body_too_large'],
  ])('answer a body that is %s', async (_, body, headers, status, code) => {
    const reply = await send('/mcp', { headers: { ...modern, ...headers }, body });
    expect([reply.status, codeOf(reply)]).toEqual([status, code]);
    expect(reply.headers['content-type']).toContain('application/json');
  });

  it('answer a body that is too large even to a client that listens only after it has written all of it', async () => {
    const body = Buffer.alloc(100_000, 0x20);
    const head = `POST /mcp HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token('a')}\r\ncontent-type: application/json\r\n`;
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1').pause().on('error', reject);
      socket.write(`${head}content-length: ${60 * body.length}\r\n\r\n`);
      let left = 60;
      const next = (): void => {
        if (left-- > 0) socket.write(body, () => setImmediate(next));
        else socket.once('data', (chunk) => resolve(chunk.toString())).resume();
      };
      next();
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('do not take a body from somebody unknown', async () => {
    const reply = await send('/mcp', {
      headers: { ...modern, authorization: `Bearer ${token('z')}` },
      body: Buffer.alloc(5_000_000, 0x20),
    });
    expect([reply.status, codeOf(reply)]).toEqual([401, 'token_unknown']);
  });

  it('take four megabytes', async () => {
    const args = { text: 'x'.repeat((4 << 20) - 1_000) };
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'billing__refund', arguments: args, _meta: META },
    });
    const reply = await send('/mcp', { headers: { ...modern, 'mcp-method': 'tools/call', 'mcp-name': 'billing__refund' }, body });
    expect(reply.body).toBe('{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[]}}');
    expect(spec.upstreams.calls[0]?.call.params).toBe(`{"name":"refund","arguments":${JSON.stringify(args)}}`);
  });

  it('have nothing to read without a session', async () => {
    const reply = await send('/mcp', { method: 'GET' });
    expect([reply.status, codeOf(reply)]).toEqual([400, 'session_required']);
    const modern = await send('/mcp', { method: 'GET', headers: { 'mcp-protocol-version': '2026-07-28' } });
    expect([modern.status, modern.headers['allow'], codeOf(modern)]).toEqual([405, 'POST', 'method_not_allowed']);
  });

  it('keep tenants apart by the token alone', async () => {
    const headers = { ...modern, authorization: `Bearer ${token('d')}`, 'x-tenant': 'acme' };
    expect((await send('/mcp/s/billing', { headers, body: list })).status).toBe(404);
    expect((await send('/mcp', { headers, body: list })).body).not.toContain('billing');
  });

  it('say in RFC 9728 form what they are, to anybody, and the same whether a server exists or not', async () => {
    for (const path of ['', '/mcp', '/mcp/s/billing', '/mcp/s/nothing']) {
      const reply = await send(`/.well-known/oauth-protected-resource${path}`, { method: 'GET', headers: { authorization: '' } });
      expect([reply.status, JSON.parse(reply.body)]).toEqual([
        200,
        { resource: `http://127.0.0.1:${port}${path || '/mcp'}`, resource_name: 'Holdfast', bearer_methods_supported: ['header'] },
      ]);
    }
    expect((await send('/.well-known/oauth-protected-resource/mcp', { method: 'GET', headers: { host: 'evil.test' } })).status).toBe(421);
  });
});
