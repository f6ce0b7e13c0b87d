import type { RawRequest } from './raw-http.ts';

/** One request that both servers get; where it goes is all that differs. */
export interface CorpusCase {
  readonly name: string;
  readonly era: 'modern' | 'legacy';
  readonly request: Omit<RawRequest, 'path'>;
  /** Whether it belongs to a session of the older era, which is opened before on each side; `ended` also ends it before. */
  readonly session?: 'open' | 'ended';
  /** Results that come from the server itself: here not one character may differ. */
  readonly exact: boolean;
}

export interface CaseOptions {
  readonly id?: unknown;
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly until?: RawRequest['until'];
  /** The body as it is, instead of the one made of the other members. */
  readonly body?: string | Buffer;
  readonly session?: CorpusCase['session'];
}

type Params = Readonly<Record<string, unknown>>;

export const MODERN = '2026-07-28';
export const LEGACY = '2025-11-25';
export const POST_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const EXACT: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read', 'completion/complete']);
/** The member that the header `Mcp-Name` repeats. */
const NAMED_BY: Readonly<Record<string, string>> = { 'tools/call': 'name', 'prompts/get': 'name', 'resources/read': 'uri' };
const PROTOCOL = 'io.modelcontextprotocol/';
export const ENVELOPE = {
  [`${PROTOCOL}protocolVersion`]: MODERN,
  [`${PROTOCOL}clientInfo`]: { name: 'corpus', version: '1' },
  [`${PROTOCOL}clientCapabilities`]: {},
};

/** A request of the 2026 era with the envelope and the headers that it needs. */
export function modern(name: string, method: string, params: Params = {}, options: CaseOptions = {}): CorpusCase {
  const message = { jsonrpc: '2.0', id: 'id' in options ? options.id : 1, method, params: { ...params, _meta: { ...ENVELOPE, ...options.meta } } };
  const named = params[NAMED_BY[method] ?? ''];
  return {
    name: `2026: ${name}`,
    era: 'modern',
    exact: EXACT.has(method),
    request: {
      method: 'POST',
      headers: { ...POST_HEADERS, 'mcp-protocol-version': MODERN, 'mcp-method': method, ...(typeof named === 'string' ? { 'mcp-name': named } : {}), ...options.headers },
      body: options.body ?? JSON.stringify(message),
      ...(options.until === undefined ? {} : { until: options.until }),
    },
  };
}

/** A request of the 2025 era, in a session unless it says otherwise. */
export function legacy(name: string, method: string, params?: Params, options: CaseOptions = {}): CorpusCase {
  const withMeta = options.meta ? { ...params, _meta: options.meta } : params;
  const message = { jsonrpc: '2.0', id: 'id' in options ? options.id : 1, method, ...(withMeta ? { params: withMeta } : {}) };
  const session = 'session' in options ? options.session : method === 'initialize' ? undefined : 'open';
  return {
    name: `2025: ${name}`,
    era: 'legacy',
    exact: EXACT.has(method),
    request: {
      method: 'POST',
      headers: { ...POST_HEADERS, ...(method === 'initialize' ? {} : { 'mcp-protocol-version': LEGACY }), ...options.headers },
      body: options.body ?? JSON.stringify(message),
      ...(options.until === undefined ? {} : { until: options.until }),
    },
    ...(session === undefined ? {} : { session }),
  };
}

/** A request that is not a POST. */
export function bare(name: string, method: string, headers: Readonly<Record<string, string>>, options: Pick<CaseOptions, 'session' | 'body'> = {}): CorpusCase {
  return {
    name,
    era: 'legacy',
    exact: false,
    request: { method, headers, until: 'headers', ...(options.body === undefined ? {} : { body: options.body }) },
    ...(options.session === undefined ? {} : { session: options.session }),
  };
}

export const hello = (protocolVersion: unknown): Params => ({ protocolVersion, capabilities: {}, clientInfo: { name: 'corpus', version: '1' } });

