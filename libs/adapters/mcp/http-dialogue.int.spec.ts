import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Cancellation, type PeerRequest } from '#libs/broker/core';
import { answered, call, client, closeAll, event, json, type Message, progress, result, RESULT, serverAt, sessions, sse, until, upstream, upstreams } from './spec/http-servers.ts';

afterEach(closeAll);

describe('what a server says while it works on a call', () => {
  it('reaches the client in order and before the answer, also what comes in the same piece as the answer', async () => {
    const { port, calls } = await upstream((message, response) => {
      const { progressToken } = message.params!['_meta'] as { progressToken: string };
      sse(response).write(event(progress(progressToken, 1)));
      setImmediate(() =>
        response.end(
          event({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1.5 } }) +
            event(progress('somebody-else', 9)) +
            event(progress(progressToken, 2)) +
            event(result(message, RESULT)) +
            event(progress(progressToken, 3)),
        ),
      );
    });
    const who = client();
    const called = call({ client: who, meta: { 'x/y': 1 } });
    expect(await upstreams().call(serverAt(port), called)).toEqual(answered);
    const token = called.requestId;
    expect(calls[0]?.params?.['_meta']).toEqual({ 'x/y': 1, progressToken: token });
    expect(who.told).toEqual([
      ['notifications/progress', { progressToken: token, progress: 1 }],
      ['notifications/message', { level: 'info', data: 1.5 }],
      ['notifications/progress', { progressToken: token, progress: 2 }],
    ]);
  });

  it('is asked for only when the client wants it', async () => {
    const { port, calls } = await upstream((message, response) => sse(response).end(event(progress(message.id, 1)) + event(result(message, RESULT))));
    const who = client({ wantsProgress: false });
    expect(await upstreams().call(serverAt(port), call({ client: who }))).toEqual(answered);
    expect([calls[0]?.params, who.told]).toEqual([{ name: 't', arguments: { a: 1 } }, []]);
  });

  it('keeps a call alive that is slower than the server may be silent, but not for ever', async () => {
    const { port } = await upstream((message, response) => {
      sse(response);
      let n = 0;
      const timer = setInterval(() => {
        if (message.params?.name === 'endless' || n < 10) response.write(event(progress(message.id, n++)));
        else response.end(event(result(message, RESULT)), () => clearInterval(timer));
      }, 150);
      response.on('close', () => clearInterval(timer));
    });
    const all = upstreams();
    expect(await all.call(serverAt(port), call({ client: client(), timeoutMs: 1_000 }))).toEqual(answered);
    const server = serverAt(port, { limits: { maxTimeoutMs: 1_200 } });
    expect(await all.call({ ...server, key: 'hard' }, call({ client: client(), timeoutMs: 1_000, params: '{"name":"endless"}' }))).toEqual({
      kind: 'lost',
      reason: 'timeout',
    });
  });

  it('tells everybody when it is about everybody', async () => {
    const { port } = await upstream((message, response) =>
      sse(response).end(event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }) + event(result(message, RESULT))),
    );
    const heard: unknown[] = [];
    const all = upstreams();
    all.listen({ notified: (_, ...said) => void heard.push(said), asked: () => Promise.reject(new Error('not asked')) });
    const who = client();
    expect(await all.call(serverAt(port), call({ client: who }))).toEqual(answered);
    expect([heard, who.told]).toEqual([[[undefined, 'notifications/tools/list_changed', '{}']], []]);
  });
});

