import type { ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Cancellation, type UpstreamAnswer } from '#libs/broker/core';
import {
  answered,
  call,
  closeAll,
  json,
  type Message,
  legacy,
  listen,
  result,
  RESULT,
  serverAt,
  upstream,
  upstreams,
} from './spec/http-servers.ts';

afterEach(closeAll);

describe('a call is sent at most once', () => {
  it('not at all where nobody listens', async () => {
    const taken = createTcpServer();
    const port = await listen(taken);
    await new Promise<void>((resolve) => taken.close(() => resolve()));
    expect(await upstreams().call(serverAt(port), call())).toEqual({ kind: 'not_sent', reason: 'unreachable' });
  });

  it('not again when a kept connection turns out to be closed', async () => {
    // The proxy cuts every connection after each answer without saying so, as a firewall does.
    const { port, calls } = await upstream((message, response) => json(response, result(message, RESULT)));
    const sockets = new Set<Socket>();
    const proxy = createTcpServer((socket) => {
      const server = connect(port, '127.0.0.1');
      sockets.add(socket);
      socket.on('error', () => undefined).pipe(server);
      server.on('error', () => undefined).pipe(socket);
    });
    const proxyPort = await listen(proxy);
    const all = upstreams();
    const outcomes: UpstreamAnswer[] = [];
    for (let i = 0; i < 20; i++) {
      outcomes.push(await all.call(serverAt(proxyPort), call()));
      for (const socket of sockets) socket.destroy();
    }
    const ran = outcomes.filter(({ kind }) => kind === 'result').length;
    const lost = outcomes.filter(({ kind }) => kind === 'lost').length;
    expect(ran).toBeGreaterThan(0);
    expect(calls.length).toBeGreaterThanOrEqual(ran);
    expect(calls.length).toBeLessThanOrEqual(ran + lost);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(calls.length);
  });

  it('a session that the server forgot is opened anew, and the call reaches the server that knows it once', async () => {
    for (const forgotten of [404, 400]) {
      let session = 1;
      const executed: unknown[] = [];
      const { port } = await upstream(
        (message, response, request) => {
          if (request.headers['mcp-session-id'] !== `s${session}`)
            return json(response, { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'no session' } }, forgotten);
          executed.push(message.id);
          json(response, result(message, RESULT));
        },
        (message, response) => {
          if (message.method !== 'initialize') return legacy(message, response);
          json(
            response,
            result(message, { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 's', version: '1' } }),
            200,
            { 'mcp-session-id': `s${session}` },
          );
        },
      );
      const all = upstreams();
      expect(await all.call(serverAt(port), call())).toEqual(answered);
      session = 2;
      const both = await Promise.all([all.call(serverAt(port), call()), all.call(serverAt(port), call())]);
      expect(both).toEqual([answered, answered]);
      expect(new Set(executed).size).toBe(3);
      expect(executed).toHaveLength(3);
    }
  });

  it('a call that was turned away for another reason than its session is not sent again', async () => {
    const { port, calls } = await upstream(
      // It looked at the call, and perhaps carried it out, before it said this.
      (_, response) => response.writeHead(400, { 'content-type': 'text/html' }).end('<h1>Bad Request</h1>'),
      (message, response) =>
        message.method === 'initialize'
          ? json(
              response,
              result(message, { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 's', version: '1' } }),
              200,
              { 'mcp-session-id': 'x' },
            )
          : legacy(message, response),
    );
    expect(await upstreams().call(serverAt(port), call())).toEqual({ kind: 'rejected', status: 400 });
    expect(calls).toHaveLength(1);
  });

  it('a server that knows no session ever is given up after one more', async () => {
    const { port, calls } = await upstream(
      (_, response) => response.writeHead(404).end(),
      (message, response) =>
        message.method === 'initialize'
          ? json(
              response,
              result(message, { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 's', version: '1' } }),
              200,
              { 'mcp-session-id': 'x' },
            )
          : legacy(message, response),
    );
    expect(await upstreams().call(serverAt(port), call())).toEqual({ kind: 'rejected', status: 404 });
    expect(calls).toHaveLength(2);
  });

  it('what waits for a connection is bounded, and what waited in vain is never sent', async () => {
    const held: [Message, ServerResponse][] = [];
    const { port, calls } = await upstream((message, response) => held.push([message, response]));
    const all = upstreams();
    const server = serverAt(port, { limits: { concurrency: 1 } });
    const first = all.call(server, call({ timeoutMs: 5_000 }));
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const waiting = [1, 2, 3, 4].map(() => all.call(server, call({ timeoutMs: 50 })));
    expect(await all.call(server, call())).toEqual({ kind: 'not_sent', reason: 'busy' });
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: 4 }, () => ({ kind: 'not_sent', reason: 'busy' })));
    json(held[0]![1], result(held[0]![0], RESULT));
    expect(await first).toEqual(answered);
    const after = all.call(server, call());
    while (held.length === 1) await new Promise((resolve) => setImmediate(resolve));
    json(held[1]![1], result(held[1]![0], RESULT));
    expect(await after).toEqual(answered);
    expect(calls).toHaveLength(2);
  });

  it('a slow server does not delay another one', async () => {
    const slow = await upstream(() => undefined);
    const quick = await upstream((message, response) => json(response, result(message, RESULT)));
    const all = upstreams();
    const cancellation = new Cancellation();
    const stuck = Array.from({ length: 10 }, () => all.call(serverAt(slow.port), call({ timeoutMs: 60_000, cancellation })));
    expect(await all.call(serverAt(quick.port), call())).toEqual(answered);
    cancellation.cancel('stopped');
    await Promise.all(stuck);
  });
});
