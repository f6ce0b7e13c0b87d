import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Caller } from './caller.ts';
import { Installation, newKey, writeConfig } from './holdfast.ts';
import { Upstream } from './upstream.ts';

/** One tenant `acme` with an agent, an auditor, an upstream `wit` that witnesses executions, and a policy that allows its tools. */
export interface World {
  readonly installation: Installation;
  readonly upstream: Upstream;
  readonly agentToken: string;
  readonly auditorToken: string;
  caller(path?: string): Caller;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly config?: (base: Record<string, unknown>) => Record<string, unknown>;
  readonly env?: Readonly<Record<string, string>>;
}

export async function world(options: WorldOptions = {}): Promise<World> {
  const upstream = await new Upstream().start();
  const agent = newKey({ id: 'agent-key', tenant: 'acme', user: 'ada', client: 'e2e', agent: 'bot', roles: ['agent'] });
  const auditor = newKey({ id: 'auditor-key', tenant: 'acme', user: 'barbara', client: 'e2e', roles: ['auditor'] });
  const base = {
    apiVersion: 'holdfast/v1',
    tenants: [{ id: 'acme', name: 'Acme' }],
    identity: {
      users: [
        { id: 'ada', tenant: 'acme' },
        { id: 'barbara', tenant: 'acme' },
      ],
      keys: [agent.entry, auditor.entry],
    },
    agents: [{ id: 'bot', tenant: 'acme', owner: 'ada' }],
    servers: [{ id: 'wit', tenant: 'acme', transport: { type: 'http', url: upstream.url }, limits: { timeoutMs: 3000 }, tools: { read: { class: 'read' }, write: { class: 'write' } } }],
    policies: [{ id: 'all', tenant: 'acme', effect: 'allow' }],
  };
  const config = writeConfig(options.config ? options.config(base) : base);
  const installation = new Installation({ HOLDFAST_CONFIG: config, ...options.env });
  const callers: Caller[] = [];
  return {
    installation,
    upstream,
    agentToken: agent.token,
    auditorToken: auditor.token,
    caller: (path = '/mcp') => {
      const caller = new Caller(`${installation.url}${path}`, agent.token);
      callers.push(caller);
      return caller;
    },
    close: async () => {
      await Promise.all(callers.map((caller) => caller.close()));
      await installation.close();
      await upstream.stop();
      rmSync(dirname(config), { recursive: true, force: true });
    },
  };
}
