import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Cancellation, type UpstreamAnswer, type UpstreamCall, type UpstreamServer } from '#libs/broker/core';
import {
  answered,
  call,
  closeAll,
  type Handler,
  json,
  legacy,
  result,
  RESULT,
  serverAt,
  upstream,
  upstreams,
} from './spec/http-servers.ts';

afterEach(closeAll);

describe('an upstream server over HTTP', () => {
  it('is asked for its era once, gets the arguments as text, and answers', async () => {
    const { port, calls, requests } = await upstream((message, response) => json(response, result(message, RESULT)));
    const all = upstreams();
    expect(await all.call(serverAt(port), call({ params: '{"name":"t","arguments":{"a":1.50,"a":2}}', meta: { 'x/y': 1 } }))).toEqual(answered);
    expect(await all.call(serverAt(port), call({ params: '{"name":"t"}' }))).toEqual(answered);
    expect(requests.map(({ message }) => message.method)).toEqual([
      'server/discover',
      'initialize',
      'notifications/initialized',
      'tools/call',
      'tools/call',
    ]);
    expect(calls.map(({ params }) => params)).toEqual([{ name: 't', arguments: { a: 2 }, _meta: { 'x/y': 1 } }, { name: 't' }]);
    expect(requests[3]?.request.headers).toMatchObject({
      'mcp-protocol-version': '2025-11-25',
      accept: 'application/json, text/event-stream',
    });
  });

  it('lists all pages, without what has no name', async () => {
    const { port } = await upstream(
      () => undefined,
      (message, response) => {
        if (message.method !== 'tools/list') return legacy(message, response);
        const page = Number(message.params?.['cursor'] ?? 0);
        const tools = [
          { name: `t${page}`, inputSchema: { type: 'object' }, extra: { kept: true } },
          { name: 5 },
          'x',
          { name: `no-schema-${page}` },
        ];
        json(response, result(message, { tools, ...(page < 3 ? { nextCursor: String(page + 1) } : {}) }));
      },
    );
    const tools = await upstreams().list(serverAt(port), 'tools');
    expect(tools.map((tool) => tool['name'])).toEqual(['t0', 't1', 't2', 't3'].flatMap((name, page) => [name, `no-schema-${page}`]));
    expect(tools[0]).toEqual({ name: 't0', inputSchema: { type: 'object' }, extra: { kept: true } });
  });

  it('that lists without end is given up', async () => {
    const { port } = await upstream(
      () => undefined,
      (message, response) =>
        message.method === 'tools/list'
          ? json(response, result(message, { tools: [], nextCursor: String(Math.random()) }))
          : legacy(message, response),
    );
    await expect(upstreams().list(serverAt(port), 'tools')).rejects.toThrow(/pages/);
  });

  it('gets its own credentials and nobody else is told', async () => {
    const { port, requests } = await upstream((message, response) => json(response, result(message, RESULT)));
    const all = upstreams((ref) => (ref === 'env:TOKEN' ? 's3cret' : 'wrong'));
    await all.call(serverAt(port, { auth: { type: 'bearer', token: { secretRef: 'env:TOKEN' } } }), call());
    expect(new Set(requests.map(({ request }) => request.headers.authorization))).toEqual(new Set(['Bearer s3cret']));
    const broken = upstreams(() => {
      throw new Error('s3cret is not set');
    });
    const server = serverAt(port, { key: 'other', auth: { type: 'header', name: 'X-Key', value: { secretRef: 'env:NONE' } } });
    expect(await broken.call(server, call())).toEqual({ kind: 'not_sent', reason: 'unreachable' });
    await expect(broken.list(server, 'tools')).rejects.toThrow(/^(?!.*s3cret)/);
  });
});

