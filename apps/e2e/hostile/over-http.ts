import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly name?: string; readonly cursor?: string };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const OUTPUT = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
const TEXT = { content: [{ type: 'text', text: 'fine' }] };

const envelope = (id: unknown, body: object): string => JSON.stringify({ jsonrpc: '2.0', id, ...body });
const event = (text: string): string => `event: message\ndata: ${text}\n\n`;
const json = (response: ServerResponse, text: string | Uint8Array, status = 200): void => void response.writeHead(status, JSON_TYPE).end(text);
const stream = (response: ServerResponse): ServerResponse => response.writeHead(200, { 'content-type': 'text/event-stream' });
const log = event(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'error', data: 'flood' } }));

/** Writes without end, as fast as it is read. */
function pour(response: ServerResponse, piece: string): void {
  const more = (): void => {
    while (!response.destroyed) if (!response.write(piece)) return void response.once('drain', more);
  };
  more();
}

/** What it does with a call, by the name of the tool. */
const CALLS: Readonly<Record<string, (response: ServerResponse, id: string | number) => void>> = {
  fine: (response, id) => json(response, envelope(id, { result: TEXT })),
  'huge body': (response, id) => json(response, envelope(id, { result: { content: [{ type: 'text', text: 'x'.repeat(2_000_000) }] } })),
  'huge event': (response, id) => void stream(response).end(event(envelope(id, { result: { content: [{ type: 'text', text: 'x'.repeat(2_000_000) }] } }))),
  'endless event': (response) => (stream(response).write('data: '), pour(response, 'x'.repeat(65_536))),
  'endless comments': (response) => (stream(response), pour(response, ': x\n'.repeat(10_000))),
  'endless body': (response) => (response.writeHead(200, JSON_TYPE).write('{"jsonrpc":"2.0","x":"'), pour(response, 'x'.repeat(65_536))),
  'dies before it answers': (response) => void response.destroy(),
  'dies in its body': (response, id) => void response.writeHead(200, { ...JSON_TYPE, 'content-length': '5000' }).write(envelope(id, { result: TEXT }).slice(0, -5), () => response.destroy()),
  'dies in its stream': (response, id) => void stream(response).write(event(envelope(id, { result: TEXT })).slice(0, -5), () => response.destroy()),
  'ends its stream without an answer': (response) => void stream(response).end(log),
  'wrong id': (response) => json(response, envelope('somebody else', { result: TEXT })),
  'wrong id in a stream': (response) => void stream(response).end(event(envelope(4711, { result: TEXT }))),
  'no JSON': (response) => json(response, '{"jsonrpc":"2.0","id":'),
  'no JSON in a stream': (response) => void stream(response).end(event('{"jsonrpc":')),
  'no UTF-8': (response, id) => json(response, Buffer.concat([Buffer.from(envelope(id, { result: TEXT }).replace('fine"', '')), Buffer.from([0xff, 0xfe]), Buffer.from('"}]}}')])),
  'a web page': (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>'),
  'an internal error': (response) => void response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>Oh</h1>'),
  nothing: (response) => void response.writeHead(200).end(),
  'a result that is no object': (response, id) => json(response, envelope(id, { result: 'fine' })),
  'result and error': (response, id) => json(response, envelope(id, { result: TEXT, error: { code: 1, message: 'both' } })),
  'an error that is none': (response, id) => json(response, envelope(id, { error: 'no' })),
  elsewhere: (response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/mcp' }).end(),
  'never answers': () => undefined,
  'never ends its progress': (response, id) => {
    stream(response);
    const timer = setInterval(() => response.write(event(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: id, progress: 1 } }))), 50);
    response.on('close', () => clearInterval(timer));
  },
  'floods notifications': (response, id) => void stream(response).end(log.repeat(20_000) + event(envelope(id, { result: TEXT }))),
  'answers twice': (response, id) => void stream(response).end(event(envelope(id, { result: TEXT })) + event(envelope(id, { result: { content: [] } }))),
  'against its schema': (response, id) => json(response, envelope(id, { result: { content: [], structuredContent: { n: 'no number' } } })),
  'very deep': (response, id) => json(response, envelope(id, { result: { content: [], deep: 0 } }).replace('"deep":0', `"deep":${'['.repeat(3_000)}${']'.repeat(3_000)}`)),
  'keys twice': (response, id) => json(response, envelope(id, { result: { content: [], twice: 1 } }).replace('"twice":1', '"twice":1,"twice":9007199254740993')),
};
export const HTTP_CASES = Object.keys(CALLS);

const tool = (name: string): object => ({ name, inputSchema: { type: 'object' }, ...(name === 'against its schema' && { outputSchema: OUTPUT }) });

/** How it tells its tools. */
const LISTS: Readonly<Record<string, (response: ServerResponse, message: Message) => void>> = {
  'as it should': (response, { id }) => json(response, envelope(id, { result: { tools: HTTP_CASES.map(tool) } })),
  '10,000 tools': (response, { id }) => json(response, envelope(id, { result: { tools: Array.from({ length: 10_000 }, (_, n) => tool(n === 0 ? 'fine' : `t${n}`)) } })),
  'more tools than anybody needs': (response, { id }) => json(response, envelope(id, { result: { tools: Array.from({ length: 10_001 }, (_, n) => tool(`t${n}`)) } })),
  'pages without end': (response, { id, params }) => json(response, envelope(id, { result: { tools: [tool(`t${params?.cursor ?? ''}`)], nextCursor: `${params?.cursor ?? ''}x` } })),
  'a name twice': (response, { id }) => json(response, envelope(id, { result: { tools: [{ ...tool('fine'), title: 'first' }, tool('other'), { ...tool('fine'), title: 'second' }] } })),
  'no JSON': (response) => json(response, '[[['),
  'things that are no tools': (response, { id }) => json(response, envelope(id, { result: { tools: [null, 1, {}, { name: '' }, { name: 5 }, { name: 'no schema' }, { name: 'odd', inputSchema: 'x' }, tool('fine')] } })),
};
export const LIST_CASES = Object.keys(LISTS);

export interface HostileServer {
  readonly url: string;
  close(): Promise<void>;
}

/** A server that means harm, on loopback. `list` says how it tells its tools; a server of the case `silent` accepts and says nothing. */
export async function hostileOverHttp(list: string = 'as it should'): Promise<HostileServer> {
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      if (list === 'silent') return;
      if (request.method !== 'POST') return void response.writeHead(405).end();
      const message = JSON.parse(Buffer.concat(chunks).toString()) as Message;
      if (message.id === undefined) return void response.writeHead(202).end();
      switch (message.method) {
        case 'initialize':
          return json(response, envelope(message.id, { result: { protocolVersion: '2025-11-25', capabilities: { tools: {}, logging: {} }, serverInfo: { name: 'hostile', version: '1' } } }));
        case 'tools/list':
          return LISTS[list]!(response, message);
        case 'tools/call':
          return CALLS[message.params!.name!]!(response, message.id);
        default:
          return json(response, envelope(message.id, { error: { code: -32_601, message: 'Method not found' } }));
      }
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
