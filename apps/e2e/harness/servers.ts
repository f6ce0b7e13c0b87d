import { join } from 'node:path';

const modules = join(import.meta.dirname, '..', '..', '..', 'node_modules', '@modelcontextprotocol');

/** A published server as the configuration has it: a child process of this Node. */
export const published = (id: 'everything' | 'filesystem' | 'memory', args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Record<string, unknown> => ({
  id,
  tenant: 'acme',
  transport: { type: 'stdio', command: process.execPath, args: [join(modules, `server-${id}`, 'dist', 'index.js'), ...args], env },
});

export const overHttp = (id: string, url: string, limits: Readonly<Record<string, number>> = {}): Record<string, unknown> => ({ id, tenant: 'acme', transport: { type: 'http', url }, limits });