/** What both eras can ask for, with the same params: [what is special about it, method, params, `_meta`]. */
export const IN_BOTH_ERAS: readonly (readonly [string, string, Params, Params?])[] = [
  ['lists of tools', 'tools/list', {}],
  ['lists of prompts', 'prompts/list', {}],
  ['lists of resources', 'resources/list', {}],
  ['lists of templates', 'resources/templates/list', {}],
  ['a cursor that nobody gave out', 'tools/list', { cursor: 'bm9wZQ' }],
  ['a cursor that is no text', 'tools/list', { cursor: 7 }],
  ['text', 'tools/call', { name: 'text' }],
  ['text, with empty arguments', 'tools/call', { name: 'text', arguments: {} }],
  ['structured content', 'tools/call', { name: 'structured', arguments: {} }],
  ['pictures, sounds, resources and links', 'tools/call', { name: 'media', arguments: {} }],
  ['a tool that says it failed', 'tools/call', { name: 'fails', arguments: {} }],
  ['a tool that throws', 'tools/call', { name: 'throws', arguments: {} }],
  ['a tool that throws an error of the protocol', 'tools/call', { name: 'throws_protocol_error', arguments: {} }],
  ['a tool that is not there', 'tools/call', { name: 'nothing', arguments: {} }],
  ['no name', 'tools/call', { arguments: {} }],
  ['a name that is no text', 'tools/call', { name: 7, arguments: {} }],
  ['arguments that are a list', 'tools/call', { name: 'echo', arguments: [1] }],
  ['arguments that are null', 'tools/call', { name: 'echo', arguments: null }],
  ['arguments that do not fit the schema', 'tools/call', { name: 'strict', arguments: { n: 'x' } }],
  ['arguments that fit the schema', 'tools/call', { name: 'strict', arguments: { n: -0.5 } }],
  ['unknown members beside the arguments', 'tools/call', { name: 'echo', arguments: { a: 1 }, unknown: { x: 1 } }],
  ['unknown members in _meta', 'tools/call', { name: 'echo', arguments: {} }, { 'vendor.example/x': { y: [1, null, 'é'] }, other: 1 }],
  ['escapes, emoji and line ends', 'tools/call', { name: 'echo', arguments: { 'ключ "q"': 'a\u0000b\u2028\u{1F600}\r\n\\', '': '' } }],
  ['deep nesting', 'tools/call', { name: 'echo', arguments: { deep: nested(24) } }],
  ['nesting beyond what can be recorded', 'tools/call', { name: 'echo', arguments: { deep: nested(40) } }],
  ['progress that nobody asked for', 'tools/call', { name: 'slow', arguments: {} }],
  ['progress under a text', 'tools/call', { name: 'slow', arguments: {} }, { progressToken: 'tok/é' }],
  ['progress under a number', 'tools/call', { name: 'slow', arguments: {} }, { progressToken: 0 }],
  ['a progress token that is neither', 'tools/call', { name: 'slow', arguments: {} }, { progressToken: { a: 1 } }],
  ['a prompt', 'prompts/get', { name: 'plain' }],
  ['a prompt with an argument', 'prompts/get', { name: 'trip', arguments: { city: 'Paris' } }],
  ['a prompt without its argument', 'prompts/get', { name: 'trip', arguments: {} }],
  ['an error of the protocol', 'prompts/get', { name: 'unlucky' }],
  ['a prompt that is not there', 'prompts/get', { name: 'nothing' }],
  ['a text resource', 'resources/read', { uri: 'sample://text' }],
  ['a binary resource', 'resources/read', { uri: 'sample://blob' }],
  ['a resource of a template', 'resources/read', { uri: 'sample://item/a%20b' }],
  ['a resource that is not there', 'resources/read', { uri: 'sample://nothing' }],
  ['no uri', 'resources/read', {}],
  ['completion of a prompt', 'completion/complete', { ref: { type: 'ref/prompt', name: 'trip' }, argument: { name: 'city', value: 'P' } }],
  ['completion of a template', 'completion/complete', { ref: { type: 'ref/resource', uri: 'sample://item/{id}' }, argument: { name: 'id', value: '1' } }],
  ['completion of an unknown argument', 'completion/complete', { ref: { type: 'ref/prompt', name: 'trip' }, argument: { name: 'nothing', value: '' } }],
  ['completion of an unknown prompt', 'completion/complete', { ref: { type: 'ref/prompt', name: 'nothing' }, argument: { name: 'a', value: '' } }],
  ['completion without a reference', 'completion/complete', { argument: { name: 'a', value: '' } }],
  ['a method that nobody knows', 'tools/rename', { name: 'text' }],
  ['a method named like a member of every object', 'constructor', {}],
];

/** Ids, which come back as they were sent: [what is special about it, id]. */
export const IDS: readonly (readonly [string, unknown])[] = [
  ['zero', 0],
  ['negative', -17],
  ['the largest integer', 9_007_199_254_740_991],
  ['an empty text', ''],
  ['a text like a number', '1'],
  ['a text in many scripts', 'ид-\u{1F600}-"\\'],
  ['a long text', 'i'.repeat(300)],
  ['half a number', 1.5],
  ['null', null],
  ['a list', [1]],
  ['a truth', true],
];

function nested(depth: number): unknown {
  return depth === 0 ? 'bottom' : depth % 2 === 0 ? { d: nested(depth - 1) } : [nested(depth - 1)];
}