describe('what a server asks while it works on a call', () => {
  /** Asks the client what it was told to ask, and answers with what it got back. */
  const asking = async (...questions: unknown[]): Promise<{ port: number }> => {
    let open: { message: Message; response: ServerResponse } | undefined;
    const back: Message[] = [];
    return upstream(
      (message, response) => {
        open = { message, response };
        sse(response).write(questions.map((question) => event(question)).join(''));
      },
      (message, response) => {
        if (message.method !== undefined) return sessions().other(message, response, response.req);
        response.writeHead(202).end();
        back.push(message);
        if (open && back.length === questions.length) open.response.end(event(result(open.message, { back })));
      },
    );
  };

  it('is asked of the client, and the answers go back as they are', async () => {
    const { port } = await asking(
      { jsonrpc: '2.0', id: 7, method: 'elicitation/create', params: { message: 'Sure?', n: 1.5 } },
      { jsonrpc: '2.0', id: 'p', method: 'ping' },
      { jsonrpc: '2.0', id: 8, method: 'roots/list' },
    );
    const asked: PeerRequest[] = [];
    const ask = async (request: PeerRequest): Promise<{ result: string } | { error: string }> => {
      asked.push(request);
      return request.method === 'roots/list' ? { error: '{"code":-1,"message":"no"}' } : { result: '{"action":"accept","content":{"x":1.50}}' };
    };
    const got = await upstreams().call(serverAt(port), call({ client: client({ ask }) }));
    expect(asked).toEqual([
      { method: 'elicitation/create', params: '{"message":"Sure?","n":1.5}' },
      { method: 'roots/list', params: '{}' },
    ]);
    const { back } = JSON.parse((got as { text: string }).text) as { back: Message[] };
    expect(back.sort((a, b) => String(a.id).localeCompare(String(b.id)))).toEqual([
      { jsonrpc: '2.0', id: 7, result: { action: 'accept', content: { x: 1.5 } } },
      { jsonrpc: '2.0', id: 8, error: { code: -1, message: 'no' } },
      { jsonrpc: '2.0', id: 'p', result: {} },
    ]);
  });

  it('is refused when the client cannot be asked, also when all connections of the server are taken', async () => {
    const { port } = await asking({ jsonrpc: '2.0', id: 7, method: 'sampling/createMessage', params: {} });
    const got = await upstreams().call(serverAt(port, { limits: { concurrency: 1 } }), call({ client: client() }));
    expect(JSON.parse((got as { text: string }).text)).toEqual({
      back: [{ jsonrpc: '2.0', id: 7, error: { code: -32601, message: 'The client cannot be asked.' } }],
    });
  });

  it('stops the clock of the call until it is answered', async () => {
    const { port } = await asking({ jsonrpc: '2.0', id: 7, method: 'elicitation/create', params: {} });
    const ask = async (): Promise<{ result: string }> => new Promise((resolve) => setTimeout(resolve, 1_500, { result: '{}' }));
    const got = await upstreams().call(serverAt(port), call({ client: client({ ask }), timeoutMs: 1_000 }));
    expect(got.kind).toBe('result');
  });

  it('is taken back by the server, or by the end of the call', async () => {
    const { port } = await upstream((message, response) => {
      sse(response).write(event({ jsonrpc: '2.0', id: 1, method: 'a' }) + event({ jsonrpc: '2.0', id: 2, method: 'b' }));
      response.write(event({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }));
      setTimeout(() => response.end(event(result(message, RESULT))), 20);
    });
    const ended: string[] = [];
    const ask = async ({ method }: PeerRequest, cancellation: Cancellation): Promise<{ result: string }> =>
      new Promise((resolve) => {
        cancellation.onCancel(() => {
          ended.push(method);
          resolve({ result: '{}' });
        });
      });
    expect(await upstreams().call(serverAt(port), call({ client: client({ ask }) }))).toEqual(answered);
    await until(() => ended.length === 2);
    expect(ended).toEqual(['a', 'b']);
  });
});

