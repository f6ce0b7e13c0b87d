import { Agent, type IncomingHttpHeaders, request as send } from 'node:http';

/** One JSON-RPC message as it came. */
export interface Message {
  readonly jsonrpc?: string;
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Whether it came as an event stream. */
  readonly stream: boolean;
  readonly messages: readonly Message[];
  /** The message that answers the request: the last one. */
  readonly answer: Message;
}

export interface RequestOptions {
  readonly id?: string | number;
  /** Members of `_meta` beside those of the protocol. */
  readonly meta?: Readonly<Record<string, unknown>>;
  /** What a modern client declares with this request. */
  readonly capabilities?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Each message when it arrives. */
  readonly onMessage?: (message: Message) => void;
  /** Drops the connection. */
  readonly signal?: AbortSignal;
}

/** A raw client of one protocol era: nothing is parsed away, nothing is checked, nothing is sent that was not asked for. */
export interface Wire {
  readonly era: 'modern' | 'legacy';
  request(method: string, params?: Readonly<Record<string, unknown>>, options?: RequestOptions): Promise<Reply>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 45_000;
const MODERN = '2026-07-28';
const LEGACY = '2025-11-25';
const ACCEPT = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const NAMED_BY: Readonly<Record<string, string>> = { 'tools/call': 'name', 'prompts/get': 'name', 'resources/read': 'uri' };

export const envelope = (capabilities: object = {}): Record<string, unknown> => ({
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'wire', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': capabilities,
});

/** What the header `Mcp-Name` says: text outside of printable ASCII goes in base64. */
export const nameHeader = (name: string): string => (/^[\x21-\x7e]*$/.test(name) ? name : `=?base64?${Buffer.from(name).toString('base64')}?=`);

export class ModernWire implements Wire {
  readonly era = 'modern';
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 100 });
  private ids = 0;

  constructor(
    private readonly url: string,
    private readonly token?: string,
  ) {}

  request(method: string, params: Readonly<Record<string, unknown>> = {}, options: RequestOptions = {}): Promise<Reply> {
    const body = { jsonrpc: '2.0', id: options.id ?? ++this.ids, method, params: { ...params, _meta: { ...options.meta, ...envelope(options.capabilities) } } };
    const named = params[NAMED_BY[method] ?? ''];
    const headers = { 'mcp-protocol-version': MODERN, 'mcp-method': method, ...(typeof named === 'string' && { 'mcp-name': nameHeader(named) }), ...options.headers };
    return exchange(this.url, this.agent, 'POST', { ...ACCEPT, ...bearer(this.token), ...headers }, JSON.stringify(body), options);
  }

  async close(): Promise<void> {
    this.agent.destroy();
  }
}

export interface SessionOptions {
  readonly capabilities?: Readonly<Record<string, unknown>>;
  /** Answers what the server asks. */
  readonly onAsk?: (message: Message) => Readonly<Record<string, unknown>>;
}

