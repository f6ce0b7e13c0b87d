import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { Cancellation } from '#libs/broker/core';
import { answered, call, client, closeAll, event, type Handler, json, listen, type Message, progress, result, RESULT, serverAt, sse, until, upstream, upstreams } from './spec/http-servers.ts';

afterEach(closeAll);

const VERSION = '2026-07-28';
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientInfo': { name: 'holdfast', version: '0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';

const discovering =
  (capabilities: unknown, other: Handler = (_, response) => response.writeHead(404).end()): Handler =>
  (message, response, request) =>
    message.method === 'server/discover' ? json(response, result(message, { supportedVersions: [VERSION], capabilities })) : other(message, response, request);

const listening = (heard: unknown[]): Parameters<ReturnType<typeof upstreams>['listen']>[0] => ({
  notified: (_, ...said) => void heard.push(said),
  asked: () => Promise.reject(new Error('not asked')),
});

describe('a server of the 2026 era', () => {
  it('is told what the client can do, and answers as it likes', async () => {
    const wants = { resultType: 'input_required', inputRequests: { a: { method: 'elicitation/create' } }, requestState: 's' };
    const { port, calls, requests } = await upstream((message, response) => {
      if (message.params?.name === 'asks') return json(response, result(message, wants));
      sse(response).end(event(progress(message.id, 1)) + event({ jsonrpc: '2.0', id: 1, method: 'ping' }) + event(result(message, RESULT)));
    }, discovering({}));
    const all = upstreams();
    const who = client({ capabilities: { elicitation: {} }, protocolMeta: { 'io.modelcontextprotocol/logLevel': 'debug' }, conversation: 'ada' });
    const called = call({ client: who, meta: { 'x/y': 1 } });
    expect(await all.call(serverAt(port), called)).toEqual(answered);
    expect(await all.call(serverAt(port), call({ params: '{"name":"asks"}', named: 'asks' }))).toEqual({ kind: 'result', text: JSON.stringify(wants) });
    expect(calls.map(({ params }) => params?.['_meta'])).toEqual([
      { 'x/y': 1, progressToken: called.requestId, ...ENVELOPE, 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} }, 'io.modelcontextprotocol/logLevel': 'debug' },
      ENVELOPE,
    ]);
    expect(requests.at(-1)?.request.headers).toMatchObject({ 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/call', 'mcp-name': 'asks' });
    expect(who.told).toEqual([['notifications/progress', { progressToken: called.requestId, progress: 1 }]]);
    expect(requests).toHaveLength(3);
  });

  it('sees that a call is cancelled or late by its connection, and nothing else', async () => {
    const dropped: unknown[] = [];
    const open: [Message, ServerResponse][] = [];
    const { port, requests } = await upstream((message, response) => {
      open.push([message, response]);
      response.on('close', () => (response.writableEnded ? undefined : dropped.push(message.id)));
    }, discovering({}));
    const all = upstreams();
    const cancellation = new Cancellation();
    const [cancelled, late, fine] = [call({ cancellation }), call({ timeoutMs: 100 }), call()];
    const answers = [cancelled, late, fine].map((one) => all.call(serverAt(port), one));
    await until(() => open.length === 3);
    cancellation.cancel('cancelled');
    expect(await Promise.all(answers.slice(0, 2))).toEqual([
      { kind: 'lost', reason: 'cancelled' },
      { kind: 'lost', reason: 'timeout' },
    ]);
    await until(() => dropped.length === 2);
    expect(new Set(dropped)).toEqual(new Set([cancelled.requestId, late.requestId]));
    for (const [message, response] of open) if (!response.destroyed) json(response, result(message, RESULT));
    expect(await answers[2]).toEqual(answered);
    expect(requests.map(({ message }) => message.method)).toEqual(['server/discover', 'tools/call', 'tools/call', 'tools/call']);
  });

  it('tells what it announces and what is watched, also after its stream broke', async () => {
    const streams: { message: Message; response: ServerResponse }[] = [];
    const capabilities = { tools: { listChanged: true }, prompts: {}, resources: { subscribe: true } };
    const { port, requests } = await upstream(
      (message, response) => json(response, result(message, RESULT)),
      discovering(capabilities, (message, response) => {
        if (message.method !== 'subscriptions/listen') return json(response, result(message, { resultType: 'complete', tools: [] }));
        const wanted = message.params?.['notifications'] as { resourceSubscriptions?: string[] };
        const honored = { ...wanted, ...(wanted.resourceSubscriptions && { resourceSubscriptions: wanted.resourceSubscriptions.filter((uri) => uri !== 'x:secret') }) };
        streams.push({ message, response });
        sse(response).write(event({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { notifications: honored, _meta: { [SUBSCRIPTION]: message.id } } }));
      }),
    );
    const heard: unknown[] = [];
    const all = upstreams();
    all.listen(listening(heard));
    const server = serverAt(port);
    await all.call(server, call());
    await until(() => streams.length === 1);
    expect(streams[0]?.message.params).toEqual({ notifications: { toolsListChanged: true }, _meta: ENVELOPE });
    expect(requests.find(({ message }) => message.method === 'subscriptions/listen')?.request.headers).toMatchObject({ 'mcp-method': 'subscriptions/listen', 'mcp-protocol-version': VERSION });
    expect(await all.watch(server, 'x:1')).toEqual({ kind: 'result', text: '{}' });
    await until(() => streams[0]!.response.destroyed);
    expect(await all.watch(server, 'x:secret')).toMatchObject({ kind: 'error' });
    const last = streams.at(-1)!;
    last.response.write(
      event({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'x:1', _meta: { [SUBSCRIPTION]: last.message.id } } }) +
        event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: { _meta: { 'v/k': 1, [SUBSCRIPTION]: last.message.id } } }),
    );
    await until(() => heard.length === 2);
    expect(heard).toEqual([
      [undefined, 'notifications/resources/updated', '{"uri":"x:1"}'],
      [undefined, 'notifications/tools/list_changed', '{"_meta":{"v/k":1}}'],
    ]);
    const before = streams.length;
    last.response.destroy();
    await until(() => streams.length > before && heard.length === 3);
    expect(streams.at(-1)?.message.params?.['notifications']).toEqual({ toolsListChanged: true, resourceSubscriptions: ['x:1'] });
    expect(heard[2]).toEqual([undefined, 'notifications/tools/list_changed', '{}']);
    await all.unwatch(server, 'x:1');
    expect(streams.at(-1)?.message.params?.['notifications']).toEqual({ toolsListChanged: true });
  });

  it('that announces nothing is not listened to', async () => {
    const { port, requests } = await upstream((message, response) => json(response, result(message, RESULT)), discovering({ tools: {}, resources: {} }));
    const all = upstreams();
    await all.call(serverAt(port), call());
    expect(await all.watch(serverAt(port), 'x:1')).toMatchObject({ kind: 'error' });
    expect(requests.map(({ message }) => message.method)).toEqual(['server/discover', 'tools/call']);
  });

  it('made with the official SDK is heard', async () => {
    const handler = createMcpHandler(() => {
      const server = new McpServer({ name: 'new', version: '1' }, { capabilities: { resources: { subscribe: true, listChanged: true } } });
      server.registerResource('r', 'x:1', {}, () => ({ contents: [] }));
      server.registerTool('t', {}, () => ({ content: [] }));
      return server;
    }, { legacy: 'reject' });
    const serve = toNodeHandler(handler);
    const port = await listen(createServer((request: IncomingMessage, response) => void serve(request as Parameters<typeof serve>[0], response)));
    const heard: unknown[] = [];
    const all = upstreams();
    all.listen(listening(heard));
    const server = serverAt(port);
    expect(await all.watch(server, 'x:1')).toEqual({ kind: 'result', text: '{}' });
    handler.notify.resourceUpdated('x:1');
    handler.notify.resourceUpdated('x:2');
    handler.notify.toolsChanged();
    await until(() => heard.length === 2);
    expect(heard).toEqual([
      [undefined, 'notifications/resources/updated', '{"uri":"x:1"}'],
      [undefined, 'notifications/tools/list_changed', '{}'],
    ]);
    await all.close();
    await handler.close();
  });
});
