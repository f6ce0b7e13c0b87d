import { describe, expect, it } from '@jest/globals';
import type { Principal } from '#libs/ports';
import { ada, config, SpecBroker, tool } from '#libs/testing';
import type { McpReply } from './reply.ts';

const rpc = (method: string, params?: unknown, id: unknown = 1): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) });
const errorOf = (reply: McpReply): { code: number; data: { code: string; pointer?: string } } =>
  (JSON.parse(reply.body) as { error: { code: number; data: { code: string; pointer?: string } } }).error;
const initialize = (protocolVersion = '2025-11-25'): string =>
  rpc('initialize', { protocolVersion, capabilities: {}, clientInfo: { name: 'spec', version: '1' } });

async function session(spec: SpecBroker, more: { principal?: Principal; server?: string } = {}): Promise<Record<string, string>> {
  const reply = await spec.http(initialize(), more);
  return { 'mcp-session-id': reply.headers['mcp-session-id']!, 'mcp-protocol-version': '2025-11-25' };
}

describe('bodies that are not a message', () => {
  it.each([
    ['not JSON', '{"a":', 400, -32700, 'parse_error', undefined],
    ['nothing', '', 400, -32700, 'parse_error', undefined],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400, -32600, 'batch_not_supported', undefined],
    ['a batch with duplicate keys', '[{"a":1,"a":2}]', 400, -32600, 'batch_not_supported', undefined],
    ['an empty batch', '[]', 400, -32600, 'batch_not_supported', undefined],
    ['a number', '1', 400, -32600, 'invalid_request', undefined],
    ['no version', '{"id":1,"method":"ping"}', 400, -32600, 'invalid_request', undefined],
    ['a null id', '{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, -32600, 'invalid_request', undefined],
    ['a broken id', '{"jsonrpc":"2.0","id":1.5,"method":"ping"}', 400, -32600, 'invalid_request', undefined],
    ['params that are a list', '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 400, -32602, 'invalid_params', undefined],
    [
      'duplicate keys',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":1,"a":2}}}',
      400,
      -32602,
      'not_canonical',
      '/params/arguments/a',
    ],
    [
      'a lone surrogate',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":["\\ud800"]}}}',
      400,
      -32602,
      'not_canonical',
      '/params/arguments/a/0',
    ],
    [
      'a number beyond a double',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"n":9007199254740993}}}',
      400,
      -32602,
      'not_canonical',
      '/params/arguments/n',
    ],
    [
      'an infinite number',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"n":1e999}}}',
      400,
      -32602,
      'not_canonical',
      '/params/arguments/n',
    ],
  ])('%s', async (_, body, status, code, name, pointer) => {
    const spec = new SpecBroker();
    const reply = await spec.http(body);
    expect(reply.status).toBe(status);
    expect(errorOf(reply)).toMatchObject({ code, data: { code: name, ...(pointer === undefined ? {} : { pointer }) } });
    expect(spec.recorder.log).toEqual([]);
  });

  it('arguments may nest 32 deep and no deeper', async () => {
    const spec = new SpecBroker();
    const headers = await session(spec);
    const nested = (depth: number): string =>
      `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"billing__refund","arguments":${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}}}`;
    expect(JSON.parse((await spec.http(nested(32), { headers })).body)).toHaveProperty('result.content');
    const reply = await spec.http(nested(33), { headers });
    expect(errorOf(reply)).toMatchObject({ data: { code: 'not_canonical', reason: 'depth' } });
    expect(JSON.parse(reply.body)).toMatchObject({ id: 7 });
    expect(spec.upstreams.calls).toHaveLength(1);
  });

  it.each([
    [{ 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    [{ 'content-type': 'application/jsonx' }, 415, 'unsupported_media_type'],
    [{ accept: 'text/html' }, 406, 'not_acceptable'],
  ])('headers %j', async (headers, status, code) => {
    const reply = await new SpecBroker().http(initialize(), { headers });
    expect([reply.status, errorOf(reply).data.code]).toEqual([status, code]);
  });

  it('methods other than POST, GET and DELETE are not allowed', async () => {
    for (const method of ['PUT', 'PATCH']) {
      const reply = await new SpecBroker().http('', { method });
      expect([reply.status, reply.headers['allow']]).toEqual([405, 'POST, GET, DELETE']);
    }
  });
});

