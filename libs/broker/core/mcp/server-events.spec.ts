import { describe, expect, it } from '@jest/globals';
import type { McpReply } from './reply.ts';
import { ada, bodyOf, config, LegacyClient, MemoryChannel, server, SpecBroker } from '#libs/testing';

const policies = [
  { id: 'everything', tenant: 'acme', effect: 'allow' },
  { id: 'no-salaries', tenant: 'acme', effect: 'deny', match: { methods: ['resources/*'], tools: ['file:///salaries*'] } },
  { id: 'no-secret-prompt', tenant: 'acme', effect: 'deny', match: { methods: ['prompts/get'], tools: ['secret'] } },
];
const MODERN = '2026-07-28';

function broker(): SpecBroker {
  const spec = new SpecBroker(config({ policies, servers: [server('billing'), server('files')] }));
  spec.upstreams.lists.set('files', []);
  spec.upstreams.others.set('billing prompts', [{ name: 'greet', arguments: [{ name: 'who' }] }, { name: 'secret' }]);
  spec.upstreams.others.set('files resources', [{ uri: 'file:///a.txt', name: 'a', size: 1 }, { uri: 'file:///salaries.csv', name: 's' }]);
  spec.upstreams.others.set('files resourceTemplates', [{ uriTemplate: 'file:///logs/{day}', name: 'logs' }]);
  return spec;
}

