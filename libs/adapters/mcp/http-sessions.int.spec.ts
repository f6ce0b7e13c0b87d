import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { PeerRequest } from '#libs/broker/core';
import {
  answered,
  call,
  client,
  closeAll,
  event,
  json,
  type Message,
  progress,
  result,
  RESULT,
  serverAt,
  sessions,
  sse,
  until,
  upstream,
  upstreams,
} from './spec/http-servers.ts';

afterEach(closeAll);

const LISTS = { tools: { listChanged: true }, resources: { subscribe: true } };

describe('conversations', () => {
  it('have sessions of their own, with what their clients can do', async () => {
    const { other, declared } = sessions();
    const seen: unknown[] = [];
    const { port } = await upstream((message, response, request) => {
      seen.push(request.headers['mcp-session-id']);
      json(response, result(message, RESULT));
    }, other);
    const all = upstreams();
    const server = serverAt(port);
    const ada = client({ conversation: 'ada', capabilities: { sampling: {} } });
    const grace = client({ conversation: 'grace', capabilities: { roots: {} } });
    for (const who of [ada, grace, undefined, ada]) expect(await all.call(server, call(who ? { client: who } : {}))).toEqual(answered);
    expect(declared).toEqual([{}, { sampling: {} }, { roots: {} }]);
    expect(seen).toEqual(['s2', 's3', 's1', 's2']);
  });

  it('share one session with servers that keep none, or that have only one', async () => {
    const stateless = await upstream((message, response) => json(response, result(message, RESULT)));
    let opened = 0;
    const single = sessions();
    const only = await upstream(
      (message, response, request) => json(response, result(message, { session: request.headers['mcp-session-id'] })),
      (message, response, request) => {
        if (message.method === 'initialize' && ++opened > 1)
          return json(response, { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'Server already initialized' } }, 400);
        single.other(message, response, request);
      },
    );
    const all = upstreams();
    const who = client({ conversation: 'ada' });
    expect(await all.call(serverAt(stateless.port), call({ client: who }))).toEqual(answered);
    expect(stateless.requests.filter(({ message }) => message.method === 'initialize')).toHaveLength(1);
    for (let i = 0; i < 3; i++) expect(await all.call(serverAt(only.port), call({ client: who }))).toEqual({ kind: 'result', text: '{"session":"s1"}' });
    expect(opened).toBe(2);
  });

  it('do not share a session because of what one client says of itself, or because the server is busy', async () => {
    const kept = sessions();
    let busy = false;
    const { port } = await upstream(
      (message, response, request) => json(response, result(message, { session: request.headers['mcp-session-id'] })),
      (message, response, request) => {
        const { sampling } = (message.params?.['capabilities'] ?? {}) as { sampling?: { tools?: unknown } };
        const refused = busy ? 429 : sampling?.tools === 5 ? 400 : undefined;
        if (message.method === 'initialize' && refused) return json(response, { jsonrpc: '2.0', id: null, error: { code: -32602, message: 'no' } }, refused);
        kept.other(message, response, request);
      },
    );
    const all = upstreams();
    const server = serverAt(port);
    const sessionOf = async (conversation: string, capabilities = {}): Promise<unknown> => {
      const answer = await all.call(server, call({ client: client({ conversation, capabilities }) }));
      return answer.kind === 'result' ? (JSON.parse(answer.text) as { session: string }).session : answer;
    };
    expect(await sessionOf('odd', { sampling: { tools: 5 } })).toBe('s2');
    expect(await sessionOf('ada', { sampling: {} })).toBe('s3');
    busy = true;
    expect(await sessionOf('grace')).toEqual({ kind: 'not_sent', reason: 'unreachable' });
    busy = false;
    expect(await sessionOf('grace')).toBe('s4');
    expect(kept.declared).toEqual([{}, {}, { sampling: {} }, {}]);
  });

  it('that are over are told to the server, and begin anew with another call', async () => {
    const deleted: unknown[] = [];
    const { other, declared } = sessions();
    const { port } = await upstream(
      (message, response) => json(response, result(message, RESULT)),
      other,
      (request, response) => {
        if (request.method === 'DELETE') deleted.push(request.headers['mcp-session-id']);
        response.writeHead(405).end();
      },
    );
    const all = upstreams();
    const who = client({ conversation: 'ada' });
    await all.call(serverAt(port), call({ client: who }));
    all.endConversation('nobody');
    all.endConversation('ada');
    await until(() => deleted.length === 1);
    expect(await all.call(serverAt(port), call({ client: who }))).toEqual(answered);
    expect([deleted, declared.length]).toEqual([['s2'], 3]);
    await all.close();
    expect(new Set(deleted)).toEqual(new Set(['s2', 's1', 's3']));
  });

  it('that the server forgot are opened again, alone, and the call is sent once', async () => {
    const { other, declared } = sessions();
    const executed: unknown[] = [];
    const { port } = await upstream((message, response, request) => {
      const session = request.headers['mcp-session-id'];
      if (session === 's2' && executed.length > 0) return response.writeHead(404).end();
      executed.push(session);
      json(response, result(message, RESULT));
    }, other);
    const all = upstreams();
    const who = client({ conversation: 'ada' });
    for (let i = 0; i < 3; i++) expect(await all.call(serverAt(port), call({ client: who }))).toEqual(answered);
    expect([executed, declared.length]).toEqual([['s2', 's3', 's3'], 3]);
  });
});