describe('the legacy era', () => {
  it.each([
    ['2025-11-25', '2025-11-25'],
    ['2025-06-18', '2025-06-18'],
    ['2025-03-26', '2025-03-26'],
    ['2024-11-05', '2025-11-25'],
    ['2099-01-01', '2025-11-25'],
  ])('asked for %s opens a session in %s, and says so in the log', async (asked, given) => {
    const spec = new SpecBroker();
    const reply = await spec.http(initialize(asked));
    expect(JSON.parse(reply.body)).toMatchObject({
      result: { protocolVersion: given, capabilities: { tools: {} }, serverInfo: { name: 'holdfast' } },
    });
    expect(reply.headers['mcp-session-id']).toMatch(/^[\x21-\x7e]+$/);
    expect(spec.recorder.log).toMatchObject([
      { type: 'auth.session_opened', tenant: 'acme', data: { protocol: given, endpoint: '/mcp', claimedClient: 'spec/1' } },
    ]);
  });

  it('opens no session that cannot be recorded', async () => {
    const spec = new SpecBroker();
    spec.recorder.failOn('auth.session_opened', 'down');
    const reply = await spec.http(initialize());
    expect([reply.status, errorOf(reply).data.code, reply.headers['mcp-session-id']]).toEqual([503, 'journal_unavailable', undefined]);
  });

  it('lists and pings in a session; the session names the client of each call', async () => {
    const spec = new SpecBroker();
    const headers = await session(spec);
    expect((await spec.http('{"jsonrpc":"2.0","method":"notifications/initialized"}', { headers })).status).toBe(202);
    expect(JSON.parse((await spec.http(rpc('ping'), { headers })).body)).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    const list = JSON.parse((await spec.http(rpc('tools/list', undefined, 'abc'), { headers })).body) as {
      id: string;
      result: Record<string, unknown>;
    };
    expect(list.id).toBe('abc');
    expect(Object.keys(list.result)).toEqual(['tools']);
    await spec.http(rpc('tools/call', { name: 'billing__list', arguments: {} }), { headers });
    expect(spec.recorder.log.find((event) => event.type === 'call.requested')).toMatchObject({
      data: { protocol: '2025-11-25', claimedClient: 'spec/1' },
    });
  });

  it('answers unknown methods in band', async () => {
    const spec = new SpecBroker();
    const reply = await spec.http(rpc('tasks/list'), { headers: await session(spec) });
    expect([reply.status, errorOf(reply).code]).toEqual([200, -32601]);
  });

  it('needs a session, and knows no session of anybody else', async () => {
    const spec = new SpecBroker();
    const refused = async (
      headers: Record<string, string>,
      more: { principal?: Principal; server?: string } = {},
    ): Promise<[number, string]> => {
      const reply = await spec.http(rpc('tools/list'), { headers, ...more });
      return [reply.status, errorOf(reply).data.code];
    };
    const headers = await session(spec);
    expect(await refused({})).toEqual([400, 'session_required']);
    expect(await refused({ 'mcp-session-id': 'made-up' })).toEqual([404, 'session_unknown']);
    expect(await refused({ 'mcp-session-id': 'x'.repeat(5_000) })).toEqual([404, 'session_unknown']);
    for (const other of [{ tenant: 'globex' }, { user: 'eve' }, { client: 'web' }, { agent: 'other' }]) {
      expect(await refused(headers, { principal: { ...ada, ...other } })).toEqual([404, 'session_unknown']);
    }
    const { agent: _, ...person } = ada;
    expect(await refused(headers, { principal: person })).toEqual([404, 'session_unknown']);
    expect(await refused(headers, { server: 'billing' })).toEqual([404, 'session_unknown']);
    expect((await spec.http(rpc('tools/list'), { headers })).status).toBe(200);
  });

  it('ends sessions', async () => {
    const spec = new SpecBroker();
    const headers = await session(spec);
    expect((await spec.http('', { method: 'DELETE', headers })).status).toBe(204);
    expect(spec.recorder.types()).toEqual(['auth.session_opened', 'auth.session_closed']);
    expect((await spec.http(rpc('tools/list'), { headers })).status).toBe(404);
    expect((await spec.http('', { method: 'DELETE', headers })).status).toBe(404);
    expect((await spec.http('', { method: 'DELETE' })).status).toBe(400);
  });

  it('refuses versions it does not speak', async () => {
    const spec = new SpecBroker();
    const headers = { ...(await session(spec)), 'mcp-protocol-version': '1999-01-01' };
    expect(errorOf(await spec.http(rpc('ping'), { headers }))).toMatchObject({
      code: -32022,
      data: { supported: expect.arrayContaining(['2025-11-25']) },
    });
  });

  it('takes the word for completeness out of results of the other era', async () => {
    const spec = new SpecBroker();
    spec.upstreams.answer = () => ({ kind: 'result', text: '{"content":[],"resultType":"complete","n":1.50}' });
    const reply = await spec.http(rpc('tools/call', { name: 'billing__list' }), { headers: await session(spec) });
    expect(reply.body).toBe('{"jsonrpc":"2.0","id":1,"result":{"content":[],"n":1.50}}');
  });
});