/** What a server says is told at once: changes wait for a moment otherwise. */
const sayNow = (spec: SpecBroker, id: string, method: string, params = '{}'): void => {
  spec.upstreams.say(id, method, params);
  if (method.endsWith('/list_changed')) spec.ring();
};
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what a server asks of a client', () => {
  const question = { method: 'elicitation/create', params: '{"message":"sure?", "n":1.0}' };

  it('reaches the client on the stream of its call, and the answer the server, character for character', async () => {
    const spec = broker();
    let answered: unknown;
    spec.upstreams.answer = async (asked) => {
      answered = await asked.client!.ask!(question, asked.cancellation);
      return { kind: 'result', text: '{"content":[]}' };
    };
    const client = await LegacyClient.open(spec, { elicitation: {} });
    const channel = new MemoryChannel();
    const call = client.send({ id: 1, method: 'tools/call', params: { name: 'billing__refund' } }, channel);
    while (channel.sent.length === 0) await tick();
    const { id } = channel.sent[0]!;
    const stranger = await LegacyClient.open(spec, { elicitation: {} });
    expect((await stranger.send({ id, result: { action: 'stolen' } })).status).toBe(202);
    expect((await client.http('POST', `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"action":"accept" ,"n":2.0}}`, new MemoryChannel())).status).toBe(202);
    await call;
    expect(answered).toEqual({ result: '{"action":"accept" ,"n":2.0}' });
    expect(channel.sent[0]).toMatchObject({ method: 'elicitation/create', params: { message: 'sure?' } });
  });

  it.each([
    ['did not declare it', {}, 'elicitation/create'],
    ['cannot be asked that', { elicitation: {}, sampling: {} }, 'files/delete'],
  ])('is refused for a client that %s', async (_, capabilities, method) => {
    const spec = broker();
    let answered: unknown;
    spec.upstreams.answer = async (asked) => {
      answered = await asked.client!.ask!({ method, params: '{}' }, asked.cancellation);
      return { kind: 'result', text: '{"content":[]}' };
    };
    const client = await LegacyClient.open(spec, capabilities);
    const channel = new MemoryChannel();
    await client.send({ id: 1, method: 'tools/call', params: { name: 'billing__refund' } }, channel);
    expect(answered).toEqual({ error: expect.stringContaining('-32601') });
    expect(channel.sent).toEqual([]);
  });

  it('is given up when the client hangs up or cancels', async () => {
    const spec = broker();
    const answers: unknown[] = [];
    spec.upstreams.answer = async (asked) => {
      answers.push(await asked.client!.ask!(question, asked.cancellation));
      return { kind: 'result', text: '{"content":[]}' };
    };
    const client = await LegacyClient.open(spec, { elicitation: {} });
    const channels = [new MemoryChannel(), new MemoryChannel()];
    const ends = [() => channels[0]!.leave(), () => client.send({ method: 'notifications/cancelled', params: { requestId: 1 } })];
    for (const [i, channel] of channels.entries()) {
      const call = client.send({ id: 1, method: 'tools/call', params: { name: 'billing__refund' } }, channel);
      while (channel.sent.length === 0) await tick();
      await Promise.resolve(ends[i]!());
      await call;
    }
    expect(channels[1]!.methods()).toEqual(['elicitation/create', 'notifications/cancelled']);
    expect(answers).toEqual([{ error: expect.stringContaining('gone') }, { error: expect.stringContaining('cancelled') }]);
  });

  it('is given up when the session ends', async () => {
    const spec = broker();
    let answered: unknown;
    spec.upstreams.answer = async (asked) => {
      answered = await asked.client!.ask!(question, asked.cancellation);
      return { kind: 'result', text: '{"content":[]}' };
    };
    const client = await LegacyClient.open(spec, { elicitation: {} });
    const channel = new MemoryChannel();
    const call = client.send({ id: 1, method: 'tools/call', params: { name: 'billing__refund' } }, channel);
    while (channel.sent.length === 0) await tick();
    await client.http('DELETE', '', new MemoryChannel());
    expect(bodyOf(await call).result).toEqual({ content: [] });
    expect(answered).toEqual({ error: expect.stringContaining('over') });
  });

  it('in the way of the 2026 era becomes questions to a legacy client, and each further leg is a call of its own', async () => {
    const spec = broker();
    const seen: unknown[] = [];
    spec.upstreams.answer = (asked) => {
      seen.push(JSON.parse(asked.params));
      if (seen.length > 1) return { kind: 'result', text: '{"resultType":"complete","content":[{"type":"text","text":"done"}]}' };
      const inputRequests = { sure: { method: 'elicitation/create', params: { message: 'sure?' } }, where: { method: 'roots/list' } };
      return { kind: 'result', text: JSON.stringify({ resultType: 'input_required', inputRequests, requestState: 'st"ate' }) };
    };
    const client = await LegacyClient.open(spec, { elicitation: {}, roots: {} });
    const channel = new MemoryChannel();
    const call = client.send({ id: 1, method: 'tools/call', params: { name: 'billing__refund', arguments: { a: 1 } } }, channel);
    for (const [n, result] of [{ action: 'accept' }, { roots: [] }].entries()) {
      while (channel.sent.length <= n) await tick();
      await client.send({ id: channel.sent[n]!.id, result });
    }
    expect(bodyOf(await call).result).toEqual({ content: [{ type: 'text', text: 'done' }] });
    expect(channel.methods()).toEqual(['elicitation/create', 'roots/list']);
    expect(seen[1]).toEqual({
      name: 'refund',
      arguments: { a: 1 },
      requestState: 'st"ate',
      inputResponses: { sure: { action: 'accept' }, where: { roots: [] } },
    });
    expect(spec.recorder.types().filter((type) => type.startsWith('call.'))).toEqual(['call.requested', 'call.completed', 'call.requested', 'call.completed']);
  });

  it('in the way of the 2026 era is refused where the client cannot answer, and where it never ends', async () => {
    const spec = broker();
    spec.upstreams.answer = () => ({ kind: 'result', text: '{"resultType":"input_required","requestState":"again"}' });
    const client = await LegacyClient.open(spec);
    const endless = await client.ask('tools/call', { name: 'billing__refund' });
    expect(endless.result?.['_meta']).toMatchObject({ 'dev.holdfast/call': { code: 'input_unavailable', disposition: 'not_executed' } });
    expect(spec.upstreams.calls).toHaveLength(11);
    spec.upstreams.answer = () => ({ kind: 'result', text: '{"resultType":"input_required","inputRequests":{"a":{"method":"sampling/createMessage"}}}' });
    const unable = await client.ask('tools/call', { name: 'billing__refund' });
    expect(JSON.stringify(unable.result)).toContain('sampling/createMessage');
    spec.upstreams.answer = () => ({ kind: 'result', text: '{"resultType":"task","taskId":"t"}' });
    const begun = await client.ask('tools/call', { name: 'billing__refund' });
    expect(begun.result?.['_meta']).toMatchObject({ 'dev.holdfast/call': { code: 'upstream_protocol', disposition: 'unknown' } });
    expect(spec.recorder.log.at(-1)).toMatchObject({ type: 'call.completed', data: { outcome: 'unknown' } });
  });
});

