import { join } from 'node:path';
import type { UpstreamServer } from '#libs/broker/core';
import { serverAt } from './http-servers.ts';

let keys = 0;

export type StdioSettings = Partial<Omit<Extract<UpstreamServer['transport'], { type: 'stdio' }>, 'type'>>;

/** The server of the specs as a child process. */
export function stdioServer(settings: StdioSettings = {}, limits: Partial<UpstreamServer['limits']> = {}): UpstreamServer {
  return serverAt(0, {
    key: `stdio-${++keys}`,
    transport: { type: 'stdio', command: process.execPath, args: [join(import.meta.dirname, 'stdio-server.mjs')], env: {}, ...settings },
    limits: { timeoutMs: 20_000, concurrency: 64, ...limits },
  });
}