describe('answers', () => {
  const answer = async (
    handler: Handler,
    more: Partial<UpstreamCall> = {},
    limits: Partial<UpstreamServer['limits']> = {},
  ): Promise<[UpstreamAnswer, number]> => {
    const { port, calls } = await upstream(handler);
    const got = await upstreams().call(serverAt(port, { limits }), call(more));
    return [got, calls.length];
  };
  const sse = (response: ServerResponse): ServerResponse => response.writeHead(200, { 'content-type': 'text/event-stream' });

  it('keep their text, character for character', async () => {
    const text = '{ "content" : [ ], "n": 1.500, "big":12345678901234567890, "s":"\\u00e9\\ud800" }';
    const [got] = await answer((message, response) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(`{"result":${text} ,"id":${JSON.stringify(message.id)},"jsonrpc":"2.0"}`),
    );
    expect(got).toEqual({ kind: 'result', text });
  });

  it('are found in an event stream, behind notifications, in any cutting of the bytes', async () => {
    for (const eol of ['\n', '\r\n', '\r']) {
      const [got] = await answer((message, response) => {
        const events = [
          ': hello',
          '',
          'event: message',
          'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}',
          '',
          'id: 7',
          `data: {"jsonrpc":"2.0","id":${JSON.stringify(message.id)},`,
          `data:"result":{"é":"ü"}}`,
          '',
          '',
        ].join(eol);
        const bytes = Buffer.from(events);
        sse(response);
        let at = 0;
        const step = (): void => {
          if (at >= bytes.length) return void response.end();
          response.write(bytes.subarray(at, (at += 7)), step);
        };
        step();
      });
      expect(got).toEqual({ kind: 'result', text: '{"é":"ü"}' });
    }
  });

  it('do not wait for the end of a stream that goes on', async () => {
    const [got] = await answer((message, response) => sse(response).write(`data: ${JSON.stringify(result(message, RESULT))}\n\n`));
    expect(got).toEqual(answered);
  });

  it('that are protocol errors stay what they are, whatever the status', async () => {
    for (const status of [200, 400, 404, 500]) {
      const [got, times] = await answer((message, response) =>
        json(response, { jsonrpc: '2.0', id: message.id, error: { code: -32001, message: 'm', data: { d: 1 } } }, status),
      );
      expect([got, times]).toEqual([{ kind: 'error', text: '{"code":-32001,"message":"m","data":{"d":1}}' }, 1]);
    }
  });

  it.each<[string, Handler, UpstreamAnswer]>([
    ['HTML', (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'), { kind: 'lost', reason: 'protocol' }],
    [
      'broken JSON',
      (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":'),
      { kind: 'lost', reason: 'protocol' },
    ],
    [
      'bytes that are not UTF-8',
      (message, response) =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(
            Buffer.concat([
              Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":{"x":"`),
              Buffer.from([0xff]),
              Buffer.from('"}}'),
            ]),
          ),
      { kind: 'lost', reason: 'protocol' },
    ],
    [
      'the answer to something else',
      (_, response) => json(response, { jsonrpc: '2.0', id: 'other', result: {} }),
      { kind: 'lost', reason: 'protocol' },
    ],
    [
      'no answer in a stream',
      (_, response) => sse(response).end('data: {"jsonrpc":"2.0","method":"x"}\n\n'),
      { kind: 'lost', reason: 'broken' },
    ],
    ['a failure page', (_, response) => response.writeHead(502).end('bad gateway'), { kind: 'lost', reason: 'protocol' }],
    ['a redirect', (_, response) => response.writeHead(307, { location: '/elsewhere' }).end(), { kind: 'rejected', status: 307 }],
    ['no access', (_, response) => response.writeHead(401).end(), { kind: 'rejected', status: 401 }],
    ['somebody in between who lost patience', (_, response) => response.writeHead(408).end(), { kind: 'lost', reason: 'protocol' }],
    ['a conflict, perhaps with itself', (_, response) => response.writeHead(409).end(), { kind: 'lost', reason: 'protocol' }],
    ['too much traffic', (_, response) => response.writeHead(429).end(), { kind: 'rejected', status: 429 }],
    ['a closed connection', (_, response) => response.destroy(), { kind: 'lost', reason: 'broken' }],
    [
      'half an answer',
      (_, response) => (
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{'),
        setImmediate(() => response.destroy())
      ),
      { kind: 'lost', reason: 'broken' },
    ],
  ])('%s', async (_, handler, expected) => {
    expect(await answer(handler)).toEqual([expected, 1]);
  });

  it('that do not come in time are lost, and the late ones belong to nobody', async () => {
    const late: ServerResponse[] = [];
    const { port, calls } = await upstream((message, response) =>
      calls.length === 1 ? late.push(response) : json(response, result(message, RESULT)),
    );
    const all = upstreams();
    expect(await all.call(serverAt(port), call({ timeoutMs: 100 }))).toEqual({ kind: 'lost', reason: 'timeout' });
    late[0]?.end('{}');
    expect(await all.call(serverAt(port), call())).toEqual(answered);
    expect(calls).toHaveLength(2);
  });

  it('are not waited for when the broker stops', async () => {
    const cancellation = new Cancellation();
    expect(await answer(() => cancellation.cancel('stopped'), { cancellation })).toEqual([{ kind: 'lost', reason: 'stopped' }, 1]);
  });

  it.each([
    ['at once, so that nobody has seen what it was', 200_000, { cut: true }],
    ['just over the bound', 10_001, {}],
  ])('too large, %s', async (_, size, more) => {
    const [got] = await answer(
      (message, response) => json(response, result(message, { x: 'é'.repeat(size / 2) })),
      {},
      { maxResultBytes: 10_000 },
    );
    expect(got).toEqual({ kind: 'too_large', ...more });
  });

  it('of the largest allowed size are whole', async () => {
    const value = { x: 'y'.repeat(10_000 - 8) };
    const [got] = await answer((message, response) => json(response, result(message, value)), {}, { maxResultBytes: 10_000 });
    expect(got).toEqual({ kind: 'result', text: JSON.stringify(value) });
  });

  it('too large, and an error of the tool', async () => {
    const [got] = await answer(
      (message, response) => json(response, result(message, { isError: true, x: 'x'.repeat(10_001) })),
      {},
      { maxResultBytes: 10_000 },
    );
    expect(got).toEqual({ kind: 'too_large', isError: true });
  });

  it('too large in a stream of notifications, or under a status of failure: no answer was seen, so nobody knows', async () => {
    const [streamed] = await answer((_, response) => sse(response).end(`data: "${'x'.repeat(200_000)}"\n\n`));
    expect(streamed).toEqual({ kind: 'lost', reason: 'protocol' });
    const [failed] = await answer((_, response) => response.writeHead(500, { 'content-type': 'application/json' }).end(`"${'x'.repeat(200_000)}"`));
    expect(failed).toEqual({ kind: 'lost', reason: 'protocol' });
  });
});
