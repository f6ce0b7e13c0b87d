import { McpUpstreams } from '../mcp-upstreams.ts';
import { call } from './http-servers.ts';
import { stdioServer } from './stdio-servers.ts';

/** A process with a server that ends for nobody, and what that started; it says who they are and waits to be killed. */
const upstreams = new McpUpstreams({ clientInfo: { name: 'host', version: '0' }, resolveSecret: () => 'unused' });
const answer = await upstreams.call(stdioServer({ env: { STUBBORN: '1' } }), call({ params: '{"name":"spawn"}', timeoutMs: 20_000 }));
process.stdout.write(`${answer.kind === 'result' ? answer.text : JSON.stringify(answer)}\n`);
setInterval(() => undefined, 1_000);
