import { describe, expect, it } from '@jest/globals';
import type { McpReply } from './reply.ts';
import { ada, bodyOf, config, LegacyClient, MemoryChannel, type RpcBody, server, SpecBroker } from '#libs/testing';

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

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a resource that somebody watches', () => {
  const changed = (spec: SpecBroker, id = 'billing', method = 'notifications/tools/list_changed', params = '{}'): void =>
    spec.upstreams.say(id, method, params);

  it('is told of to nobody who may not know of it any more', async () => {
    const spec = broker();
    await spec.call('billing__refund', {});
    const [session, modern] = [new MemoryChannel(), new MemoryChannel()];
    const client = await LegacyClient.open(spec);
    const streams = [client.http('GET', '', session)];
    await client.ask('resources/subscribe', { uri: 'file:///a.txt' });
    const meta = { 'io.modelcontextprotocol/protocolVersion': MODERN, 'io.modelcontextprotocol/clientCapabilities': {} };
    const params = { notifications: { resourceSubscriptions: ['file:///a.txt'] }, _meta: meta };
    const headers = { 'mcp-protocol-version': MODERN, 'mcp-method': 'subscriptions/listen' };
    streams.push(spec.http(JSON.stringify({ jsonrpc: '2.0', id: 'sub', method: 'subscriptions/listen', params }), { channel: modern, headers }));
    while (modern.sent.length === 0) await tick();
    const update = (): void => changed(spec, 'files', 'notifications/resources/updated', '{"uri":"file:///a.txt"}');
    const before = [session.sent.length, modern.sent.length];
    update();
    spec.broker.keys.stands = () => true;
    const hidden = { id: 'not-a', tenant: 'acme', effect: 'deny', match: { methods: ['resources/*'], tools: ['file:///a.txt'] } };
    spec.broker.use(config({ policies: [...policies, hidden], servers: [server('billing'), server('files')] }), 8);
    update();
    expect([session, modern].map(({ sent }, i) => sent.slice(before[i]).filter(({ method }) => method === 'notifications/resources/updated').length)).toEqual([1, 1]);
    spec.broker.stop();
    await Promise.all(streams);
  });

  it('or a log of a server that a key may not reach any more reaches no session that was opened before', async () => {
    const spec = broker();
    await spec.call('billing__refund', {});
    const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25' } });
    const opened = (await spec.http(body)).headers['mcp-session-id']!;
    const get = (channel: MemoryChannel, principal = ada): Promise<McpReply> => spec.http('', { method: 'GET', channel, principal, headers: { 'mcp-session-id': opened } });
    const stream = get(new MemoryChannel());
    await tick();
    // The stream is ended, as its key does not stand as it was; the client comes back with the same session.
    spec.broker.use(config({ policies, servers: [server('billing'), server('files')] }), 8);
    await stream;
    const narrow = new MemoryChannel();
    const again = get(narrow, { ...ada, servers: ['files'] });
    await tick();
    changed(spec, 'billing', 'notifications/message', '{"level":"error","data":"of billing"}');
    expect(narrow.sent).toEqual([]);
    spec.broker.stop();
    expect(bodyOf(await again).error).toMatchObject({ data: { code: 'session_unknown' } });
  });

  it('is heard also of a server that is reached otherwise now, and not of one that is none any more', async () => {
    const spec = broker();
    await spec.call('billing__refund', {});
    spec.broker.keys.stands = () => true;
    const client = await LegacyClient.open(spec);
    const channel = new MemoryChannel();
    const stream = client.http('GET', '', channel);
    await client.ask('resources/subscribe', { uri: 'file:///a.txt' });
    const watched: string[] = [];
    const watch = spec.upstreams.watch.bind(spec.upstreams);
    spec.upstreams.watch = (of, uri) => {
      watched.push(of.key);
      return watch(of, uri);
    };
    const other = server('files', { limits: { timeoutMs: 9_000 } });
    spec.broker.use(config({ policies, servers: [server('billing'), other] }), 8);
    expect(watched).toEqual([expect.stringMatching(/^acme\/files\//)]);
    changed(spec, 'files', 'notifications/resources/updated', '{"uri":"file:///a.txt"}');
    expect(channel.methods().filter((method) => method.endsWith('updated'))).toHaveLength(1);
    spec.broker.use(config({ policies, servers: [server('billing')] }), 9);
    expect(watched).toHaveLength(1);
    spec.broker.stop();
    await stream;
  });

  it('is bounded in what one client watches, and in how long the name of a resource is', async () => {
    const spec = broker();
    const client = await LegacyClient.open(spec, {}, 'files');
    const stream = client.http('GET', '', new MemoryChannel());
    const subscribe = (uri: string): Promise<RpcBody> => client.ask('resources/subscribe', { uri });
    expect((await subscribe(`x:${'y'.repeat(8_000)}`)).error?.code).toBe(-32602);
    for (let n = 0; n < 1_000; n++) expect((await subscribe(`x:${n}`)).result).toEqual({});
    expect((await subscribe('x:more')).error?.code).toBe(-32602);
    await client.ask('resources/unsubscribe', { uri: 'x:0' });
    expect((await subscribe('x:more')).result).toEqual({});
    spec.broker.stop();
    await client.http('DELETE', '', new MemoryChannel());
    expect(spec.upstreams.watched.size).toBe(0);
    await stream;
  });

  it('and that its server does not tell of is watched by nobody, also not by those who asked meanwhile', async () => {
    const spec = broker();
    await spec.call('billing__refund', {});
    let refuse = (): void => undefined;
    let asked = 0;
    spec.upstreams.watch = () => {
      asked++;
      return new Promise((resolve) => (refuse = () => resolve({ kind: 'error', text: '{"code":-32002,"message":"no such resource"}' })));
    };
    const clients = [await LegacyClient.open(spec), await LegacyClient.open(spec)];
    const answers = clients.map((client) => client.ask('resources/subscribe', { uri: 'file:///a.txt' }));
    await tick();
    refuse();
    for (const answer of answers) expect((await answer).error?.message).toBe('no such resource');
    expect(asked).toBe(1);
    const again = clients[0]!.ask('resources/subscribe', { uri: 'file:///a.txt' });
    await tick();
    refuse();
    expect([(await again).error?.code, asked]).toEqual([-32002, 2]);
  });

  it('is not asked for on behalf of a session that ended meanwhile', async () => {
    const spec = broker();
    let found = (): void => undefined;
    const list = spec.upstreams.list.bind(spec.upstreams);
    spec.upstreams.list = async (of, kind) => {
      if (of.id === 'files' && kind === 'resources') await new Promise<void>((resolve) => (found = resolve));
      return list(of, kind);
    };
    const client = await LegacyClient.open(spec);
    const subscribing = client.ask('resources/subscribe', { uri: 'file:///a.txt' });
    await tick();
    await client.http('DELETE', '', new MemoryChannel());
    found();
    expect((await subscribing).error?.code).toBe(-32600);
    expect([...spec.upstreams.watched]).toEqual([]);
  });
});