describe('the modern era', () => {
  it('tells what it serves, without a session', async () => {
    const reply = await new SpecBroker().modern('server/discover');
    expect(JSON.parse(reply.body)).toMatchObject({
      result: {
        resultType: 'complete',
        supportedVersions: ['2026-07-28'],
        capabilities: { tools: {} },
        ttlMs: expect.any(Number),
        cacheScope: 'private',
      },
    });
    expect(reply.headers['mcp-session-id']).toBeUndefined();
  });

  it('lists privately, without members that the era has not', async () => {
    const spec = new SpecBroker();
    spec.upstreams.lists.set('billing', [
      tool('list', { title: 'T', execution: { taskSupport: 'optional' }, _meta: { 'x/y': 1 }, icons: [{ src: 'data:' }] }),
    ]);
    const { result } = JSON.parse((await spec.modern('tools/list')).body) as { result: Record<string, unknown> };
    expect(result).toMatchObject({
      resultType: 'complete',
      cacheScope: 'private',
      tools: [{ name: 'billing__list', title: 'T', _meta: { 'x/y': 1 }, icons: [{ src: 'data:' }] }],
    });
    expect(JSON.stringify(result)).not.toContain('execution');
    const legacy = JSON.parse((await spec.http(rpc('tools/list'), { headers: await session(spec) })).body) as { result: unknown };
    expect(legacy.result).toEqual({
      tools: [
        {
          name: 'billing__list',
          title: 'T',
          inputSchema: { type: 'object' },
          execution: { taskSupport: 'optional' },
          _meta: { 'x/y': 1 },
          icons: [{ src: 'data:' }],
        },
      ],
    });
  });

  it.each<[string, Record<string, string | undefined>, number, number]>([
    ['no version header', { 'mcp-protocol-version': undefined }, 400, -32020],
    ['another version header', { 'mcp-protocol-version': '2025-11-25' }, 400, -32020],
    ['no method header', { 'mcp-method': undefined }, 400, -32020],
    ['another method header', { 'mcp-method': 'tools/list' }, 400, -32020],
    ['no name header', { 'mcp-name': undefined }, 400, -32020],
    ['another name header', { 'mcp-name': 'billing__purge' }, 400, -32020],
    ['a damaged name header', { 'mcp-name': '=?base64?!!?=' }, 400, -32020],
  ])('refuses a call with %s, unrecorded and unsent', async (_, headers, status, code) => {
    const spec = new SpecBroker();
    const reply = await spec.modern(
      'tools/call',
      { name: 'billing__refund', arguments: {} },
      { headers: headers as Record<string, string> },
    );
    expect([reply.status, errorOf(reply).code]).toEqual([status, code]);
    expect([spec.recorder.log, spec.upstreams.calls]).toEqual([[], []]);
  });

  it('reads a name header in base64', async () => {
    const spec = new SpecBroker();
    const headers = { 'mcp-name': `=?base64?${Buffer.from('billing__list').toString('base64')}?=` };
    expect((await spec.modern('tools/call', { name: 'billing__list' }, { headers })).status).toBe(200);
  });

  it.each([
    [
      'an unknown version',
      { 'io.modelcontextprotocol/protocolVersion': '2027-01-01' },
      { 'mcp-protocol-version': '2027-01-01' },
      400,
      -32022,
    ],
    ['no capabilities', { 'io.modelcontextprotocol/clientCapabilities': undefined }, {}, 400, -32602],
    ['a version that is no text', { 'io.modelcontextprotocol/protocolVersion': 5 }, {}, 400, -32602],
    ['a nameless client', { 'io.modelcontextprotocol/clientInfo': {} }, {}, 400, -32602],
  ])('refuses %s', async (_, _meta, headers, status, code) => {
    const reply = await new SpecBroker().modern('tools/list', { _meta }, { headers });
    expect([reply.status, errorOf(reply).code]).toEqual([status, code]);
  });

  it('names the versions it serves to whoever asks for another one', async () => {
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2027-01-01' };
    const reply = await new SpecBroker().modern('tools/list', { _meta }, { headers: { 'mcp-protocol-version': '2027-01-01' } });
    expect(errorOf(reply).data).toMatchObject({ supported: ['2026-07-28'], requested: '2027-01-01' });
  });

  it('refuses a modern header without the claim in the body, and a claim on the legacy handshake', async () => {
    const spec = new SpecBroker();
    const headers = { 'mcp-protocol-version': '2026-07-28' };
    expect(errorOf(await spec.http(rpc('tools/list'), { headers })).code).toBe(-32602);
    expect(errorOf(await spec.http(initialize(), { headers })).code).toBe(-32020);
  });

  it('answers unknown and removed methods with 404', async () => {
    for (const method of ['ping', 'initialize', 'resources/subscribe', 'logging/setLevel', 'tasks/get', 'constructor']) {
      const reply = await new SpecBroker().modern(method);
      expect([method, reply.status, errorOf(reply).code]).toEqual([method, 404, -32601]);
    }
  });

  it('compares Mcp-Param headers with the arguments and makes them for the upstream server', async () => {
    const spec = new SpecBroker();
    const inputSchema = {
      type: 'object',
      properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, n: { type: 'integer', 'x-mcp-header': 'N' } },
    };
    spec.upstreams.lists.set('billing', [tool('list', { inputSchema })]);
    const call = (args: object, headers: Record<string, string>): Promise<McpReply> =>
      spec.modern('tools/call', { name: 'billing__list', arguments: args }, { headers });
    expect(errorOf(await call({ region: 'eu' }, {})).code).toBe(-32020);
    expect(errorOf(await call({ region: 'eu' }, { 'mcp-param-region': 'us' })).code).toBe(-32020);
    expect(spec.upstreams.calls).toEqual([]);
    expect(
      (
        await call(
          { region: 'é', n: 42 },
          { 'mcp-param-region': `=?base64?${Buffer.from('é').toString('base64')}?=`, 'mcp-param-n': '42.0' },
        )
      ).status,
    ).toBe(200);
    expect((await call({}, { 'mcp-param-region': 'ignored' })).status).toBe(200);
    expect(spec.upstreams.calls.map((each) => each.call.paramHeaders)).toEqual([
      { 'mcp-param-region': '=?base64?w6k=?=', 'mcp-param-n': '42' },
      {},
    ]);
  });

  it('takes notifications', async () => {
    const reply = await new SpecBroker().http('{"jsonrpc":"2.0","method":"notifications/cancelled"}', {
      headers: { 'mcp-protocol-version': '2026-07-28' },
    });
    expect(reply).toEqual({ status: 202, headers: {}, body: '' });
  });
});