/** A session of the 2025 era. */
export class LegacyWire implements Wire {
  readonly era = 'legacy';
  /** What came on the stream of the session. */
  readonly heard: Message[] = [];
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 100 });
  private readonly ended = new AbortController();
  private session: Record<string, string> = {};
  private ids = 0;
  initialized!: Reply;

  private constructor(
    private readonly url: string,
    private readonly token: string | undefined,
    private readonly options: SessionOptions,
  ) {}

  static async open(url: string, token?: string, options: SessionOptions = {}): Promise<LegacyWire> {
    const wire = new LegacyWire(url, token, options);
    wire.initialized = await wire.request('initialize', { protocolVersion: LEGACY, capabilities: options.capabilities ?? {}, clientInfo: { name: 'wire', version: '1' } });
    const id = wire.initialized.headers['mcp-session-id'];
    if (wire.initialized.answer.result === undefined) throw new Error(`no session: ${wire.initialized.status} ${JSON.stringify(wire.initialized.answer)}`);
    wire.session = { 'mcp-protocol-version': LEGACY, ...(typeof id === 'string' && { 'mcp-session-id': id }) };
    await wire.tell({ method: 'notifications/initialized' });
    return wire;
  }

  request(method: string, params?: Readonly<Record<string, unknown>>, options: RequestOptions = {}): Promise<Reply> {
    const all = options.meta === undefined ? params : { ...params, _meta: options.meta };
    const body = { jsonrpc: '2.0', id: options.id ?? ++this.ids, method, ...(all !== undefined && { params: all }) };
    const onMessage = (message: Message): void => {
      if (message.method !== undefined && message.id !== undefined) void this.tell({ id: message.id, result: this.options.onAsk?.(message) ?? {} });
      options.onMessage?.(message);
    };
    return exchange(this.url, this.agent, 'POST', { ...ACCEPT, ...bearer(this.token), ...this.session, ...options.headers }, JSON.stringify(body), { ...options, onMessage });
  }

  /** A notification, or an answer to what the server asked. */
  async tell(message: Message): Promise<number> {
    return (await exchange(this.url, this.agent, 'POST', { ...ACCEPT, ...bearer(this.token), ...this.session }, JSON.stringify({ jsonrpc: '2.0', ...message }), {})).status;
  }

  cancel(id: string | number): Promise<number> {
    return this.tell({ method: 'notifications/cancelled', params: { requestId: id } });
  }

  /** Opens the stream of the session; what comes on it is in `heard`. Resolves when the stream is there. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = { accept: 'text/event-stream', ...bearer(this.token), ...this.session };
      const onMessage = (message: Message): void => void this.heard.push(message);
      exchange(this.url, this.agent, 'GET', headers, '', { onMessage, signal: this.ended.signal }, resolve).then(() => resolve(), reject);
    });
  }

  async close(): Promise<void> {
    await exchange(this.url, this.agent, 'DELETE', { ...bearer(this.token), ...this.session }, '', {}).catch(() => undefined);
    this.ended.abort();
    this.agent.destroy();
  }
}

const bearer = (token: string | undefined): Record<string, string> => (token === undefined ? {} : { authorization: `Bearer ${token}` });

function exchange(
  url: string,
  agent: Agent,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  { onMessage, signal }: Pick<RequestOptions, 'onMessage' | 'signal'>,
  onStream?: () => void,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = send(url, { method, agent, headers, ...(signal && { signal }) }, (response) => {
      const stream = response.headers['content-type']?.startsWith('text/event-stream') === true;
      const messages: Message[] = [];
      const take = (text: string): void => {
        let message: Message;
        try {
          message = JSON.parse(text) as Message;
        } catch {
          message = {};
        }
        messages.push(message);
        onMessage?.(message);
      };
      const parts: string[] = [];
      response.setEncoding('utf8');
      if (stream) onStream?.();
      response.on('data', (chunk: string) => {
        parts.push(chunk);
        if (!stream || !chunk.includes('\n\n')) return;
        const events = parts.splice(0).join('').split('\n\n');
        parts.push(events.pop()!);
        for (const event of events) {
          const data = event.split('\n').filter((line) => line.startsWith('data:'));
          if (data.length > 0) take(data.map((line) => line.slice(line[5] === ' ' ? 6 : 5)).join('\n'));
        }
      });
      response.on('error', reject);
      response.on('end', () => {
        if (!stream && parts.join('') !== '') take(parts.join(''));
        resolve({ status: response.statusCode!, headers: response.headers, stream, messages, answer: messages.at(-1) ?? {} });
      });
    });
    // A stream of a session is open as long as its session.
    if (method !== 'GET') outgoing.setTimeout(TIMEOUT_MS, () => outgoing.destroy(new Error('no answer')));
    outgoing.on('error', reject);
    outgoing.end(body === '' ? undefined : body);
  });
}
