import { type CorpusCase, ENVELOPE, IDS, IN_BOTH_ERAS, LEGACY, MODERN, modern } from './corpus.ts';

const VERSION = 'io.modelcontextprotocol/protocolVersion';
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const CLIENT = 'io.modelcontextprotocol/clientInfo';
const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';

const call = { name: 'echo', arguments: { a: 1 } };
/** A call whose arguments stand in the body character for character. */
const raw = (args: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":${args},"_meta":${JSON.stringify(ENVELOPE)}}}`;
const notification = (method: string, params: Record<string, unknown>, meta: object = ENVELOPE): string =>
  JSON.stringify({ jsonrpc: '2.0', method, params: { ...params, _meta: meta } });
const withoutMeta = (name: string): string => {
  const { [name]: _, ...rest } = ENVELOPE as Record<string, unknown>;
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: rest } });
};

/** The era of 2026-07-28: every request says itself what it is. */
export const MODERN_CASES: readonly CorpusCase[] = [
  modern('server/discover', 'server/discover'),
  ...IN_BOTH_ERAS.map(([name, method, params, meta]) => modern(name, method, params, meta ? { meta } : {})),
  ...IDS.map(([name, id]) => modern(`id: ${name}`, 'tools/call', call, { id })),
  // What was taken out of the protocol with this version.
  ...['ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe', 'initialize'].map((method) =>
    modern(`removed: ${method}`, method, method === 'logging/setLevel' ? { level: 'info' } : { uri: 'sample://text' }),
  ),
  modern('logs nobody asked for', 'tools/call', { name: 'logs', arguments: {} }),
  modern('logs that were asked for', 'tools/call', { name: 'logs', arguments: {} }, { meta: { [LOG_LEVEL]: 'debug' } }),
  modern('logs of a level that was not asked for', 'tools/call', { name: 'logs', arguments: {} }, { meta: { [LOG_LEVEL]: 'error' } }),
  modern('a stream of changes', 'subscriptions/listen', { notifications: { toolsListChanged: true } }, { until: 1 }),
  modern('a stream of nothing', 'subscriptions/listen', { notifications: {} }),
  modern('a stream that does not say what of', 'subscriptions/listen', {}),
  // Numbers and texts that stand in the body in another form than a program would write.
  modern('numbers in other forms', 'tools/call', call, { body: raw('{"a":1.0,"b":1e2,"c":-0.0,"d":100000000000000000000,"e":0.1}') }),
  modern('space between everything', 'tools/call', call, { body: raw(' {\n\t"a" : [ 1 , 2 ] ,\r\n "b":{ } } ') }),
  modern('escapes where none are needed', 'tools/call', call, { body: raw('{"\\u0061":"\\u00e9\\/\\ud83d\\ude00"}') }),
  modern('half of a pair', 'tools/call', call, { body: raw('{"a":"\\ud83d"}') }),
  modern('a key twice', 'tools/call', call, { body: raw('{"a":1,"a":2}') }),
  modern('__proto__ among the arguments', 'tools/call', call, { body: raw('{"__proto__":{"x":1},"a":1}') }),
  modern('a number beyond all', 'tools/call', call, { body: raw('{"a":1e400}') }),
  modern('an integer that loses digits', 'tools/call', call, { body: raw('{"a":9007199254740993}') }),
  modern('nesting deeper than anybody needs', 'tools/call', call, { body: raw(`{"a":${'['.repeat(300)}${']'.repeat(300)}}`) }),
  // Headers that repeat the body.
  modern('no version header', 'tools/call', call, { headers: { 'mcp-protocol-version': '' } }),
  modern('the version header of the older era', 'tools/call', call, { headers: { 'mcp-protocol-version': LEGACY } }),
  modern('a version header of nobody', 'tools/call', call, { headers: { 'mcp-protocol-version': 'tomorrow' } }),
  modern('no method header', 'tools/call', call, { headers: { 'mcp-method': '' } }),
  modern('another method in the header', 'tools/call', call, { headers: { 'mcp-method': 'tools/list' } }),
  modern('a method header in capitals', 'tools/call', call, { headers: { 'mcp-method': 'TOOLS/CALL' } }),
  modern('no name header', 'tools/call', call, { headers: { 'mcp-name': '' } }),
  modern('another name in the header', 'tools/call', call, { headers: { 'mcp-name': 'text' } }),
  modern('a name header in base64', 'tools/call', call, { headers: { 'mcp-name': `=?base64?${Buffer.from('echo').toString('base64')}?=` } }),
  modern('a name header in broken base64', 'tools/call', call, { headers: { 'mcp-name': '=?base64?!?=' } }),
  modern('another uri in the header', 'resources/read', { uri: 'sample://text' }, { headers: { 'mcp-name': 'sample://blob' } }),
  modern('no name header for a prompt', 'prompts/get', { name: 'plain' }, { headers: { 'mcp-name': '' } }),
  modern('a name header where none belongs', 'tools/list', {}, { headers: { 'mcp-name': 'text' } }),
  modern('a parameter header', 'tools/call', { name: 'routed', arguments: { region: 'north' } }, { headers: { 'mcp-param-region': 'north' } }),
  modern('no parameter header', 'tools/call', { name: 'routed', arguments: { region: 'north' } }),
  modern('another value in the parameter header', 'tools/call', { name: 'routed', arguments: { region: 'north' } }, { headers: { 'mcp-param-region': 'south' } }),
  // What the envelope must hold.
  modern('a version that nobody speaks', 'tools/list', {}, { meta: { [VERSION]: '2027-01-01' }, headers: { 'mcp-protocol-version': '2027-01-01' } }),
  modern('an older version in the envelope', 'tools/list', {}, { meta: { [VERSION]: LEGACY }, headers: { 'mcp-protocol-version': LEGACY } }),
  modern('a version that is no text', 'tools/list', {}, { meta: { [VERSION]: 7 } }),
  modern('no version in the envelope', 'tools/list', {}, { body: withoutMeta(VERSION) }),
  modern('no capabilities in the envelope', 'tools/list', {}, { body: withoutMeta(CAPABILITIES) }),
  modern('no client in the envelope', 'tools/list', {}, { body: withoutMeta(CLIENT) }),
  modern('capabilities that are a list', 'tools/list', {}, { meta: { [CAPABILITIES]: [] } }),
  modern('a client without a name', 'tools/list', {}, { meta: { [CLIENT]: { version: '1' } } }),
  modern('no params at all', 'tools/list', {}, { body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' }),
  modern('params that are a list', 'tools/list', {}, { body: '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[1]}' }),
  // Messages that want no answer.
  modern('a notification', 'notifications/cancelled', {}, { body: notification('notifications/cancelled', { requestId: 7 }) }),
  modern('a notification without an envelope', 'notifications/cancelled', {}, { body: '{"jsonrpc":"2.0","method":"notifications/cancelled"}' }),
  modern('a notification that nobody knows', 'notifications/nothing', {}, { body: notification('notifications/nothing', {}) }),
  modern('a notification under another method header', 'tools/list', {}, { body: notification('notifications/cancelled', { requestId: 7 }) }),
  modern('a notification of a version that nobody speaks', 'notifications/cancelled', {}, {
    body: notification('notifications/cancelled', { requestId: 7 }, { ...ENVELOPE, [VERSION]: '2027-01-01' }),
    headers: { 'mcp-protocol-version': '2027-01-01' },
  }),
  modern('a session that means nothing here', 'tools/list', {}, { headers: { 'mcp-session-id': 'made-up' } }),
  modern('only JSON accepted', 'tools/call', call, { headers: { accept: 'application/json' } }),
  modern('only JSON accepted, and progress asked for', 'tools/call', { name: 'slow', arguments: {} }, { meta: { progressToken: 1 }, headers: { accept: 'application/json' } }),
  modern('anything accepted', 'tools/call', call, { headers: { accept: '*/*' } }),
  modern('nothing said of what is accepted', 'tools/call', call, { headers: { accept: '' } }),
  modern(`the version of ${MODERN} with space around it`, 'tools/list', {}, { headers: { 'mcp-protocol-version': ` ${MODERN} ` } }),
];