describe('everybody’s session', () => {
  it('is not ended below a call because a list could not be read', async () => {
    const { other } = sessions();
    const log: string[] = [];
    let open: { message: Message; response: ServerResponse } | undefined;
    const { port } = await upstream(
      (message, response) => {
        open = { message, response };
      },
      (message, response, request) => {
        if (message.method === 'tools/list') return response.writeHead(503).end();
        other(message, response, request);
      },
      (request, response) => {
        if (request.method === 'DELETE') log.push(`deleted ${String(request.headers['mcp-session-id'])}`);
        response.writeHead(405).end();
      },
    );
    const all = upstreams();
    const answer = all.call(serverAt(port), call({ timeoutMs: 60_000 }));
    await until(() => open !== undefined);
    await expect(all.list(serverAt(port), 'tools')).rejects.toThrow(/503/);
    await all.describe(serverAt(port));
    expect(log).toEqual([]);
    json(open!.response, result(open!.message, RESULT));
    expect(await answer).toEqual(answered);
    await until(() => log.length === 1);
    expect(log).toEqual(['deleted s1']);
  });

  it('is opened again for a list when the server forgot it', async () => {
    for (const status of [400, 404]) {
      const { other, declared } = sessions();
      const { port } = await upstream(
        () => undefined,
        (message, response, request) => {
          const forgotten = message.method === 'tools/list' && request.headers['mcp-session-id'] !== 's2';
          if (forgotten) json(response, { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }, status);
          else other(message, response, request);
        },
      );
      expect(await upstreams().list(serverAt(port), 'tools')).toHaveLength(1);
      expect(declared).toHaveLength(2);
    }
  });

  it('survives a list that the server does not have', async () => {
    const { other, declared } = sessions({ prompts: {} });
    const { port } = await upstream(() => undefined, other);
    const all = upstreams();
    for (const kind of ['prompts', 'resources', 'tools'] as const) await all.list(serverAt(port), kind);
    expect(declared).toHaveLength(1);
  });
});