describe('what servers say on their own', () => {
  const changed = (spec: SpecBroker, id = 'billing', method = 'notifications/tools/list_changed', params = '{}'): void =>
    sayNow(spec, id, method, params);

  it('reaches sessions that hold their stream open; what is listed next is asked for anew', async () => {
    const spec = broker();
    await spec.call('billing__refund', {});
    const client = await LegacyClient.open(spec);
    const channel = new MemoryChannel();
    const stream = client.http('GET', '', channel);
    while (!channel.begun) await tick();
    const asked = spec.upstreams.asked;
    await client.ask('tools/list');
    expect(spec.upstreams.asked).toBe(asked + 1);
    changed(spec);
    await client.ask('tools/list');
    expect([spec.upstreams.asked, channel.methods()]).toEqual([asked + 2, ['notifications/tools/list_changed']]);
    changed(spec, 'crm');
    expect(channel.sent).toHaveLength(1);
    channel.leave();
    expect((await stream).body).toBe('');
    changed(spec);
    expect(channel.sent).toHaveLength(1);
  });

  it('is told once when it comes from many sessions at a time, and again when it comes again', async () => {
    const spec = broker();
    await spec.call('billing__refund', {});
    const client = await LegacyClient.open(spec);
    const channel = new MemoryChannel();
    const stream = client.http('GET', '', channel);
    while (!channel.begun) await tick();
    for (let i = 0; i < 20; i++) spec.upstreams.say('billing', 'notifications/tools/list_changed', `{"_meta":{"n":${i}}}`);
    changed(spec, 'billing', 'notifications/prompts/list_changed');
    expect(channel.sent.map(({ method, params }) => [method, params])).toEqual([
      ['notifications/tools/list_changed', { _meta: { n: 19 } }],
      ['notifications/prompts/list_changed', {}],
    ]);
    changed(spec);
    expect(channel.sent).toHaveLength(3);
    spec.broker.stop();
    await stream;
  });

  it('a stream ends with its session, with another stream of it, with the key that opened it and with the broker', async () => {
    const spec = broker();
    const client = await LegacyClient.open(spec);
    const first = client.http('GET', '', new MemoryChannel());
    await tick();
    const second = client.http('GET', '', new MemoryChannel());
    await first;
    await tick();
    await client.http('DELETE', '', new MemoryChannel());
    await second;
    const third = client.http('GET', '', new MemoryChannel());
    expect(bodyOf(await third).error).toMatchObject({ data: { code: 'session_unknown' } });
    const revoked = (await LegacyClient.open(spec)).http('GET', '', new MemoryChannel());
    await tick();
    spec.broker.use(config({ policies }), 8);
    await revoked;
    const stopped = (await LegacyClient.open(spec)).http('GET', '', new MemoryChannel());
    await tick();
    spec.broker.stop();
    await stopped;
  });

  it('no stream begins when the broker stops, or goes on when its key has run out', async () => {
    const spec = broker();
    let stands = true;
    spec.broker.keys.stands = () => stands;
    const client = await LegacyClient.open(spec);
    const stream = client.http('GET', '', new MemoryChannel());
    await tick();
    const reviews = (): (() => void)[] => Array.from(spec.timers);
    for (const review of reviews()) review();
    stands = false;
    for (const review of reviews()) review();
    await stream;
    // One that is on its way when its key goes.
    stands = true;
    let found = (): void => undefined;
    const list = spec.upstreams.list.bind(spec.upstreams);
    spec.upstreams.list = async (of, kind) => {
      if (of.id === 'files' && kind === 'resources') await new Promise<void>((resolve) => (found = resolve));
      return list(of, kind);
    };
    const listen = (): Promise<McpReply> => {
      const meta = { 'io.modelcontextprotocol/protocolVersion': MODERN, 'io.modelcontextprotocol/clientCapabilities': {} };
      const params = { notifications: { toolsListChanged: true, resourceSubscriptions: ['file:///a.txt'] }, _meta: meta };
      const headers = { 'mcp-protocol-version': MODERN, 'mcp-method': 'subscriptions/listen' };
      return spec.http(JSON.stringify({ jsonrpc: '2.0', id: 's', method: 'subscriptions/listen', params }), { channel: new MemoryChannel(), headers });
    };
    const late = listen();
    await tick();
    stands = false;
    spec.broker.use(config({ policies, servers: [server('billing'), server('files')] }), 8);
    found();
    expect(bodyOf(await late).result).toMatchObject({ resultType: 'complete' });
    stands = true;
    spec.broker.stop();
    expect(bodyOf(await client.http('GET', '', new MemoryChannel())).error).toMatchObject({ data: { code: 'stopping' } });
    expect(bodyOf(await listen()).error).toMatchObject({ data: { code: 'stopping' } });
  });

  it('reaches modern clients that listen, stamped, and only what they listen to', async () => {
    const spec = broker();
    await spec.call('billing__refund', {});
    const channel = new MemoryChannel();
    const meta = { 'io.modelcontextprotocol/protocolVersion': MODERN, 'io.modelcontextprotocol/clientCapabilities': {} };
    const notifications = { promptsListChanged: true, toolsListChanged: false, resourceSubscriptions: ['file:///a.txt', 'file:///salaries.csv'] };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 'sub', method: 'subscriptions/listen', params: { notifications, _meta: meta } });
    const stream = spec.http(body, { channel, headers: { 'mcp-protocol-version': MODERN, 'mcp-method': 'subscriptions/listen' } });
    while (channel.sent.length === 0) await tick();
    const stamp = { 'io.modelcontextprotocol/subscriptionId': 'sub' };
    expect(channel.sent[0]).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { promptsListChanged: true, resourceSubscriptions: ['file:///a.txt'] }, _meta: stamp },
    });
    expect([...spec.upstreams.watched]).toEqual(['files file:///a.txt']);
    changed(spec);
    changed(spec, 'billing', 'notifications/prompts/list_changed', '{"_meta":{"x":1}}');
    changed(spec, 'files', 'notifications/resources/updated', '{"uri":"file:///a.txt"}');
    changed(spec, 'files', 'notifications/resources/updated', '{"uri":"file:///b.txt"}');
    expect(channel.sent.slice(1)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/prompts/list_changed', params: { _meta: { x: 1, ...stamp } } },
      { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'file:///a.txt', _meta: stamp } },
    ]);
    spec.broker.stop();
    expect(bodyOf(await stream).result).toMatchObject({ resultType: 'complete', _meta: stamp });
    expect([...spec.upstreams.watched]).toEqual([]);
  });

  it('a resource is watched at its server once, however many watch it here', async () => {
    const spec = broker();
    await spec.call('billing__refund', {});
    const clients = [await LegacyClient.open(spec), await LegacyClient.open(spec)];
    const channels = clients.map(() => new MemoryChannel());
    const streams = clients.map((client, i) => client.http('GET', '', channels[i]!));
    for (const client of clients) expect((await client.ask('resources/subscribe', { uri: 'file:///a.txt' })).result).toEqual({});
    expect((await clients[0]!.ask('resources/subscribe', { uri: 'file:///salaries.csv' })).error?.code).toBe(-32002);
    const update = (): void => changed(spec, 'files', 'notifications/resources/updated', '{"uri":"file:///a.txt"}');
    update();
    await clients[0]!.ask('resources/unsubscribe', { uri: 'file:///a.txt' });
    update();
    expect(channels.map(({ sent }) => sent.length)).toEqual([1, 2]);
    expect([...spec.upstreams.watched]).toEqual(['files file:///a.txt']);
    await clients[1]!.http('DELETE', '', new MemoryChannel());
    expect([...spec.upstreams.watched]).toEqual([]);
    expect(spec.upstreams.ended).toHaveLength(1);
    spec.broker.stop();
    await Promise.all(streams);
  });

  it('cannot be heard by clients that take no streams', async () => {
    const spec = broker();
    const client = await LegacyClient.open(spec);
    expect((await client.http('GET', '', new MemoryChannel(false))).status).toBe(406);
    expect((await spec.modern('subscriptions/listen', { notifications: { toolsListChanged: true } })).status).toBe(406);
    expect((await spec.modern('subscriptions/listen', {})).status).toBe(400);
  });
});