describe('long lists', () => {
  it('come in pages, each tool once, in a stable order', async () => {
    const spec = new SpecBroker(config({ policies: [{ id: 'all', tenant: 'acme', effect: 'allow' }] }));
    spec.upstreams.lists.set(
      'billing',
      Array.from({ length: 1_234 }, (_, i) => tool(`tool_${(i * 7919) % 1_234}`)),
    );
    const names: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const { result } = JSON.parse((await spec.modern('tools/list', cursor === undefined ? {} : { cursor })).body) as {
        result: { tools: { name: string }[]; nextCursor?: string };
      };
      names.push(...result.tools.map(({ name }) => name));
      cursor = result.nextCursor;
      pages++;
    } while (cursor !== undefined);
    expect([pages, names.length, new Set(names).size, names[1]]).toEqual([3, 1_234, 1_234, 'billing__tool_1']);
    expect(errorOf(await spec.modern('tools/list', { cursor: 'bm9wZQ' })).code).toBe(-32602);
    expect(errorOf(await spec.modern('tools/list', { cursor: 5 })).code).toBe(-32602);
  });
});

describe('what a client says of its call', () => {
  it.each([
    [{ 'dev.holdfast/idempotencyKey': 'x'.repeat(201) }],
    [{ 'dev.holdfast/run': 5 }],
    [{ 'dev.holdfast/run': 'x'.repeat(129) }],
    [{ 'dev.holdfast/reason': '' }],
  ])('is refused where it has the wrong form: %j', async (_meta) => {
    const spec = new SpecBroker();
    const reply = await spec.modern('tools/call', { name: 'billing__list', _meta });
    expect(errorOf(reply)).toMatchObject({ code: -32602 });
    expect(spec.recorder.log).toEqual([]);
  });

  it('a trace that is none is not continued', async () => {
    const spec = new SpecBroker();
    await spec.call('billing__list', {}, { _meta: { traceparent: 'nonsense' } });
    expect(spec.recorder.log[0]?.links.trace).toBeUndefined();
  });
});
