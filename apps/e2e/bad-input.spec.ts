import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, Caller } from './harness/caller.ts';
import { Caller as RawCaller } from './harness/caller.ts';
import { newKey } from './harness/holdfast.ts';
import { callsOf, events, expectProven, settled } from './harness/history.ts';
import { world, type World } from './harness/world.ts';

const MODERN = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'wit__read' };
const expired = newKey({ id: 'expired', tenant: 'acme', user: 'ada', client: 'e2e', roles: ['agent'], expiresAt: '2020-01-01T00:00:00Z' });
const foreign = newKey({ id: 'foreign', tenant: 'globex', user: 'eve', client: 'e2e', roles: ['agent', 'auditor'] });

describe('bad input: a clear error with a stable code, nothing executed, nothing leaked', () => {
  let w: World;
  let caller: Caller;
  beforeAll(async () => {
    w = await world({
      config: (base) => ({
        ...base,
        tenants: [...(base['tenants'] as object[]), { id: 'globex', name: 'Globex' }],
        identity: {
          users: [...(base['identity'] as { users: object[] }).users, { id: 'eve', tenant: 'globex' }],
          keys: [...(base['identity'] as { keys: object[] }).keys, expired.entry, foreign.entry],
        },
        policies: [...(base['policies'] as object[]), { id: 'globex-all', tenant: 'globex', effect: 'allow' }],
      }),
    });
    await w.installation.start();
    caller = w.caller();
  }, 90_000);
  afterAll(() => w.close(), 30_000);

  const codeOf = (answer: Answer): unknown => (answer.body.error?.data?.['code'] as string | undefined) ?? answer.body['code'] ?? (answer.body.result?._meta?.['dev.holdfast/call'] as { code?: string } | undefined)?.code;
  const callText = (args: string, extra = ''): string =>
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wit__read","arguments":${args},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"e2e","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}${extra}}`;
  const deep = (levels: number): string => `{"marker":"deep","a":${'['.repeat(levels)}${']'.repeat(levels)}}`;

  it.each<[name: string, body: () => string, status: number, code: string]>([
    ['not JSON', () => '{"jsonrpc":', 400, 'parse_error'],
    ['batch', () => `[${callText('{"marker":"batch"}')}]`, 400, 'batch_not_supported'],
    ['duplicate keys', () => callText('{"marker":"dup","marker":"dup2"}'), 400, 'not_canonical'],
    ['duplicate keys in another spelling', () => callText('{"marker":"dup","\\u006darker":"dup2"}'), 400, 'not_canonical'],
    ['40 levels deep', () => callText(deep(40)), 400, 'not_canonical'],
    ['a lone surrogate', () => callText('{"marker":"\\ud800"}'), 400, 'not_canonical'],
    ['a number that does not round-trip', () => callText('{"marker":"n","n":9007199254740993}'), 400, 'not_canonical'],
    ['5 MB', () => callText(`{"marker":"${'x'.repeat(5_000_000)}"}`), 413, 'body_too_large'],
    ['header and body disagree', () => callText('{"marker":"h"}').replace('"name":"wit__read"', '"name":"wit__write"'), 400, 'header_mismatch'],
  ])('%s', async (_name, body, status, code) => {
    const answer = await caller.raw(body(), MODERN);
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status, code });
  });

  it('a path that is no path has a stable code, and is not repeated', async () => {
    const response = await fetch(`${w.installation.url}/mcp/s/%ff-marker`);
    const body = await response.text();
    expect({ status: response.status, code: (JSON.parse(body) as { code?: string }).code }).toEqual({ status: 404, code: 'not_found' });
    expect(body).not.toContain('marker');
  });

  it.each([
    ['unknown tool', 'wit__nothing', { marker: 'u' }, 'tool_not_found'],
    ['arguments outside the schema', 'wit__read', { marker: 5 }, 'arguments_invalid'],
    ['missing argument', 'wit__read', {}, 'arguments_invalid'],
  ])('%s: refused as a result a model can read, and on record', async (_name, tool, args, code) => {
    const answer = await caller.call(tool, args);
    expect(answer.body.result?.isError).toBe(true);
    expect(answer.body.result?.content?.[0]?.text).toMatch(/^NOT EXECUTED: /);
    expect(codeOf(answer)).toBe(code);
  });

  it('a tool of another tenant looks exactly like one that does not exist', async () => {
    const other = new RawCaller(`${w.installation.url}/mcp`, foreign.token);
    const strip = (answer: Answer): string => JSON.stringify({ ...answer.body, id: 0 }).replace(/wit__read|wit__nothing/g, 'NAME').replace(/[0-9a-f-]{36}/g, 'ID');
    const real = await other.call('wit__read', { marker: 'x' });
    const none = await other.call('wit__nothing', { marker: 'x' });
    expect(strip(real)).toBe(strip(none));
    expect(codeOf(real)).toBe('tool_not_found');
    const list = await other.method('tools/list', {});
    expect(JSON.stringify(list.body)).not.toContain('wit__');
    await other.close();
  });

  it('another tenant sees no call, event or finding of this one', async () => {
    await caller.call('wit__read', { marker: 'mine' });
    await settled(w.installation, w.auditorToken);
    const seen = await events(w.installation, foreign.token);
    expect(seen.filter((event) => event.tenant !== 'globex')).toEqual([]);
    const mine = [...callsOf(await events(w.installation, w.auditorToken)).keys()][0]!;
    const response = await fetch(`${w.installation.url}/api/v1/calls/${mine}`, { headers: { authorization: `Bearer ${foreign.token}` } });
    expect(response.status).toBe(404);
  });

  it.each([
    ['no token', undefined, 'unauthenticated'],
    ['malformed token', 'nonsense', 'token_malformed'],
    ['unknown token', newKey({ id: 'x', tenant: 'acme', user: 'x', client: 'x', roles: [] }).token, 'token_unknown'],
    ['expired token', expired.token, 'token_expired'],
  ])('%s: 401 with a pointer to the metadata, and an event', async (_name, token, code) => {
    const nobody = new RawCaller(`${w.installation.url}/mcp`, token);
    const answer = await nobody.call('wit__read', { marker: 'nobody' });
    await nobody.close();
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 401, code });
    expect(answer.headers['www-authenticate']).toContain(`resource_metadata="${w.installation.url}/.well-known/oauth-protected-resource`);
    const api = await fetch(`${w.installation.url}/api/v1/calls`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
    expect(api.status).toBe(401);
    expect(JSON.stringify(await api.json())).not.toContain('"key"');
  });

  it('refused credentials are events of the system log, for the MCP edge and the API alike, counted when they repeat', async () => {
    await settled(w.installation, w.auditorToken);
    const { tokens } = JSON.parse(readFileSync(join(w.installation.data, 'running.json'), 'utf8')) as { tokens: Record<string, string> };
    const denied = (await events(w.installation, tokens['_system']!, { type: 'auth.denied' })).map((event) => event.data['code']);
    expect(new Set(denied)).toEqual(new Set(['unauthenticated', 'token_malformed', 'token_unknown', 'token_expired']));
  });

  it.each([
    ['foreign Origin', { origin: 'https://evil.example' }, 403, 'origin_denied'],
    ['foreign Host', { host: 'evil.example' }, 421, 'host_denied'],
  ])('%s', async (_name, headers, status, code) => {
    const answer = await caller.raw(callText('{"marker":"dns"}'), { ...MODERN, ...headers });
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status, code });
  });

  it('an agent may not read the log, and unknown API paths and fields are named', async () => {
    const as = (token: string, path: string, init: RequestInit = {}): Promise<globalThis.Response> => fetch(`${w.installation.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } });
    expect((await as(w.agentToken, '/api/v1/audit/events')).status).toBe(403);
    expect(await (await as(w.auditorToken, '/api/v1/nothing')).json()).toMatchObject({ code: 'not_found' });
    const unknown = await as(w.auditorToken, '/api/v1/audit/verify', { method: 'POST', body: JSON.stringify({ surprise: 1 }) });
    expect([unknown.status, ((await unknown.json()) as { detail?: string }).detail]).toEqual([400, expect.stringContaining('surprise')]);
  });

  it('none of this reached the upstream, and the log proves', async () => {
    expect([...w.upstream.executed.keys()]).toEqual(['mine']);
    const calls = await settled(w.installation, w.auditorToken);
    const denied = [...calls.values()].filter((call) => call.effect === 'deny');
    expect(denied.length).toBeGreaterThanOrEqual(3);
    expect(w.upstream.headers.some((headers) => JSON.stringify(headers).includes(w.agentToken))).toBe(false);
    await expectProven(w.installation);
  }, 60_000);
});
