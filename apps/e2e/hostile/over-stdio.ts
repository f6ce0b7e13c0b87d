import { createInterface } from 'node:readline';

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly name?: string };
}

/** A server that means harm, on standard input and output; started by the spec, it does what the name of the tool says. */
const write = (text: string): boolean => process.stdout.write(text);
const envelope = (id: unknown, body: object): string => `${JSON.stringify({ jsonrpc: '2.0', id, ...body })}\n`;
const TEXT = { content: [{ type: 'text', text: 'fine' }] };
const LOG = `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'error', data: 'flood' } })}\n`;

const CALLS: Readonly<Record<string, (id: string | number) => unknown>> = {
  fine: (id) => write(envelope(id, { result: TEXT })),
  'writes rubbish first': (id) => write(`Listening…\n{"jsonrpc":\n[]\nnull\n\0\n${envelope('nobody', { result: {} })}${envelope(id, { result: TEXT })}`),
  'no JSON': () => write('{"jsonrpc":"2.0","id":\n'),
  'wrong id': () => write(envelope('somebody else', { result: TEXT })),
  'a result that is no object': (id) => write(envelope(id, { result: 'fine' })),
  'huge line': (id) => write(envelope(id, { result: { content: [{ type: 'text', text: 'x'.repeat(2_000_000) }] } })),
  'dies in its answer': (id) => process.stdout.write(envelope(id, { result: TEXT }).slice(0, -5), () => process.exit(1)),
  'never answers': () => undefined,
  'floods notifications': (id) => write(LOG.repeat(20_000) + envelope(id, { result: TEXT })),
  'floods complaints': (id) => process.stderr.write('complaint\n'.repeat(20_000), () => write(envelope(id, { result: TEXT }))),
};

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { id, method, params } = JSON.parse(line) as Message;
    if (id === undefined) return;
    if (method === 'initialize') write(envelope(id, { result: { protocolVersion: '2025-11-25', capabilities: { tools: {}, logging: {} }, serverInfo: { name: 'hostile', version: '1' } } }));
    else if (method === 'tools/list') write(envelope(id, { result: { tools: Object.keys(CALLS).map((name) => ({ name, inputSchema: { type: 'object' } })) } }));
    else if (method === 'tools/call') CALLS[params!.name!]!(id);
    else write(envelope(id, { error: { code: -32_601, message: 'Method not found' } }));
  })
  .on('close', () => process.exit(0));
