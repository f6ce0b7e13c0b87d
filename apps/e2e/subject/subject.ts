import { CONTENT, PROMPT, RESOURCE, RESOURCES, SUBJECT_TOOLS, TEMPLATE } from './catalogue.ts';

export type Era = 'modern' | 'legacy';
type Json = Readonly<Record<string, unknown>>;

/** A request as it reached the server, and the ways back to whoever asked. */
export interface Asked {
  readonly era: Era;
  readonly method: string;
  readonly params: Json;
  /** A notification that belongs to the request: at once, or in one piece with the answer. */
  notify(method: string, params: Json, when?: 'with the answer'): void;
  /** Asks the client, in the legacy era; an error it answers with is `{ error }`. */
  ask(method: string, params: Json): Promise<Json>;
  /** The server told everybody that something has changed. */
  announce(method: string, params: Json): void;
  /** Ends as a server that dies: the process, or the connection. */
  die(): void;
  readonly cancelled: AbortSignal;
  readonly session: SubjectSession;
}

/** What is kept between requests of one client. */
export interface SubjectSession {
  logLevel: string | undefined;
  readonly watched: Set<string>;
}

/** The JSON-RPC error to answer. */
export class RpcError extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data?: unknown,
  ) {
    super(message);
  }
}

const text = (value: unknown): Json => ({ content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }] });
const LEVELS = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug'];
const PAGE = 150;

/**
 * A server written down by hand, without an SDK, so that what it says is exactly what it says. Its tools are steered by the caller: what
 * waits is released by another call, so that no spec depends on how long anything takes. Transports are in over-http.ts and over-stdio.ts.
 */
export class Subject {
  /** What happened to calls, in order: `started m`, `finished m`, `cancelled m`. */
  private readonly happened: string[] = [];
  private readonly released = new Map<string, () => void>();
  private changed = false;

  constructor(private readonly moreTools = 0) {}

  describe(era: Era): Json {
    const capabilities = {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      completions: {},
      logging: {},
    };
    const serverInfo = { name: 'subject', version: '1', title: 'Subject', websiteUrl: 'https://subject.test/', icons: [{ src: 'https://subject.test/i.png', mimeType: 'image/png', sizes: ['48x48'] }] };
    const instructions = 'Say it as it is.';
    return era === 'legacy'
      ? { protocolVersion: '2025-11-25', capabilities, serverInfo, instructions }
      : { resultType: 'complete', ttlMs: 0, cacheScope: 'private', supportedVersions: ['2026-07-28'], capabilities, serverInfo, instructions };
  }

  /** The result; throws {@link RpcError}. */
  async answer(asked: Asked): Promise<Json> {
    const result = await this.result(asked);
    if (asked.era === 'legacy') return result;
    const lists = asked.method.endsWith('/list') || asked.method === 'resources/read' ? { ttlMs: 1_500, cacheScope: 'private' } : {};
    return { resultType: 'complete', ...lists, ...result };
  }

  private async result(asked: Asked): Promise<Json> {
    const { method, params } = asked;
    switch (method) {
      case 'initialize':
      case 'server/discover':
        return this.describe(asked.era);
      case 'ping':
        return {};
      case 'tools/list':
        return this.tools(params);
      case 'tools/call':
        return this.call(asked, params['name'] as string, (params['arguments'] ?? {}) as Json);
      case 'prompts/list':
        return { prompts: [PROMPT] };
      case 'prompts/get':
        return { description: 'As asked', messages: [{ role: 'user', content: { type: 'text', text: JSON.stringify(params['arguments'] ?? 'absent') } }], _meta: { 'vendor/p': [null] } };
      case 'resources/list':
        return { resources: RESOURCES };
      case 'resources/templates/list':
        return { resourceTemplates: [TEMPLATE] };
      case 'resources/read':
        if (String(params['uri']).includes('missing')) throw new RpcError(asked.era === 'modern' ? -32_602 : -32_002, 'No such thing', { uri: params['uri'] });
        return { contents: [{ uri: params['uri'], mimeType: 'text/plain', text: `read ${String(params['uri'])}`, _meta: { 'vendor/r': 1 } }] };
      case 'resources/subscribe':
        asked.session.watched.add(params['uri'] as string);
        return {};
      case 'resources/unsubscribe':
        asked.session.watched.delete(params['uri'] as string);
        return {};
      case 'completion/complete':
        return { completion: { values: [JSON.stringify([params['ref'], params['argument'], params['context'] ?? 'absent'])], total: 1, hasMore: false } };
      case 'logging/setLevel':
        asked.session.logLevel = params['level'] as string;
        return {};
      default:
        throw new RpcError(-32_601, `Unknown method ${method}`);
    }
  }

