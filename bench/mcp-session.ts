import { Pool } from 'undici';
import { judgeAnswer, type Judged, messagesIn, type Received } from './answer.ts';
import type { Era } from './echo-tool.ts';
import { exchange } from './exchange.ts';

/** Where calls go and which tool gives its argument back. */
export interface LoadTarget {
  /** The URL of a Streamable HTTP MCP endpoint. */
  readonly url: string;
  readonly token?: string;
  readonly tool: string;
  /** The argument of the tool that takes the payload; `message` when not given. */
  readonly argument?: string;
  /** More arguments, the same in each call. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** What the client speaks; sessions of the legacy era when not given. */
  readonly era?: Era;
  /** `_meta` of each call, made of its payload. */
  readonly meta?: (payload: string) => Readonly<Record<string, unknown>>;
}

const PROTOCOL = '2025-11-25';
const MODERN = '2026-07-28';
const CLIENT = { name: 'holdfast-bench', version: '1' };
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': CLIENT,
  'io.modelcontextprotocol/clientCapabilities': {},
};
/** Above what any server under test may take for one call. */
const ANSWER_TIMEOUT_MS = 90_000;

/** A pool for a target; `connections` is how many calls can be on their way at once. */
export function connect(target: LoadTarget, connections: number): Pool {
  return new Pool(new URL(target.url).origin, { connections, pipelining: 1, headersTimeout: ANSWER_TIMEOUT_MS, bodyTimeout: ANSWER_TIMEOUT_MS, keepAliveTimeout: 60_000 });
}

/** One MCP client in as few steps as it takes: a session of 2025-11-25, or requests of 2026-07-28 that need none. */
export class McpSession {
  private nextId = 1;
  private headers: Readonly<Record<string, string>>;
  private readonly path: string;

  private constructor(
    private readonly pool: Pool,
    private readonly target: LoadTarget,
  ) {
    const url = new URL(target.url);
    this.path = url.pathname + url.search;
    this.headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(target.token !== undefined && { authorization: `Bearer ${target.token}` }),
      ...(target.era === 'modern' && { 'mcp-protocol-version': MODERN }),
    };
  }

  /** Introduces itself where the era asks for it, and checks that the tool is there. */
  static async open(pool: Pool, target: LoadTarget): Promise<McpSession> {
    const session = new McpSession(pool, target);
    if (target.era !== 'modern') await session.introduce();
    const { tools } = (await session.ask('tools/list', {})).result as { tools?: readonly { name?: unknown }[] };
    if (!tools?.some(({ name }) => name === target.tool)) throw new Error(`${target.url} has no tool ${target.tool}, but ${tools?.map(({ name }) => String(name)).join(', ') || 'none'}`);
    return session;
  }

  /** One call, and whether the answer is its own. Rejects when no whole answer came. */
  async call(payload: string): Promise<Judged & { readonly status: number }> {
    const id = this.nextId++;
    const { tool, argument = 'message', more, meta } = this.target;
    const params = { name: tool, arguments: { [argument]: payload, ...more }, ...(meta && { _meta: meta(payload) }) };
    const received = await this.post('tools/call', params, id);
    return { ...judgeAnswer({ id, payload }, received), status: received.status };
  }

  private async introduce(): Promise<void> {
    const hello = await this.ask('initialize', { protocolVersion: PROTOCOL, capabilities: {}, clientInfo: CLIENT });
    const agreed = (hello.result as { protocolVersion?: unknown }).protocolVersion;
    this.headers = {
      ...this.headers,
      'mcp-protocol-version': typeof agreed === 'string' ? agreed : PROTOCOL,
      ...(hello.sessionId !== undefined && { 'mcp-session-id': hello.sessionId }),
    };
    await this.post('notifications/initialized');
  }

  private async post(method: string, params?: Readonly<Record<string, unknown>>, id?: number): Promise<Received & { readonly sessionId: string | undefined }> {
    const modern = this.target.era === 'modern';
    const named = params?.['name'];
    const own = modern ? { 'mcp-method': method, ...(typeof named === 'string' && { 'mcp-name': named }) } : {};
    const said = modern ? { ...params, _meta: { ...(params?.['_meta'] as object | undefined), ...ENVELOPE } } : params;
    const { status, headers, body } = await exchange(this.pool, this.path, { ...this.headers, ...own }, JSON.stringify({ jsonrpc: '2.0', id, method, params: said }));
    const sessionId = headers['mcp-session-id'];
    return { status, contentType: headers['content-type'] ?? '', text: body.toString(), sessionId: typeof sessionId === 'string' ? sessionId : undefined };
  }

  private async ask(method: string, params: Readonly<Record<string, unknown>>): Promise<{ readonly result: unknown; readonly sessionId: string | undefined }> {
    const id = this.nextId++;
    const received = await this.post(method, params, id);
    const answer = messagesIn(received)?.find((message) => message.id === id);
    if (answer?.result === undefined) throw new Error(`${this.target.url} answered ${method} with HTTP ${received.status} and no result`);
    return { result: answer.result, sessionId: received.sessionId };
  }
}
