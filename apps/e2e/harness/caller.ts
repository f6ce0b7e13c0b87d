import { Agent, type IncomingHttpHeaders, request } from 'node:http';

const VERSION = '2026-07-28';
const TIMEOUT_MS = 60_000;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: {
    readonly result?: { readonly isError?: boolean; readonly content?: readonly { readonly text?: string }[]; readonly _meta?: Readonly<Record<string, unknown>>; readonly [key: string]: unknown };
    readonly error?: { readonly code: number; readonly message: string; readonly data?: Readonly<Record<string, unknown>> };
    readonly [key: string]: unknown;
  };
}

/** Raw requests of the 2026-07-28 era, for what the official clients would never send, and for load. */
export class Caller {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });
  private id = 0;

  constructor(
    private readonly url: string,
    private readonly token: string | undefined,
  ) {}

  /** `tools/call` as a well-behaved modern client sends it. */
  call(name: string, args: unknown, meta: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    return this.method('tools/call', { name, arguments: args }, { 'mcp-name': name }, meta);
  }

  method(method: string, params: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string>> = {}, meta: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    const envelope = { 'io.modelcontextprotocol/protocolVersion': VERSION, 'io.modelcontextprotocol/clientInfo': { name: 'e2e', version: '1' }, 'io.modelcontextprotocol/clientCapabilities': {}, ...meta };
    const body = JSON.stringify({ jsonrpc: '2.0', id: ++this.id, method, params: { ...params, _meta: envelope } });
    return this.raw(body, { 'mcp-protocol-version': VERSION, 'mcp-method': method, ...headers });
  }

  async raw(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}, method: 'POST' | 'GET' | 'DELETE' = 'POST'): Promise<Answer> {
    const { status, headers: answered, text } = await this.send(method, body, {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
      ...headers,
    });
    let parsed: Answer['body'];
    try {
      parsed = JSON.parse(answered['content-type']?.startsWith('text/event-stream') ? lastMessage(text) : text) as Answer['body'];
    } catch {
      parsed = { text };
    }
    return { status, headers: answered, body: parsed };
  }

  close(): Promise<void> {
    this.agent.destroy();
    return Promise.resolve();
  }

  private send(method: string, body: string | Uint8Array, headers: Readonly<Record<string, string>>): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
    return new Promise((resolve, reject) => {
      const outgoing = request(this.url, { method, agent: this.agent, headers, timeout: TIMEOUT_MS }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString() }));
      });
      outgoing.on('error', reject);
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
      outgoing.end(method === 'POST' ? body : undefined);
    });
  }
}

/** The answer of a request stands at the end of its stream. */
function lastMessage(stream: string): string {
  return [...stream.matchAll(/^data: (.*)$/gm)].at(-1)?.[1] ?? '';
}
