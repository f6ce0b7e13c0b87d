import { createServer as createTcpServer, type Socket } from 'node:net';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { UpstreamUnavailable } from '#libs/broker/core';
import { answered, call, client, closeAll, event, type Handler, json, legacy, listen, result, RESULT, serverAt, sessions, sse, until, upstream, upstreams } from './spec/http-servers.ts';

afterEach(closeAll);

/** Writes without end, as fast as it is read. */
const pour = (response: ServerResponse, piece: string): void => {
  const more = (): void => {
    while (!response.destroyed) if (!response.write(piece)) return void response.once('drain', more);
  };
  more();
};

describe('a server that means harm', () => {
  it.each<[string, Handler]>([
    ['an event without end', (_, response) => (sse(response).write('data: '), pour(response, 'x'.repeat(65_536)))],
    ['lines of data without end', (_, response) => (sse(response), pour(response, 'data:\n'.repeat(10_000)))],
    ['comments without end', (_, response) => (sse(response), pour(response, ': x\n'.repeat(10_000)))],
    ['notifications without end', (_, response) => (sse(response), pour(response, event({ jsonrpc: '2.0', method: 'notifications/x', params: { x: 'x'.repeat(10_000) } })))],
  ])('sends %s: the call is given up and the connection closed', async (_, handler) => {
    let closed = false;
    const { port } = await upstream((message, response, request) => {
      if (message.params?.name === 'ok') return json(response, result(message, RESULT));
      response.on('close', () => (closed = true));
      handler(message, response, request);
    });
    const all = upstreams();
    expect(await all.call(serverAt(port), call({ client: client(), timeoutMs: 60_000 }))).toEqual({ kind: 'lost', reason: 'protocol' });
    await until(() => closed);
    expect(await all.call(serverAt(port), call({ params: '{"name":"ok"}' }))).toEqual(answered);
  });

  it.each<[string, number, number]>([
    ['many', 10_500, 10],
    ['large', 200, 100_000],
  ])('floods with %s notifications: some are dropped, the answer still arrives', async (_, times, size) => {
    const { port } = await upstream((message, response) => {
      sse(response);
      const piece = event({ jsonrpc: '2.0', method: 'notifications/message', params: { x: 'x'.repeat(size) } });
      let n = 0;
      const more = (): void => {
        while (n++ < times) if (!response.write(piece)) return void response.once('drain', more);
        response.end(event(result(message, RESULT)));
      };
      more();
    });
    const who = client();
    const server = serverAt(port, { limits: { maxResultBytes: 1_000_000 } });
    expect(await upstreams().call(server, call({ client: who, timeoutMs: 60_000 }))).toEqual(answered);
    expect(who.told.length).toBeLessThan(times);
    expect(who.told.length).toBeGreaterThan(100);
  });

  it('asks more than anybody could answer: the rest is refused', async () => {
    let refused = 0;
    const { port } = await upstream(
      (message, response) => {
        sse(response);
        for (let id = 0; id < 100; id++) response.write(event({ jsonrpc: '2.0', id, method: 'elicitation/create', params: {} }));
        void until(() => refused === 68).then(() => response.end(event(result(message, RESULT))));
      },
      (message, response) => {
        if (message.method !== undefined) return legacy(message, response);
        if (message.error) refused++;
        response.writeHead(202).end();
      },
    );
    let asked = 0;
    const ask = (): Promise<never> => {
      asked++;
      return new Promise(() => undefined);
    };
    expect(await upstreams().call(serverAt(port), call({ client: client({ ask }), timeoutMs: 60_000 }))).toEqual(answered);
    expect([asked, refused]).toEqual([32, 68]);
  });

  it('asks so much that our replies pile up: only so many wait', async () => {
    let replies = 0;
    const waiting: ServerResponse[] = [];
    let flooded = false;
    const { port } = await upstream(
      (message, response) => {
        sse(response);
        for (let id = 0; id < 20_000; id++) response.write(event({ jsonrpc: '2.0', id, method: 'ping' }));
        setTimeout(() => {
          flooded = true;
          for (const one of waiting.splice(0)) one.writeHead(202).end();
          response.end(event(result(message, RESULT)));
        }, 1_500);
      },
      (message, response) => {
        if (message.method !== undefined) return legacy(message, response);
        replies++;
        if (flooded) response.writeHead(202).end();
        else waiting.push(response);
      },
    );
    expect(await upstreams().call(serverAt(port), call({ client: client(), timeoutMs: 60_000 }))).toEqual(answered);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(replies).toBeGreaterThan(500);
    expect(replies).toBeLessThan(2_000);
  });

  it('nests what it says of itself and its tools deeper than anybody can write: the rest of the list stays', async () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const { port } = await upstream(
      (_, response) => response.end(),
      (message, response) => {
        const answers: Record<string, string> = {
          initialize: `{"protocolVersion":"2025-11-25","capabilities":{"resources":{},"x":${deep}},"serverInfo":{"name":"s","version":"1","x":${deep}}}`,
          'tools/list': `{"tools":[{"name":"t","inputSchema":{"type":"object"}},{"name":"deep","inputSchema":{"type":"object"},"_meta":{"x":${deep}}}]}`,
        };
        const answer = answers[message.method];
        if (answer === undefined) return legacy(message, response);
        response.writeHead(200, { 'content-type': 'application/json' }).end(`{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":${answer}}`);
      },
    );
    const all = upstreams();
    expect(JSON.stringify(await all.describe(serverAt(port)))).toContain('"serverInfo":{}');
    expect(JSON.stringify(await all.list(serverAt(port), 'tools'))).toBe('[{"name":"t","inputSchema":{"type":"object"}}]');
  });

  it('announces more tools than anybody needs', async () => {
    const listing = async (count: number): Promise<unknown> => {
      const tools = Array.from({ length: count }, (_, n) => ({ name: `t${n}`, inputSchema: { type: 'object' } }));
      const { port } = await upstream(
        () => undefined,
        (message, response) => (message.method === 'tools/list' ? json(response, result(message, { tools })) : legacy(message, response)),
      );
      return upstreams().list(serverAt(port), 'tools');
    };
    expect(await listing(10_000)).toHaveLength(10_000);
    await expect(listing(10_001)).rejects.toThrow(UpstreamUnavailable);
  });

  it('names two tools the same: the first is meant', async () => {
    const { port } = await upstream(
      () => undefined,
      (message, response) =>
        message.method === 'tools/list'
          ? json(response, result(message, { tools: [{ name: 'a', title: 'first' }, { name: 'b' }, { name: 'a', title: 'second' }] }))
          : legacy(message, response),
    );
    expect(await upstreams().list(serverAt(port), 'tools')).toEqual([{ name: 'a', title: 'first' }, { name: 'b' }]);
  });

  it('sends us elsewhere: nobody goes there', async () => {
    let visitors = 0;
    const elsewhere = await upstream(
      () => visitors++,
      () => visitors++,
      () => visitors++,
    );
    const to = { location: `http://127.0.0.1:${elsewhere.port}/mcp` };
    const calls = await upstream((_, response) => response.writeHead(301, to).end());
    const everything = await upstream(
      (_, response) => response.writeHead(308, to).end(),
      (_, response) => response.writeHead(301, to).end(),
    );
    const all = upstreams();
    expect(await all.call(serverAt(calls.port), call())).toEqual({ kind: 'rejected', status: 301 });
    expect(await all.call(serverAt(everything.port), call())).toEqual({ kind: 'not_sent', reason: 'unreachable' });
    await expect(all.list(serverAt(everything.port), 'tools')).rejects.toThrow(UpstreamUnavailable);
    expect(visitors).toBe(0);
  });

  it('says nothing after the handshake, or nothing at all', async () => {
    const { port } = await upstream(() => undefined);
    const limits = { firstByteTimeoutMs: 100, timeoutMs: 60_000 };
    expect(await upstreams().call(serverAt(port, { limits }), call({ timeoutMs: 60_000 }))).toEqual({ kind: 'lost', reason: 'timeout' });
  });
});

