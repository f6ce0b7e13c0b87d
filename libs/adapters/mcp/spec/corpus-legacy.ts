import { type CorpusCase, hello, IDS, IN_BOTH_ERAS, legacy, LEGACY, MODERN } from './corpus.ts';

const call = { name: 'echo', arguments: { a: 1 } };
const message = (value: Record<string, unknown>): string => JSON.stringify({ jsonrpc: '2.0', ...value });

/** A call whose arguments stand in the body character for character. */
const raw = (args: string): string => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":${args}}}`;

/** The eras before: `initialize`, then requests in a session. */
export const LEGACY_CASES: readonly CorpusCase[] = [
  ...['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '2024-10-07', '1999-01-01', MODERN].map((version) =>
    legacy(`initialize at ${version}`, 'initialize', hello(version)),
  ),
  legacy('initialize at no version', 'initialize', { capabilities: {}, clientInfo: { name: 'corpus', version: '1' } }),
  legacy('initialize at a version that is no text', 'initialize', hello(7)),
  legacy('initialize without params', 'initialize'),
  legacy('initialize without a client', 'initialize', { protocolVersion: LEGACY, capabilities: {} }),
  legacy('initialize with a version header', 'initialize', hello(LEGACY), { headers: { 'mcp-protocol-version': LEGACY } }),
  legacy('initialize with the version header of 2026', 'initialize', hello(LEGACY), { headers: { 'mcp-protocol-version': MODERN } }),
  legacy('initialize in a session', 'initialize', hello(LEGACY), { session: 'open' }),
  legacy('initialize as a notification', 'initialize', hello(LEGACY), { id: undefined }),
  ...IN_BOTH_ERAS.map(([name, method, params, meta]) => legacy(name, method, params, meta ? { meta } : {})),
  ...IDS.map(([name, id]) => legacy(`id: ${name}`, 'tools/call', call, { id })),
  legacy('lists of tools, without params', 'tools/list'),
  legacy('ping', 'ping'),
  legacy('ping with params', 'ping', { _meta: { 'vendor.example/x': 1 } }),
  legacy('a log level', 'logging/setLevel', { level: 'warning' }),
  legacy('a log level that does not exist', 'logging/setLevel', { level: 'loud' }),
  legacy('no log level', 'logging/setLevel', {}),
  legacy('logs', 'tools/call', { name: 'logs', arguments: {} }),
  legacy('a subscription where there are none', 'resources/subscribe', { uri: 'sample://text' }),
  legacy('the end of a subscription where there are none', 'resources/unsubscribe', { uri: 'sample://text' }),
  legacy('server/discover', 'server/discover', {}),
  legacy('subscriptions/listen', 'subscriptions/listen', { notifications: {} }),
  legacy('numbers in other forms', 'tools/call', call, { body: raw('{"a":1.0,"b":1e2,"c":-0.0}') }),
  legacy('an integer that loses digits', 'tools/call', call, { body: raw('{"a":9007199254740993}') }),
  legacy('a key twice', 'tools/call', call, { body: raw('{"a":1,"a":2}') }),
  legacy('params that are a list', 'tools/list', undefined, { body: '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[1]}' }),
  legacy('initialized', 'notifications/initialized', undefined, { id: undefined }),
  legacy('cancelled', 'notifications/cancelled', { requestId: 99, reason: 'tired' }, { id: undefined }),
  legacy('cancelled without an id', 'notifications/cancelled', {}, { id: undefined }),
  legacy('roots changed', 'notifications/roots/list_changed', {}, { id: undefined }),
  legacy('a notification that nobody knows', 'notifications/nothing', {}, { id: undefined }),
  legacy('an answer to nothing', '', undefined, { body: message({ id: 5, result: {} }) }),
  legacy('an error to nothing', '', undefined, { body: message({ id: 5, error: { code: -1, message: 'no' } }) }),
  legacy('a session but no version header', 'tools/list', undefined, { headers: { 'mcp-protocol-version': '' } }),
  legacy('an older version header', 'tools/list', undefined, { headers: { 'mcp-protocol-version': '2025-03-26' } }),
  legacy('a version header of nobody', 'tools/list', undefined, { headers: { 'mcp-protocol-version': '1999-01-01' } }),
  legacy('the version header of 2026', 'tools/list', undefined, { headers: { 'mcp-protocol-version': MODERN } }),
  legacy('no session', 'tools/list', undefined, { session: undefined }),
  legacy('no session, a notification', 'notifications/initialized', undefined, { id: undefined, session: undefined }),
  legacy('a session that is made up', 'tools/list', undefined, { session: undefined, headers: { 'mcp-session-id': 'made-up' } }),
  legacy('a session that has ended', 'tools/list', undefined, { session: 'ended' }),
  legacy('only JSON accepted', 'tools/list', undefined, { headers: { accept: 'application/json' } }),
  legacy('only streams accepted', 'tools/list', undefined, { headers: { accept: 'text/event-stream' } }),
  legacy('nothing said of what is accepted', 'tools/list', undefined, { headers: { accept: '' } }),
];
