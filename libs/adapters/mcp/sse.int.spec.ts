import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Cancellation, type UpstreamServer } from '#libs/broker/core';
import { answered, call, client, closeAll, listen, type Message, progress, result, RESULT, serverAt, until, upstreams } from './spec/http-servers.ts';

afterEach(closeAll);

interface OldServer {
  readonly server: UpstreamServer;
  readonly streams: ServerResponse[];
  readonly posted: { readonly message: Message; readonly request: IncomingMessage }[];
}

const say = (response: ServerResponse | undefined, message: unknown): void => void response?.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);

/** A server of 2024-11-05. */
async function oldServer(
  call_: (message: Message, stream: ServerResponse, post: ServerResponse) => void,
  endpoint: (port: number) => string = () => '/messages?session=1',
  more: Partial<UpstreamServer> = {},
): Promise<OldServer> {
  const streams: ServerResponse[] = [];
  const posted: { message: Message; request: IncomingMessage }[] = [];
  let port = 0;
  const http = createServer((request, response) => {
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`event: endpoint\ndata: ${endpoint(port)}\n\n`);
      streams.push(response);
      return;
    }
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const message = JSON.parse(body) as Message;
      posted.push({ message, request });
      const stream = streams.at(-1)!;
      if (message.method === 'tools/call') return call_(message, stream, response);
      response.writeHead(202).end();
      if (message.method === 'initialize') say(stream, result(message, { protocolVersion: '2024-11-05', capabilities: { tools: {} }, serverInfo: { name: 'old', version: '1' } }));
      else if (message.method === 'tools/list') say(stream, result(message, { tools: [{ name: 't' }] }));
    });
  });
  port = await listen(http);
  const server = serverAt(port, { transport: { type: 'sse', url: `http://127.0.0.1:${port}/sse` }, ...more });
  return { server, streams, posted };
}

const accept = (post: ServerResponse): void => void post.writeHead(202).end('Accepted');

describe('a server of 2024-11-05', () => {
  it('answers on its stream, and is sent our messages where it says', async () => {
    const { server, posted } = await oldServer(
      (message, stream, post) => {
        accept(post);
        say(stream, progress(message.id, 1));
        say(stream, result(message, RESULT));
      },
      undefined,
      { auth: { type: 'bearer', token: { secretRef: 'env:TOKEN' } } },
    );
    const all = upstreams(() => 's3cret');
    const who = client();
    expect(await all.call(server, call({ client: who }))).toEqual(answered);
    expect(who.told).toHaveLength(1);
    expect(await all.list(server, 'tools')).toEqual([{ name: 't' }]);
    expect(await all.describe(server)).toMatchObject({ era: 'legacy', protocol: '2024-11-05' });
    expect(posted.map(({ message }) => message.method)).toEqual(['initialize', 'notifications/initialized', 'tools/call', 'tools/list']);
    expect(new Set(posted.map(({ request }) => `${request.url} ${request.headers.authorization}`))).toEqual(new Set(['/messages?session=1 Bearer s3cret']));
  });

  it('that wants our messages elsewhere gets none', async () => {
    let visitors = 0;
    const elsewhere = await listen(
      createServer((_, response) => {
        visitors++;
        response.end();
      }),
    );
    for (const place of [`http://127.0.0.1:${elsewhere}/messages`, `//localhost:${elsewhere}/x`, 'javascript:x', 'http://[']) {
      const { server, posted } = await oldServer(() => undefined, () => place);
      const all = upstreams();
      expect(await all.call(server, call())).toEqual({ kind: 'not_sent', reason: 'unreachable' });
      await expect(all.list({ ...server, key: 'again' }, 'tools')).rejects.toThrow(/elsewhere/);
      expect([visitors, posted]).toEqual([0, []]);
    }
  });

  it('asks the client that it serves, and is told of a cancellation', async () => {
    const { server, posted } = await oldServer((message, stream, post) => {
      accept(post);
      if (message.params?.name === 'ask') say(stream, { jsonrpc: '2.0', id: 5, method: 'roots/list' });
    });
    const all = upstreams();
    const cancellation = new Cancellation();
    const asking = call({ params: '{"name":"ask"}', client: client({ ask: async () => ({ result: '{"roots":[]}' }) }), cancellation });
    const answer = all.call(server, asking);
    await until(() => posted.some(({ message }) => message.id === 5));
    cancellation.cancel('cancelled');
    expect(await answer).toEqual({ kind: 'lost', reason: 'cancelled' });
    expect(posted.slice(-2).map(({ message }) => message)).toEqual([
      { jsonrpc: '2.0', id: 5, result: { roots: [] } },
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: asking.requestId, reason: 'cancelled' } },
    ]);
  });

  it('that turns a message away did not look at it; one whose stream ends may have', async () => {
    const { server, streams } = await oldServer((message, stream, post) => {
      if (message.params?.name === 'refused') return void post.writeHead(413).end();
      if (message.params?.name === 'failed') return void post.writeHead(502).end();
      accept(post);
      if (message.params?.name === 'ends') stream.end();
      else say(stream, result(message, RESULT));
    });
    const all = upstreams();
    expect(await all.call(server, call({ params: '{"name":"refused"}' }))).toEqual({ kind: 'rejected', status: 413 });
    expect(await all.call(server, call({ params: '{"name":"failed"}' }))).toEqual({ kind: 'lost', reason: 'broken' });
    expect(await all.call(server, call({ params: '{"name":"ends"}' }))).toEqual({ kind: 'lost', reason: 'broken' });
    expect(await all.call(server, call())).toEqual(answered);
    expect(streams).toHaveLength(2);
  });

  it('that is not there, or no such server, is unavailable', async () => {
    const port = await listen(createServer((_, response) => response.writeHead(301, { location: 'http://127.0.0.1:1/' }).end()));
    const server = serverAt(port, { transport: { type: 'sse', url: `http://127.0.0.1:${port}/sse` } });
    await expect(upstreams().list(server, 'tools')).rejects.toThrow('the server opened no stream (HTTP 301)');
  });
});