describe('a server that cannot be reached', () => {
  it.each(['legacy', 'modern'])('after it was, is spoken to as if for the first time when it is back (%s)', async (era) => {
    const open = new Set<Socket>();
    const discover: Handler = (message, response, request) =>
      era === 'modern' && message.method === 'server/discover'
        ? json(response, result(message, { supportedVersions: ['2026-07-28'], capabilities: {} }))
        : sessions().other(message, response, request);
    const first = await upstream((message, response) => json(response, result(message, RESULT)), discover);
    first.server.on('connection', (socket) => open.add(socket));
    const all = upstreams();
    const server = serverAt(first.port, { limits: { concurrency: 32 } });
    expect(await all.call(server, call())).toEqual(answered);
    const closed = new Promise<void>((resolve) => first.server.close(() => resolve()));
    for (const socket of open) socket.destroy();
    await closed;
    const lost = await Promise.all(Array.from({ length: 32 }, () => all.call(server, call())));
    // A kept connection may have been written to before its end was seen.
    expect(lost.filter(({ kind }) => kind !== 'not_sent' && kind !== 'lost')).toEqual([]);
    expect(await all.call(server, call())).toEqual({ kind: 'not_sent', reason: 'unreachable' });
    await new Promise<void>((resolve) => first.server.listen(first.port, '127.0.0.1', resolve));
    let got = await all.call(server, call());
    while (got.kind === 'not_sent') {
      await new Promise((resolve) => setTimeout(resolve, 50));
      got = await all.call(server, call());
    }
    expect(got).toEqual(answered);
    await expect(all.list(server, 'prompts')).resolves.toEqual([]);
  });

  it('is left alone for a while, and in use again when it is back', async () => {
    const sockets = new Set<Socket>();
    let visits = 0;
    const broken = createTcpServer((socket) => {
      visits++;
      socket.destroy();
    });
    const port = await listen(broken);
    const all = upstreams();
    for (let i = 0; i < 20; i++) expect(await all.call(serverAt(port), call())).toEqual({ kind: 'not_sent', reason: 'unreachable' });
    await expect(all.list(serverAt(port), 'tools')).rejects.toThrow(/a moment ago/);
    expect(visits).toBe(3);
    await new Promise<void>((resolve) => broken.close(() => resolve()));
    const { server } = await upstream((message, response) => json(response, result(message, RESULT)));
    const back = createTcpServer((socket) => {
      sockets.add(socket);
      server.emit('connection', socket);
    });
    await new Promise<void>((resolve) => back.listen(port, '127.0.0.1', resolve));
    let got = await all.call(serverAt(port), call());
    while (got.kind === 'not_sent') {
      await new Promise((resolve) => setTimeout(resolve, 50));
      got = await all.call(serverAt(port), call());
    }
    expect(got).toEqual(answered);
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => back.close(() => resolve()));
  });
});
