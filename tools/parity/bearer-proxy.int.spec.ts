import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type BearerProxy, startBearerProxy } from './bearer-proxy.mjs';

let server: Server;
let proxy: BearerProxy;

async function behindProxy(serve: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy = await startBearerProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'secret');
  return `${proxy.url}/mcp?x=1`;
}

describe('startBearerProxy', () => {
  afterEach(async () => {
    await proxy.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('adds the credential and passes everything else as it is, Host and Origin too', async () => {
    const url = await behindProxy((incoming, response) => {
      let body = '';
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
      incoming.on('end', () => {
        const { host, origin, authorization, 'mcp-session-id': session } = incoming.headers;
        response.writeHead(418, { 'mcp-session-id': 'back' }).end(JSON.stringify({ method: incoming.method, url: incoming.url, host, origin, authorization, session, body }));
      });
    });
    const outgoing = request(url, { method: 'POST', headers: { host: 'evil.example.com', origin: 'http://evil.example.com', authorization: 'Bearer mine', 'mcp-session-id': 'there' } }).end('{}');
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    expect([response.statusCode, response.headers['mcp-session-id']]).toEqual([418, 'back']);
    expect(JSON.parse(Buffer.concat(chunks).toString())).toEqual({ method: 'POST', url: '/mcp?x=1', host: 'evil.example.com', origin: 'http://evil.example.com', authorization: 'Bearer secret', session: 'there', body: '{}' });
  });

  it('holds nothing of a stream back, and ends it when the client goes', async () => {
    let gone: Promise<unknown> | undefined;
    let say: (text: string) => void = () => undefined;
    const url = await behindProxy((_incoming, response) => {
      gone = once(response, 'close');
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      say = (text) => void response.write(text);
    });
    const leaving = new AbortController();
    const response = await fetch(url, { signal: leaving.signal });
    const reader = response.body!.getReader();
    for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
      say(text);
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(text);
    }
    leaving.abort();
    await gone;
  });

  it('breaks off an answer that the other side broke off', async () => {
    const url = await behindProxy((_incoming, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy());
    });
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow('terminated');
  });
});
