import { describe, expect, it } from '@jest/globals';
import { ada, bodyOf, config, LegacyClient, MemoryChannel, type RpcBody, server, SpecBroker } from '#libs/testing';
import type { UpstreamAnswer, UpstreamCall } from '../upstream/upstreams.ts';

const policies = [
  { id: 'everything', tenant: 'acme', effect: 'allow' },
  { id: 'no-salaries', tenant: 'acme', effect: 'deny', match: { methods: ['resources/*'], tools: ['file:///salaries*'] } },
  { id: 'no-secret-prompt', tenant: 'acme', effect: 'deny', match: { methods: ['prompts/get'], tools: ['secret'] } },
];
const MODERN = '2026-07-28';
const P = 'io.modelcontextprotocol/';

function broker(): SpecBroker {
  const spec = new SpecBroker(config({ policies, servers: [server('billing'), server('files')] }));
  spec.upstreams.lists.set('files', []);
  spec.upstreams.others.set('billing prompts', [{ name: 'greet', arguments: [{ name: 'who' }] }, { name: 'secret' }]);
  spec.upstreams.others.set('files resources', [{ uri: 'file:///a.txt', name: 'a', size: 1 }, { uri: 'file:///salaries.csv', name: 's' }]);
  spec.upstreams.others.set('files resourceTemplates', [{ uriTemplate: 'file:///logs/{day}', name: 'logs' }]);
  return spec;
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What the upstream server was asked, and how it is answered when the spec says so. */
function held(spec: SpecBroker): { readonly calls: UpstreamCall[]; answer(text?: string): void } {
  const calls: UpstreamCall[] = [];
  const waiting: ((answer: UpstreamAnswer) => void)[] = [];
  spec.upstreams.answer = (call) => {
    calls.push(call);
    return new Promise((resolve) => {
      waiting.push(resolve);
      call.cancellation.onCancel((reason) => resolve({ kind: 'lost', reason }));
    });
  };
  return { calls, answer: (text = '{"content":[]}') => waiting.shift()!({ kind: 'result', text }) };
}

describe('prompts', () => {
  it('are listed and got by their exposed names, as they are, and recorded like tool calls', async () => {
    const spec = broker();
    spec.upstreams.answer = () => ({ kind: 'result', text: '{"messages":[ 1.0 ]}' });
    const client = await LegacyClient.open(spec);
    expect((await client.ask('prompts/list')).result).toEqual({ prompts: [{ name: 'billing__greet', arguments: [{ name: 'who' }] }] });
    const reply = await client.send({ id: 1, method: 'prompts/get', params: { name: 'billing__greet', arguments: { who: 'Ada' } } });
    expect(reply.body).toBe('{"jsonrpc":"2.0","id":1,"result":{"messages":[ 1.0 ]}}');
    expect(spec.upstreams.calls[0]?.call).toMatchObject({ method: 'prompts/get', named: 'greet', params: '{"name":"greet","arguments":{"who":"Ada"}}' });
    expect(spec.recorder.log.find(({ type }) => type === 'call.requested')).toMatchObject({
      data: { method: 'prompts/get', server: 'billing', tool: 'greet', exposed: 'billing__greet', class: 'read' },
      seal: { '/args': { who: 'Ada' } },
    });
    expect(spec.recorder.log.find(({ type }) => type === 'call.completed')).toMatchObject({ data: { outcome: 'succeeded', rollback: 'not-needed' } });
  });

  it('that policy denies look like ones that are not there, and are recorded as denied', async () => {
    const spec = broker();
    const client = await LegacyClient.open(spec, {}, 'billing');
    const [hidden, unknown] = [await client.ask('prompts/get', { name: 'secret' }), await client.ask('prompts/get', { name: 'nope_y' })];
    const shape = ({ error }: RpcBody): unknown => ({ ...error, data: { ...error?.data, callId: '' } });
    expect(shape(hidden)).toEqual(shape(unknown));
    expect(hidden.error).toMatchObject({ code: -32602, data: { code: 'prompt_not_found', disposition: 'not_executed' } });
    expect(spec.upstreams.calls).toEqual([]);
    expect(spec.recorder.types().filter((type) => type === 'policy.decided')).toHaveLength(2);
  });

  it('and their arguments are completed under the names that their server gave them', async () => {
    const spec = broker();
    spec.upstreams.answer = () => ({ kind: 'result', text: '{"completion":{"values":["Ada"]}}' });
    const client = await LegacyClient.open(spec);
    const params = { ref: { type: 'ref/prompt', name: 'billing__greet' }, argument: { name: 'who', value: 'A' }, context: { arguments: { x: 'y' } } };
    expect((await client.ask('completion/complete', params)).result).toEqual({ completion: { values: ['Ada'] } });
    expect(JSON.parse(spec.upstreams.calls[0]!.call.params)).toEqual({ ...params, ref: { type: 'ref/prompt', name: 'greet' } });
    expect((await client.ask('completion/complete', { ...params, ref: { type: 'ref/prompt', name: 'billing__secret' } })).error?.code).toBe(-32602);
    expect(spec.recorder.types()).not.toContain('call.requested');
    for (const [answer, code] of [
      [{ kind: 'not_sent', reason: 'cancelled' }, 'cancelled'],
      [{ kind: 'not_sent', reason: 'busy' }, 'overloaded'],
      [{ kind: 'lost', reason: 'stopped' }, 'stopping'],
    ] as const) {
      spec.upstreams.answer = () => answer;
      expect((await client.ask('completion/complete', params)).error?.data).toMatchObject({ code });
    }
  });
});

describe('resources', () => {
  it('are listed and read under their own URIs, by whoever lists them or has a template like them', async () => {
    const spec = broker();
    spec.upstreams.answer = () => ({ kind: 'result', text: '{"contents":[]}' });
    const client = await LegacyClient.open(spec);
    expect((await client.ask('resources/list')).result).toEqual({ resources: [{ uri: 'file:///a.txt', name: 'a', size: 1 }] });
    expect((await client.ask('resources/templates/list')).result).toEqual({ resourceTemplates: [{ uriTemplate: 'file:///logs/{day}', name: 'logs' }] });
    for (const uri of ['file:///a.txt', 'file:///logs/monday', 'other://x']) expect((await client.ask('resources/read', { uri })).result).toEqual({ contents: [] });
    expect(spec.upstreams.calls.map(({ server: id, call }) => [id, call.params])).toEqual([
      ['files', '{"uri":"file:///a.txt"}'],
      ['files', '{"uri":"file:///logs/monday"}'],
      // Only one server has resources at all.
      ['files', '{"uri":"other://x"}'],
    ]);
    expect(spec.recorder.log.find(({ type }) => type === 'call.requested')).toMatchObject({
      data: { method: 'resources/read', tool: 'file:///a.txt', toolHash: null, class: 'read-sensitive' },
      seal: { '/args': { uri: 'file:///a.txt' } },
    });
  });

  it('that policy denies are not there, in the words of either era', async () => {
    const spec = broker();
    const client = await LegacyClient.open(spec);
    expect((await client.ask('resources/read', { uri: 'file:///salaries.csv' })).error).toMatchObject({ code: -32002, data: { code: 'resource_not_found' } });
    const reply = await spec.modern('resources/read', { uri: 'file:///salaries.csv' }, { headers: { 'mcp-name': 'file:///salaries.csv' } });
    expect([reply.status, bodyOf(reply).error?.code]).toEqual([200, -32602]);
    expect(spec.upstreams.calls).toEqual([]);
  });

  it('are read where they are listed from, also when another server has a hidden one of the same URI', async () => {
    const hidden = { id: 'not-there', tenant: 'acme', effect: 'deny', match: { methods: ['resources/*'], servers: ['billing'] } };
    const spec = new SpecBroker(config({ policies: [...policies, hidden], servers: [server('billing'), server('files')] }));
    spec.upstreams.lists.set('files', []);
    for (const id of ['billing', 'files']) spec.upstreams.others.set(`${id} resources`, [{ uri: 'file:///a.txt', name: id }]);
    spec.upstreams.answer = () => ({ kind: 'result', text: '{"contents":[]}' });
    const client = await LegacyClient.open(spec);
    expect((await client.ask('resources/list')).result).toEqual({ resources: [{ uri: 'file:///a.txt', name: 'files' }] });
    expect((await client.ask('resources/read', { uri: 'file:///a.txt' })).result).toEqual({ contents: [] });
    expect(spec.upstreams.calls.map(({ server: id }) => id)).toEqual(['files']);
  });

  it.each([
    ['tools/call', { name: 'billing__purge' }, { name: 'billing__nope' }],
    ['prompts/get', { name: 'billing__secret' }, { name: 'billing__nope' }],
    ['resources/read', { uri: 'file:///salaries.csv' }, { uri: 'file:///nope.csv' }],
  ])('%s of what is hidden asks its server as often as of what is not there', async (method, secret, unknown) => {
    const spec = broker();
    const all = { id: 'no-purge', tenant: 'acme', effect: 'deny', match: { tools: ['purge', 'file:///*'] } };
    spec.broker.use(config({ policies: [...policies, all], servers: [server('billing'), server('files')] }), 8);
    const client = await LegacyClient.open(spec);
    let asked = 0;
    const list = spec.upstreams.list.bind(spec.upstreams);
    spec.upstreams.list = (of, kind) => (asked++, list(of, kind));
    const times = async (params: object): Promise<number> => {
      const before = asked;
      for (let n = 0; n < 3; n++) {
        spec.aheadMs += 2_000;
        await client.ask(method, params);
      }
      return asked - before;
    };
    await times(unknown);
    expect(await times(secret)).toBe(await times(unknown));
  });

  it('say to modern clients that their content must not be kept, unless their server said otherwise', async () => {
    const spec = broker();
    const read = async (text: string): Promise<unknown> => {
      spec.upstreams.answer = () => ({ kind: 'result', text });
      return bodyOf(await spec.modern('resources/read', { uri: 'file:///a.txt' }, { headers: { 'mcp-name': 'file:///a.txt' } })).result;
    };
    expect(await read('{"contents":[]}')).toEqual({ resultType: 'complete', contents: [], ttlMs: 0, cacheScope: 'private' });
    const own = { resultType: 'complete', contents: [], ttlMs: 9, cacheScope: 'public' };
    expect(await read(JSON.stringify(own))).toEqual(own);
  });
});

describe('while a call is under way', () => {
  const call = { id: 7, method: 'tools/call', params: { name: 'billing__refund', _meta: { progressToken: 'mine' } } };

  it('its progress reaches the caller, under the token that the caller gave', async () => {
    const spec = broker();
    const upstream = held(spec);
    const client = await LegacyClient.open(spec);
    const channel = new MemoryChannel();
    const answer = client.send(call, channel);
    while (upstream.calls.length === 0) await tick();
    expect(upstream.calls[0]).toMatchObject({ meta: {}, client: { wantsProgress: true } });
    upstream.calls[0]!.client!.notify('notifications/progress', `{"progressToken":"${upstream.calls[0]!.requestId}","progress":1.0}`);
    upstream.answer();
    await answer;
    expect(channel.sent).toEqual([{ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'mine', progress: 1 } }]);
  });

  it('nothing precedes the answer of a client that takes no streams, or did not ask for progress', async () => {
    const spec = broker();
    spec.upstreams.answer = (asked) => {
      asked.client!.notify('notifications/progress', '{"progressToken":1,"progress":1}');
      return { kind: 'result', text: '{"content":[]}' };
    };
    const client = await LegacyClient.open(spec);
    const [plain, silent] = [new MemoryChannel(false), new MemoryChannel()];
    expect(bodyOf(await client.send(call, plain)).result).toEqual({ content: [] });
    await client.send({ ...call, params: { name: 'billing__refund' } }, silent);
    expect([plain.begun, silent.begun]).toEqual([false, false]);
  });

  it('logs reach a legacy client down to the level it set, and a modern one that asked for them', async () => {
    const spec = broker();
    spec.upstreams.answer = (asked) => {
      for (const level of ['debug', 'error']) asked.client!.notify('notifications/message', JSON.stringify({ level, data: 1 }));
      return { kind: 'result', text: '{"content":[]}' };
    };
    const client = await LegacyClient.open(spec);
    const levels = async (act: (channel: MemoryChannel) => Promise<unknown>): Promise<unknown[]> => {
      const channel = new MemoryChannel();
      await act(channel);
      return channel.sent.map(({ params }) => params?.['level']);
    };
    const inSession = (channel: MemoryChannel): Promise<unknown> => client.send(call, channel);
    const modern = (meta: object) => (channel: MemoryChannel) =>
      spec.http(
        JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'billing__refund', _meta: { [`${P}protocolVersion`]: MODERN, [`${P}clientCapabilities`]: {}, ...meta } } }),
        { channel, headers: { 'mcp-protocol-version': MODERN, 'mcp-method': 'tools/call', 'mcp-name': 'billing__refund' } },
      );
    expect(await levels(inSession)).toEqual(['debug', 'error']);
    expect((await client.ask('logging/setLevel', { level: 'warning' })).result).toEqual({});
    expect(await levels(inSession)).toEqual(['error']);
    expect((await client.ask('logging/setLevel', { level: 'loud' })).error?.code).toBe(-32602);
    expect(await levels(modern({}))).toEqual([]);
    expect(await levels(modern({ [`${P}logLevel`]: 'debug' }))).toEqual(['debug', 'error']);
    expect(spec.upstreams.calls.at(-1)?.call.client?.protocolMeta).toEqual({ [`${P}logLevel`]: 'debug' });
  });
  it.each(['logging/setLevel', 'completion/complete'])('%s with a _meta that is none is refused, and nothing else happens', async (method) => {
    const spec = broker();
    spec.upstreams.descriptions.set('billing', { capabilities: { logging: {} } });
    const client = await LegacyClient.open(spec);
    const params = { level: 'info', ref: { type: 'ref/prompt', name: 'billing__greet' }, argument: { name: 'who', value: '' }, _meta: { 'dev.holdfast/reason': 5 } };
    const { error } = await client.ask(method, params);
    await tick();
    expect([error?.code, spec.upstreams.calls]).toEqual([-32602, []]);
  });

  it('is no task, whatever the client wishes: the answer to it says what came of it', async () => {
    const spec = broker();
    const client = await LegacyClient.open(spec);
    await client.ask('tools/call', { name: 'billing__refund', task: { ttl: 60_000 }, arguments: { task: 1 }, more: true });
    expect(spec.upstreams.calls[0]?.call.params).toBe('{"name":"refund","arguments":{"task":1},"more":true}');
  });

  it('relays nothing that a careless server would take for what was judged', async () => {
    const spec = new SpecBroker();
    const client = await LegacyClient.open(spec);
    await client.ask('tools/call', { name: 'billing__refund', arguments: { id: 1 }, Arguments: { id: 2 }, 'argument\u017f': { id: 3 }, NAME: 'purge', Task: {}, _Meta: {}, argument: 4 });
    expect(spec.upstreams.calls[0]?.call.params).toBe('{"name":"refund","arguments":{"id":1},"argument":4}');
  });

  it('a session cancels its own call and no other one, even under the same id', async () => {
    const spec = broker();
    const upstream = held(spec);
    const [one, other] = [await LegacyClient.open(spec), await LegacyClient.open(spec)];
    const answers = [one.send(call), other.send(call)];
    while (upstream.calls.length < 2) await tick();
    await one.send({ method: 'notifications/cancelled', params: { requestId: 8 } });
    await one.send({ method: 'notifications/cancelled', params: { requestId: 7 } });
    const mine = bodyOf(await answers[0]!);
    expect(mine.result?.['_meta']).toMatchObject({ 'dev.holdfast/call': { code: 'cancelled', disposition: 'unknown' } });
    expect(upstream.calls.map(({ cancellation }) => cancellation.reason)).toEqual(['cancelled', undefined]);
    expect(spec.recorder.log.find(({ type }) => type === 'call.completed')).toMatchObject({ data: { outcome: 'unknown', errorClass: 'cancelled' } });
    upstream.answer();
    upstream.answer();
    expect(bodyOf(await answers[1]!).result).toEqual({ content: [] });
  });

  it('a modern client that hangs up has cancelled, a legacy one has not', async () => {
    const spec = broker();
    const upstream = held(spec);
    const client = await LegacyClient.open(spec);
    const [legacy, modern] = [new MemoryChannel(), new MemoryChannel()];
    const inSession = client.send(call, legacy);
    while (upstream.calls.length === 0) await tick();
    const meta = { [`${P}protocolVersion`]: MODERN, [`${P}clientCapabilities`]: {} };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'billing__refund', _meta: meta } });
    const stateless = spec.http(body, { channel: modern, headers: { 'mcp-protocol-version': MODERN, 'mcp-method': 'tools/call', 'mcp-name': 'billing__refund' } });
    while (upstream.calls.length < 2) await tick();
    legacy.leave();
    modern.leave();
    expect(upstream.calls.map(({ cancellation }) => cancellation.reason)).toEqual([undefined, 'cancelled']);
    upstream.answer();
    await Promise.all([inSession, stateless]);
    expect([legacy.heeded, modern.heeded]).toEqual([false, false]);
  });
});

describe('a session id', () => {
  it('is short enough to be taken back, whatever the client and its key are', async () => {
    const spec = broker();
    const principal = { ...ada, servers: ['billing', ...Array.from({ length: 500 }, (_, n) => `server-${n}`)] };
    const capabilities = { extensions: { [`x/${'能'.repeat(900)}`]: {} }, elicitation: {} };
    const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: '能'.repeat(300), version: '1' } };
    const reply = await spec.http(JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }), { principal });
    const headers = { 'mcp-session-id': reply.headers['mcp-session-id']! };
    expect(headers['mcp-session-id'].length).toBeLessThan(2_500);
    expect(bodyOf(await spec.http('{"jsonrpc":"2.0","id":1,"method":"ping"}', { principal, headers })).result).toEqual({});
  });
});
