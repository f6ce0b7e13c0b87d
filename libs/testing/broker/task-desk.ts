import { setImmediate as turn } from 'node:timers/promises';
import type { McpReply } from '#libs/broker/core';
import type { HoldfastConfig } from '#libs/contracts';
import type { Principal } from '#libs/ports';
import { bodyOf, type RpcBody } from './legacy-client.ts';
import type { MemoryPeers } from './memory-peers.ts';
import { tool } from './memory-upstreams.ts';
import { config, server, SpecBroker } from './spec-broker.ts';
import { specSha256 } from './spec-ports.ts';

export const TASKS = 'io.modelcontextprotocol/tasks';
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const hashed = (name: string): string => Buffer.from(specSha256(name)).toString('hex');
const keyOf = (id: string, user: string, more: object = {}): object => ({ id, tenant: 'acme', user, client: 'cli', agent: 'bot', roles: ['agent'], sha256: hashed(id), ...more });

/** A tenant where people decide about refunds. */
export const tenancy = (more: Record<string, unknown> = {}): HoldfastConfig =>
  config({
    servers: [server('billing', { tools: { refund: { class: 'write' }, list: { class: 'read' } } }), server('mail'), { ...server('crm'), tenant: 'globex' }],
    identity: {
      users: [
        { id: 'ada', tenant: 'acme', groups: ['finance'] },
        { id: 'ben', tenant: 'acme' },
        { id: 'mia', tenant: 'acme', groups: ['leads'] },
      ],
      keys: [keyOf('k1', 'ada'), keyOf('k2', 'ben')],
    },
    policies: [
      { id: 'everything', tenant: 'acme', effect: 'allow' },
      { id: 'ask', tenant: 'acme', effect: 'require_approval', match: { servers: ['billing'], tools: ['refund'] }, flow: 'leads' },
    ],
    flows: [{ id: 'leads', tenant: 'acme', expiresIn: '1h', grantFor: '30m', steps: [{ name: 'lead', approvers: { groups: ['leads'] } }] }],
    ...more,
  });

export interface Task {
  readonly resultType: string;
  readonly taskId: string;
  readonly status: string;
  readonly statusMessage: string;
  readonly ttlMs: number;
  readonly pollIntervalMs: number;
  readonly result?: { readonly isError?: boolean; readonly content: readonly { readonly text: string }[]; readonly _meta?: Record<string, Record<string, unknown>> };
  readonly error?: { readonly code: number; readonly message: string };
  readonly inputRequests?: Readonly<Record<string, { readonly method: string }>>;
}

/** Lets everything go on that can go on without time passing. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 80; i++) await turn();
}

/** A broker, and a client that follows tasks. */
export class TaskDesk {
  readonly spec: SpecBroker;
  private ids = 0;

  constructor(more: Record<string, unknown> = {}, peers?: MemoryPeers, maxInFlight = 100) {
    this.spec = new SpecBroker(tenancy(more), peers, { maxInFlight });
    this.spec.upstreams.lists.set('mail', [tool('send')]);
  }

  ask(method: string, params: Record<string, unknown>, more: { principal?: Principal; server?: string; declares?: boolean; capabilities?: object } = {}): Promise<McpReply> {
    const capabilities = { ...more.capabilities, ...(more.declares === false ? {} : { extensions: { [TASKS]: {} } }) };
    const name = params['name'] ?? params['taskId'];
    const body = JSON.stringify({ jsonrpc: '2.0', id: ++this.ids, method, params: { ...params, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', [CAPABILITIES]: capabilities } } });
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...(typeof name === 'string' ? { 'mcp-name': name } : {}) };
    return this.spec.http(body, { headers, ...(more.principal ? { principal: more.principal } : {}), ...(more.server === undefined ? {} : { server: more.server }) });
  }

  async call(args: Record<string, unknown> = { id: 1 }, more: Parameters<TaskDesk['ask']>[2] & { name?: string; params?: object } = {}): Promise<Task> {
    return bodyOf(await this.ask('tools/call', { name: more.name ?? 'billing__refund', arguments: args, ...more.params }, more)).result as unknown as Task;
  }

  async get(taskId: string, more: Parameters<TaskDesk['ask']>[2] = {}): Promise<Task> {
    await settle();
    return bodyOf(await this.ask('tasks/get', { taskId }, more)).result as unknown as Task;
  }

  async body(method: string, params: Record<string, unknown>, more: Parameters<TaskDesk['ask']>[2] = {}): Promise<RpcBody> {
    return bodyOf(await this.ask(method, params, more));
  }

  approve(id: string): Promise<unknown> {
    return this.spec.approvals.approve(id, 'mia');
  }

  get executed(): number {
    return this.spec.upstreams.calls.length;
  }

  get events(): string[] {
    return this.spec.recorder.types();
  }

  statusOf(id: string): string {
    return this.spec.approvals.store.rows.get(id)!.stored.state.status;
  }
}
