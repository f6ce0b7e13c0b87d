import { gzipSync } from 'node:zlib';
import { bare, type CorpusCase, ENVELOPE, hello, legacy, LEGACY, MODERN, modern } from './corpus.ts';

const body = (text: string | Buffer): { readonly body: string | Buffer } => ({ body: text });
const STREAM = { accept: 'text/event-stream', 'mcp-protocol-version': LEGACY };
const CALL = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { a: 'é' }, _meta: ENVELOPE } });
const call = (name: string, text: string | Buffer, headers: Readonly<Record<string, string>> = {}): CorpusCase =>
  modern(name, 'tools/call', { name: 'echo' }, { body: text, headers });
const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';

/** What HTTP itself carries: methods, media types, bodies that are no message. */
export const HTTP_CASES: readonly CorpusCase[] = [
  bare('GET of a session', 'GET', STREAM, { session: 'open' }),
  bare('GET of a session that takes no streams', 'GET', { ...STREAM, accept: 'application/json' }, { session: 'open' }),
  bare('GET of a session in a version of nobody', 'GET', { ...STREAM, 'mcp-protocol-version': '1999-01-01' }, { session: 'open' }),
  bare('GET of a session that has ended', 'GET', STREAM, { session: 'ended' }),
  bare('GET without a session', 'GET', STREAM),
  bare('GET of a session that is made up', 'GET', { ...STREAM, 'mcp-session-id': 'made-up' }),
  bare('GET of 2026', 'GET', { ...STREAM, 'mcp-protocol-version': MODERN }),
  bare('DELETE of a session', 'DELETE', { 'mcp-protocol-version': LEGACY }, { session: 'open' }),
  bare('DELETE of a session in a version of nobody', 'DELETE', { 'mcp-protocol-version': '1999-01-01' }, { session: 'open' }),
  bare('DELETE of a session that has ended', 'DELETE', { 'mcp-protocol-version': LEGACY }, { session: 'ended' }),
  bare('DELETE without a session', 'DELETE', { 'mcp-protocol-version': LEGACY }),
  bare('DELETE of 2026', 'DELETE', { 'mcp-protocol-version': MODERN }),
  bare('PUT', 'PUT', { 'content-type': 'application/json', 'mcp-protocol-version': MODERN }, body(LIST)),
  bare('PATCH', 'PATCH', { 'content-type': 'application/json', 'mcp-protocol-version': MODERN }, body(LIST)),
  bare('HEAD', 'HEAD', { accept: '*/*' }),
  bare('OPTIONS', 'OPTIONS', { accept: '*/*' }),
  modern('text that is no JSON', 'tools/list', {}, body('{"jsonrpc"')),
  modern('an empty body', 'tools/list', {}, body('')),
  modern('a body that is not UTF-8', 'tools/list', {}, body(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))),
  modern('a body of null', 'tools/list', {}, body('null')),
  modern('a body of a number', 'tools/list', {}, body('7')),
  modern('an empty object', 'tools/list', {}, body('{}')),
  modern('another JSON-RPC', 'tools/list', {}, body('{"jsonrpc":"1.0","id":1,"method":"tools/list"}')),
  modern('no JSON-RPC', 'tools/list', {}, body('{"id":1,"method":"tools/list"}')),
  modern('a method that is a number', 'tools/list', {}, body('{"jsonrpc":"2.0","id":1,"method":7}')),
  modern('an empty batch', 'tools/list', {}, body('[]')),
  modern('a batch', 'tools/list', {}, body(`[${LIST}]`)),
  legacy('a batch', 'tools/list', undefined, body(`[${LIST},{"jsonrpc":"2.0","id":2,"method":"ping"}]`)),
  legacy('text that is no JSON', 'tools/list', undefined, body('{"jsonrpc"')),
  legacy('text that is no JSON, without a session', 'tools/list', undefined, { ...body('nonsense'), session: undefined }),
  call('a byte order mark', `\ufeff${CALL}`),
  call('something behind the message', `${CALL}{}`),
  call('space around the message', `\r\n\t ${CALL} \n`),
  call('another member beside the method', CALL.replace('{', '{"extra":{"x":1},')),
  call('params that are null', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":null}'),
  call('a method and a result', CALL.replace('{', '{"result":{},')),
  call('a compressed body', gzipSync(CALL), { 'content-encoding': 'gzip' }),
  call('another charset', CALL, { 'content-type': 'application/json; charset=iso-8859-1' }),
  call('JSON of another kind', CALL, { 'content-type': 'application/vnd.example+json' }),
  call('space around the headers', CALL, { 'mcp-method': ' tools/call ', 'mcp-name': ' echo ' }),
  call('a method header twice', CALL, { 'mcp-method': 'tools/call, tools/call' }),
  modern('no content type', 'server/discover', {}, { headers: { 'content-type': '' } }),
  modern('form data', 'server/discover', {}, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
  modern('text/plain', 'server/discover', {}, { headers: { 'content-type': 'text/plain' } }),
  modern('a type that begins like JSON', 'server/discover', {}, { headers: { 'content-type': 'application/jsonp' } }),
  modern('JSON with a charset', 'server/discover', {}, { headers: { 'content-type': 'Application/JSON; charset=utf-8' } }),
  legacy('no content type', 'initialize', hello(LEGACY), { headers: { 'content-type': '' } }),
  legacy('text/plain', 'initialize', hello(LEGACY), { headers: { 'content-type': 'text/plain' } }),
  modern('pages accepted', 'server/discover', {}, { headers: { accept: 'text/html' } }),
  legacy('pages accepted', 'initialize', hello(LEGACY), { headers: { accept: 'text/html' } }),
  modern('a foreign origin', 'server/discover', {}, { headers: { origin: 'https://evil.test' } }),
  modern('an origin of this machine', 'server/discover', {}, { headers: { origin: 'http://localhost:3000' } }),
  modern('a foreign host', 'server/discover', {}, { headers: { host: 'evil.test' } }),
];