  private tools(params: Json): Json {
    const more = Array.from({ length: this.moreTools }, (_, i) => ({ name: `more-${String(i).padStart(5, '0')}`, description: `Number ${i}`, inputSchema: { type: 'object', properties: { n: { const: i } } } }));
    const all: Json[] = [...SUBJECT_TOOLS, ...(this.changed ? [{ name: 'new', inputSchema: { type: 'object' } }] : []), ...more];
    const from = Number(params['cursor'] ?? 0);
    return { tools: all.slice(from, from + PAGE), ...(from + PAGE < all.length && { nextCursor: String(from + PAGE) }) };
  }

  private async call(asked: Asked, name: string, args: Json): Promise<Json> {
    const marker = (args['marker'] ?? '') as string;
    switch (name) {
      case 'exact':
        return CONTENT;
      case 'bare':
        return { content: [], structuredContent: { deep: [null, { '': 0 }], big: 1e21, minus: -0.5 } };
      case 'echo':
        return text({ arguments: asked.params['arguments'] ?? 'absent', meta: ownMeta(asked) });
      case 'fail':
        throw new RpcError(args['code'] as number, 'It says no: ünïcödé', { marker, nested: { list: [1, null] } });
      case 'fail-tool':
        return { content: [{ type: 'text', text: 'no luck' }], isError: true, structuredContent: { why: 'luck' }, _meta: { 'vendor/e': true } };
      case 'progress':
        return this.progress(asked, marker);
      case 'wait':
        return this.wait(asked, marker);
      case 'release':
        for (const one of (args['markers'] as string[] | undefined) ?? [marker]) this.released.get(one)?.();
        return text('released');
      case 'seen':
        return text(this.happened);
      case 'big':
        return text('x'.repeat(args['bytes'] as number));
      case 'size':
        return text(String(Buffer.byteLength(args['text'] as string)));
      case 'die':
        this.happened.push(`died ${marker}`);
        asked.die();
        return new Promise(() => undefined);
      case 'ask':
        return this.ask(asked);
      case 'change':
        this.changed = !this.changed;
        for (const list of ['tools', 'prompts', 'resources']) asked.announce(`notifications/${list}/list_changed`, {});
        return text('changed');
      case 'update':
        asked.announce('notifications/resources/updated', { uri: RESOURCE, title: marker });
        return text('updated');
      case 'log':
        for (const level of LEVELS) if (wanted(asked, level)) asked.notify('notifications/message', { level, logger: 'subject', data: { marker, list: [null] } });
        return text('logged');
      default:
        if (name === 'new' && this.changed) return text('new');
        throw new RpcError(-32_602, `Unknown tool ${name}`, { name });
    }
  }

  /** Says that it has begun, waits until somebody who heard it says so, and says that it is done together with the answer. */
  private async progress(asked: Asked, marker: string): Promise<Json> {
    const { progressToken } = (asked.params['_meta'] ?? {}) as Json;
    if (progressToken !== undefined) asked.notify('notifications/progress', { progressToken, progress: 0.5, total: 2, message: marker });
    await this.wait(asked, marker);
    if (progressToken !== undefined) asked.notify('notifications/progress', { progressToken, progress: 2, total: 2, message: marker }, 'with the answer');
    return text(marker);
  }

  private async wait(asked: Asked, marker: string): Promise<Json> {
    this.happened.push(`started ${marker}`);
    await new Promise<void>((resolve) => {
      this.released.set(marker, resolve);
      asked.cancelled.addEventListener('abort', () => resolve(), { once: true });
      if (asked.cancelled.aborted) resolve();
    });
    this.released.delete(marker);
    this.happened.push(`${asked.cancelled.aborted ? 'cancelled' : 'finished'} ${marker}`);
    return text(marker);
  }

  private async ask(asked: Asked): Promise<Json> {
    const question = { mode: 'form', message: 'Your name?', requestedSchema: { type: 'object', properties: { name: { type: 'string', title: 'Näme' } }, required: ['name'] } };
    if (asked.era === 'legacy') return text(await asked.ask('elicitation/create', question));
    const { inputResponses, requestState, _meta } = asked.params;
    const capabilities = (_meta as Json)['io.modelcontextprotocol/clientCapabilities'] as Json;
    if (capabilities['elicitation'] === undefined) throw new RpcError(-32_021, 'Missing capability', { requiredCapabilities: { elicitation: {} } });
    if (inputResponses !== undefined) return text({ inputResponses, requestState });
    return { resultType: 'input_required', inputRequests: { 'the name': { method: 'elicitation/create', params: question } }, requestState: '{"a": "é\\u0000", "n":1.0}' };
  }
}

function ownMeta({ params }: Asked): Json {
  const meta = (params['_meta'] ?? {}) as Json;
  return Object.fromEntries(Object.entries(meta).filter(([key]) => key !== 'progressToken' && !key.startsWith('io.modelcontextprotocol/')));
}

function wanted({ era, params, session }: Asked, level: string): boolean {
  const asked = era === 'modern' ? ((params['_meta'] ?? {}) as Json)['io.modelcontextprotocol/logLevel'] : (session.logLevel ?? 'debug');
  return asked !== undefined && LEVELS.indexOf(level) <= LEVELS.indexOf(asked as string);
}
