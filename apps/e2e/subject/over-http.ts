import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Asked, type Era, RpcError, type Subject, type SubjectSession } from './subject.ts';

type Json = Readonly<Record<string, unknown>>;
type Id = string | number;
interface Incoming {
  readonly id?: Id;
  readonly method?: string;
  readonly params?: Json;
  readonly result?: Json;
  readonly error?: Json;
}

class HttpSession implements SubjectSession {
  logLevel: string | undefined;
  readonly watched = new Set<string>();
  readonly running = new Map<Id, AbortController>();
  readonly questions = new Map<Id, (result: Json) => void>();
  stream: ServerResponse | undefined;
}

export interface HttpSubject {
  readonly url: string;
  readonly headers: readonly IncomingHttpHeaders[];
  close(): Promise<void>;
}

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const event = (message: object): string => `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;
const beginStream = (response: ServerResponse): ServerResponse => response.writeHead(200, { 'content-type': 'text/event-stream' });

/** The subject on loopback, in one era: answers are plain JSON unless something precedes them. */
export async function subjectOverHttp(subject: Subject, era: Era): Promise<HttpSubject> {
  const headers: IncomingHttpHeaders[] = [];
  const sessions = new Map<string, HttpSession>();
  const subscriptions = new Map<ServerResponse, { id: Id; uris: readonly unknown[] }>();

  const announce = (method: string, params: Json): void => {
    for (const [response, { id, uris }] of subscriptions) {
      if (method !== 'notifications/resources/updated' || uris.includes(params['uri'])) response.write(event({ method, params: { ...params, _meta: { [SUBSCRIPTION]: id } } }));
    }
    for (const { stream, watched } of sessions.values()) {
      if (method !== 'notifications/resources/updated' || watched.has(params['uri'] as string)) stream?.write(event({ method, params }));
    }
  };

  async function request({ id, method, params = {} }: Incoming, session: HttpSession, response: ServerResponse): Promise<void> {
    const controller = new AbortController();
    const last: string[] = [];
    const write = (text: string): void => void (response.headersSent ? response : beginStream(response)).write(text);
    if (era === 'legacy') session.running.set(id!, controller);
    else response.on('close', () => response.writableFinished || controller.abort());
    const asked: Asked = {
      era,
      method: method!,
      params,
      session,
      announce,
      cancelled: controller.signal,
      notify: (name, own, when) => (when ? void last.push(event({ method: name, params: own })) : write(event({ method: name, params: own }))),
      ask: (name, own) =>
        new Promise((resolve) => {
          const question = randomUUID();
          session.questions.set(question, resolve);
          write(event({ id: question, method: name, params: own }));
        }),
      die: () => response.destroy(),
    };
    let answer: Json;
    try {
      answer = { id, result: await subject.answer(asked) };
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      answer = { id, error: { code: error.code, message: error.message, ...(error.data !== undefined && { data: error.data }) } };
    }
    session.running.delete(id!);
    // What was cancelled is not answered.
    if (controller.signal.aborted) return void response.destroy();
    if (response.headersSent || last.length > 0) {
      if (!response.headersSent) beginStream(response);
      response.end(last.join('') + event(answer));
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', ...answer }));
  }

  function listen({ id, params }: Incoming, response: ServerResponse): void {
    const notifications = (params?.['notifications'] ?? {}) as Json;
    subscriptions.set(response, { id: id!, uris: (notifications['resourceSubscriptions'] ?? []) as unknown[] });
    response.on('close', () => subscriptions.delete(response));
    beginStream(response).write(event({ method: 'notifications/subscriptions/acknowledged', params: { notifications, _meta: { [SUBSCRIPTION]: id } } }));
  }

  function legacy(incoming: IncomingMessage, message: Incoming | undefined, response: ServerResponse): Promise<void> | void {
    if (message?.method === 'server/discover') return void response.writeHead(400, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: no session"}}');
    if (message?.method === 'initialize') {
      const name = randomUUID();
      sessions.set(name, new HttpSession());
      response.setHeader('mcp-session-id', name);
      return request(message, sessions.get(name)!, response);
    }
    const name = String(incoming.headers['mcp-session-id']);
    const session = sessions.get(name);
    if (!session) return void response.writeHead(404).end();
    if (incoming.method === 'GET') {
      session.stream = response;
      beginStream(response).flushHeaders();
      return;
    }
    if (incoming.method === 'DELETE') {
      sessions.delete(name);
      session.stream?.end();
      return void response.writeHead(200).end();
    }
    if (message?.id !== undefined && message.method !== undefined) return request(message, session, response);
    if (message?.method === 'notifications/cancelled') session.running.get(message.params!['requestId'] as Id)?.abort();
    if (message?.method === undefined) session.questions.get(message?.id ?? '')?.(message?.result ?? { error: message?.error });
    response.writeHead(202).end();
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    headers.push(incoming.headers);
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const message = chunks.length === 0 ? undefined : (JSON.parse(Buffer.concat(chunks).toString()) as Incoming);
    if (era === 'legacy') return legacy(incoming, message, response);
    if (message?.id === undefined || message.method === undefined) return void response.writeHead(incoming.method === 'POST' ? 202 : 405).end();
    if (message.method === 'subscriptions/listen') return listen(message, response);
    if (message.method === 'initialize') return void response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: message.id, error: { code: -32_022, message: 'Unsupported protocol version', data: { supported: ['2026-07-28'] } } }));
    return request(message, new HttpSession(), response);
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    headers,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