describe('cancellation', () => {
  it('is told to the server, and an answer that comes at once still counts', async () => {
    let open: { message: Message; response: ServerResponse } | undefined;
    const told: Message[] = [];
    const { port } = await upstream(
      (message, response) => {
        open = { message, response };
      },
      (message, response) => {
        sessions().other(message, response, response.req);
        if (message.method !== 'notifications/cancelled') return;
        told.push(message);
        if (open!.message.params?.name === 'quick') json(open!.response, result(open!.message, RESULT));
      },
    );
    const all = upstreams();
    for (const [name, expected] of [
      ['quick', answered],
      ['deaf', { kind: 'lost', reason: 'cancelled' }],
    ] as const) {
      open = undefined;
      const cancellation = new Cancellation();
      const running = call({ cancellation, params: JSON.stringify({ name }), timeoutMs: 60_000 });
      const answer = all.call(serverAt(port), running);
      await until(() => open !== undefined);
      cancellation.cancel('cancelled');
      expect(await answer).toEqual(expected);
      expect(told.pop()?.params).toEqual({ requestId: running.requestId, reason: 'cancelled' });
    }
  });

  it('of one call does not touch the others', async () => {
    const open: [Message, ServerResponse][] = [];
    const { port } = await upstream((message, response) => open.push([message, response]));
    const all = upstreams();
    const cancellation = new Cancellation();
    const running = [1, 2, 3].map((n) => all.call(serverAt(port), call(n === 2 ? { cancellation } : {})));
    await until(() => open.length === 3);
    cancellation.cancel('cancelled');
    expect(await running[1]).toEqual({ kind: 'lost', reason: 'cancelled' });
    for (const [message, response] of open) json(response, result(message, RESULT));
    expect(await Promise.all([running[0], running[2]])).toEqual([answered, answered]);
  });

  it('before anything was sent means that nothing was', async () => {
    const open: ServerResponse[] = [];
    const { port, calls } = await upstream((message, response) => (message.params?.name === 'slow' ? open.push(response) : json(response, result(message, RESULT))));
    const all = upstreams();
    const server = serverAt(port, { limits: { concurrency: 1 } });
    const first = all.call(server, call({ params: '{"name":"slow"}', timeoutMs: 60_000 }));
    await until(() => open.length === 1);
    const cancellation = new Cancellation();
    const second = all.call(server, call({ cancellation }));
    cancellation.cancel('cancelled');
    expect(await second).toEqual({ kind: 'not_sent', reason: 'cancelled' });
    open[0]?.destroy();
    expect(await first).toEqual({ kind: 'lost', reason: 'broken' });
    expect(calls).toHaveLength(1);
  });

  it('is what a time-out and a stop of the broker are to the server', async () => {
    const told: Message[] = [];
    const { port, calls } = await upstream(
      () => undefined,
      (message, response) => {
        if (message.method === 'notifications/cancelled') told.push(message);
        sessions().other(message, response, response.req);
      },
    );
    const all = upstreams();
    const late = call({ timeoutMs: 100 });
    expect(await all.call(serverAt(port), late)).toEqual({ kind: 'lost', reason: 'timeout' });
    const cancellation = new Cancellation();
    const stopped = call({ cancellation });
    const answer = all.call(serverAt(port), stopped);
    await until(() => calls.length === 2);
    cancellation.cancel('stopped');
    expect(await answer).toEqual({ kind: 'lost', reason: 'stopped' });
    await until(() => told.length === 2);
    expect(told.map(({ params }) => params)).toEqual([
      { requestId: late.requestId, reason: 'timeout' },
      { requestId: stopped.requestId, reason: 'stopped' },
    ]);
  });
});

describe('a stream that the server breaks off on purpose', () => {
  it('is continued where it ended, with what was missed', async () => {
    const continued: (string | undefined)[] = [];
    let message: Message | undefined;
    const { port, calls } = await upstream(
      (called, response) => {
        message = called;
        sse(response).end(`id: 1\nretry: 10\ndata:\n\n${event(progress(called.id, 1), '2')}`);
      },
      sessions().other,
      (request, response) => {
        const last = request.headers['last-event-id'] as string | undefined;
        if (last === undefined) return void response.writeHead(405).end();
        continued.push(last);
        if (last === '2') sse(response).end(event(progress(message!.id, 2), '3'));
        else sse(response).end(event(result(message!, RESULT), '4'));
      },
    );
    const who = client();
    expect(await upstreams().call(serverAt(port), call({ client: who }))).toEqual(answered);
    expect(continued).toEqual(['2', '3']);
    expect(who.told).toHaveLength(2);
    expect(calls).toHaveLength(1);
  });

  it('is not waited for without end', async () => {
    const { port } = await upstream(
      (_, response) => sse(response).end('id: 1\nretry: 1\ndata:\n\n'),
      sessions().other,
      (request, response) => (request.headers['last-event-id'] === undefined ? response.writeHead(405).end() : sse(response).end()),
    );
    expect(await upstreams().call(serverAt(port), call())).toEqual({ kind: 'lost', reason: 'broken' });
  });
});