describe('what is announced', () => {
  it('is the server itself on the path of one server, as far as it is relayed, and everything on /mcp', async () => {
    const spec = broker();
    spec.upstreams.descriptions.set('files', {
      capabilities: { resources: { subscribe: true }, tasks: { list: {} }, extensions: { 'io.modelcontextprotocol/tasks': {}, 'x/ui': {} }, experimental: { y: {} } },
      serverInfo: { name: 'Files', version: '9', icons: [] },
      instructions: 'Read.',
    });
    const open = async (path?: string): Promise<unknown> => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18' } });
      return bodyOf(await spec.http(body, path === undefined ? {} : { server: path })).result;
    };
    expect(await open('files')).toEqual({
      protocolVersion: '2025-06-18',
      capabilities: { resources: { subscribe: true }, extensions: { 'x/ui': {} } },
      serverInfo: { name: 'Files', version: '9', icons: [] },
      instructions: 'Read.',
    });
    expect(await open()).toMatchObject({ serverInfo: { name: 'holdfast' }, capabilities: { prompts: { listChanged: true }, completions: {} } });
    const discovered = bodyOf(await spec.modern('server/discover', {}, { server: 'files' })).result;
    expect(discovered).toMatchObject({
      capabilities: { resources: { subscribe: true } },
      instructions: 'Read.',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'Files' } },
    });
  });

  it('is not made up when the server says nothing', async () => {
    const spec = new SpecBroker(config({ policies, servers: [server('dead')] }));
    expect(bodyOf(await spec.modern('server/discover', {}, { server: 'dead', principal: ada })).error).toMatchObject({ data: { code: 'upstream_unreachable' } });
  });
});
