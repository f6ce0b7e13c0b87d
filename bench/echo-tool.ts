import { setTimeout as sleep } from 'node:timers/promises';

/** Which protocol an echo server speaks: 2025-11-25 and older, or 2026-07-28. It knows nothing of the other one, as such servers do not. */
export type Era = 'legacy' | 'modern';

export interface EchoMessage {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: { readonly protocolVersion?: unknown; readonly name?: unknown; readonly arguments?: { readonly message?: unknown; readonly delayMs?: number } };
}

const MAX_REMEMBERED = 1_000_000;
const MAX_DELAY_MS = 10_000;
const VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26'];
const MODERN = '2026-07-28';
const INFO = { name: 'holdfast-echo', version: '1' };

const ECHO = {
  name: 'echo',
  title: 'Echo',
  description: 'Gives its message back.',
  inputSchema: {
    type: 'object',
    properties: { message: { type: 'string' }, delayMs: { type: 'integer', minimum: 0, maximum: MAX_DELAY_MS } },
    required: ['message'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true },
};

/** One tool that gives its message back, behind whatever transport. It counts what it executed before it answers. */
export class EchoTool {
  count = 0;
  readonly messages: string[] = [];

  constructor(
    private readonly era: Era,
    private readonly remember = false,
  ) {}

  /** The JSON-RPC answer to a request. */
  async answer(message: EchoMessage): Promise<unknown> {
    const result = await this.result(message);
    const { id } = message;
    if (result === undefined) return { jsonrpc: '2.0', id, error: { code: -32601, message: 'not known here' } };
    return { jsonrpc: '2.0', id, result: this.era === 'modern' ? { resultType: 'complete', ...result } : result };
  }

  private async result({ method, params }: EchoMessage): Promise<object | undefined> {
    const listed = this.era === 'modern' ? { ttlMs: 0, cacheScope: 'private' } : {};
    switch (method) {
      case 'initialize': {
        if (this.era === 'modern') return undefined;
        const wanted = String(params?.protocolVersion);
        return { protocolVersion: VERSIONS.includes(wanted) ? wanted : VERSIONS[0], capabilities: { tools: {} }, serverInfo: INFO };
      }
      case 'server/discover': {
        if (this.era === 'legacy') return undefined;
        return { supportedVersions: [MODERN], capabilities: { tools: {} }, ...listed, _meta: { 'io.modelcontextprotocol/serverInfo': INFO } };
      }
      case 'ping':
        return {};
      case 'tools/list':
        return { tools: [ECHO], ...listed };
      case 'tools/call': {
        const { message: text, delayMs } = params?.arguments ?? {};
        if (params?.name !== ECHO.name || typeof text !== 'string') return undefined;
        this.count += 1;
        if (this.remember && this.messages.length < MAX_REMEMBERED) this.messages.push(text);
        if (delayMs) await sleep(Math.min(delayMs, MAX_DELAY_MS));
        return { content: [{ type: 'text', text }] };
      }
      default:
        return undefined;
    }
  }
}

/** Undefined when the text is not one JSON object. */
export function parseMessage(text: string): EchoMessage | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function eraOf(args: readonly string[]): Era {
  return args.includes('--modern') ? 'modern' : 'legacy';
}