describe('outside of calls', () => {
  const streaming = async (
    onStream: (response: ServerResponse, request: IncomingMessage) => void,
    call_: (message: Message, response: ServerResponse) => void = (message, response) => json(response, result(message, RESULT)),
  ) => {
    const back: Message[] = [];
    const forgotten: string[] = [];
    const { other } = sessions(LISTS);
    const started = await upstream(
      call_,
      (message, response, request) => {
        if (message.method === undefined || message.method.startsWith('resources/')) back.push(message);
        if (message.method?.startsWith('resources/')) json(response, result(message, {}));
        else other(message, response, request);
      },
      (request, response) => {
        if (request.method === 'GET' && request.headers['mcp-session-id'] === forgotten[0]) response.writeHead(404).end();
        else if (request.method === 'GET') onStream(sse(response), request);
        else response.writeHead(200).end();
      },
    );
    return { ...started, back, forgotten };
  };

  it('servers are heard and answered, each session for its conversation', async () => {
    const { port, back } = await streaming((response, request) => {
      response.write(event({ jsonrpc: '2.0', method: 'notifications/message', params: { of: request.headers['mcp-session-id'] } }));
      response.write(event({ jsonrpc: '2.0', id: request.headers['mcp-session-id'], method: 'roots/list' }));
      response.write(event({ jsonrpc: '2.0', id: 'p', method: 'ping' }));
    });
    const heard: unknown[] = [];
    const asked: [string | undefined, PeerRequest][] = [];
    const all = upstreams();
    all.listen({
      notified: (_, ...said) => void heard.push(said),
      asked: async (_, conversation, request) => {
        asked.push([conversation, request]);
        return { result: `{"for":${JSON.stringify(conversation ?? null)}}` };
      },
    });
    await all.call(serverAt(port), call({ client: client({ conversation: 'ada' }) }));
    await until(() => back.length === 4);
    expect(heard).toEqual(
      expect.arrayContaining([
        [undefined, 'notifications/message', '{"of":"s1"}'],
        ['ada', 'notifications/message', '{"of":"s2"}'],
      ]),
    );
    expect(asked).toEqual(expect.arrayContaining([[undefined, { method: 'roots/list', params: '{}' }], ['ada', { method: 'roots/list', params: '{}' }]]));
    expect(back).toEqual(
      expect.arrayContaining([
        { jsonrpc: '2.0', id: 's1', result: { for: null } },
        { jsonrpc: '2.0', id: 's2', result: { for: 'ada' } },
        { jsonrpc: '2.0', id: 'p', result: {} },
      ]),
    );
  });

  it('streams take no connection of the calls, go on where they broke off, and bring progress that lost its way', async () => {
    const lasts: unknown[] = [];
    const streams: ServerResponse[] = [];
    const open: [Message, ServerResponse][] = [];
    const { port } = await streaming(
      (response, request) => {
        lasts.push(request.headers['last-event-id']);
        streams.push(response);
        if (lasts.length === 1) response.end(`retry: 1\n${event({ jsonrpc: '2.0', method: 'notifications/a' }, 'e1')}`);
      },
      (message, response) => open.push([message, response]),
    );
    const heard: string[] = [];
    const all = upstreams();
    all.listen({ notified: (_, __, method) => void heard.push(method), asked: () => Promise.reject(new Error('not asked')) });
    const who = client();
    const answer = all.call(serverAt(port, { limits: { concurrency: 1 } }), call({ client: who }));
    await until(() => lasts.length === 2 && open.length === 1);
    expect([lasts, heard]).toEqual([[undefined, 'e1'], ['notifications/a']]);
    streams[1]!.write(event(progress(open[0]![0].id, 1)) + event(progress('nobody', 1)));
    await until(() => who.told.length > 0);
    json(open[0]![1], result(open[0]![0], RESULT));
    expect(await answer).toEqual(answered);
    expect([who.told.length, heard]).toEqual([1, ['notifications/a']]);
  });

  it('a server without such a stream is not asked for it again', async () => {
    let gets = 0;
    const { port } = await upstream(
      (message, response) => json(response, result(message, RESULT)),
      sessions().other,
      (request, response) => {
        if (request.method === 'GET') gets++;
        response.writeHead(405).end();
      },
    );
    const all = upstreams();
    await all.call(serverAt(port), call());
    await until(() => gets === 1);
    for (const conversation of ['a', 'b']) await all.call(serverAt(port), call({ client: client({ conversation }) }));
    expect(gets).toBe(1);
  });

  it('resources are watched on everybody’s session, and again in the next one, which comes without a call', async () => {
    const streams: ServerResponse[] = [];
    const { port, back, forgotten } = await streaming((response) => {
      response.flushHeaders();
      streams.push(response);
    });
    const heard: string[] = [];
    const all = upstreams();
    all.listen({ notified: (_, __, method) => void heard.push(method), asked: () => Promise.reject(new Error('not asked')) });
    const server = serverAt(port);
    for (let i = 0; i < 2; i++) expect(await all.watch(server, 'x:1')).toEqual({ kind: 'result', text: '{}' });
    expect(await all.watch(server, 'x:2')).toEqual({ kind: 'result', text: '{}' });
    expect(await all.unwatch(server, 'x:2')).toEqual({ kind: 'result', text: '{}' });
    expect(back.map(({ method, params }) => [method, params?.['uri']])).toEqual([
      ['resources/subscribe', 'x:1'],
      ['resources/subscribe', 'x:2'],
      ['resources/unsubscribe', 'x:2'],
    ]);
    await until(() => streams.length === 1);
    streams[0]!.write(event({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'x:1' } }));
    await until(() => heard.includes('notifications/resources/updated'));
    back.length = heard.length = 0;
    forgotten.push('s1');
    streams[0]!.end('retry: 1\n\n');
    await until(() => back.length === 1 && heard.length === 1);
    expect([back[0]?.params, heard]).toEqual([{ uri: 'x:1' }, ['notifications/tools/list_changed']]);
  });
});
