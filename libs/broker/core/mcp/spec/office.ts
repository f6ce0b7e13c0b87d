import { setImmediate as turn } from 'node:timers/promises';
import { bodyOf, config, MemoryChannel, type RpcBody, server, SpecBroker, specSha256 } from '#libs/testing';
import type { McpReply } from '#libs/broker/core';
import type { Principal } from '#libs/ports';

const token = (name: string): string => Buffer.from(specSha256(name)).toString('hex');
const key = (id: string, user: string, more: object = {}): object => ({ id, tenant: 'acme', user, client: 'cli', agent: 'bot', roles: ['agent'], sha256: token(id), ...more });

export const approvals = (more: Record<string, unknown> = {}) =>
  config({
    servers: [server('billing', { tools: { refund: { class: 'write' }, list: { class: 'read' } } })],
    identity: {
      users: [
        { id: 'ada', tenant: 'acme', groups: ['finance'] },
        { id: 'ben', tenant: 'acme' },
        { id: 'mia', tenant: 'acme', groups: ['leads'] },
        { id: 'noa', tenant: 'acme', groups: ['leads'] },
      ],
      keys: [key('k1', 'ada'), key('k2', 'ben')],
    },
    policies: [
      { id: 'everything', tenant: 'acme', effect: 'allow' },
      { id: 'ask', tenant: 'acme', effect: 'require_approval', match: { tools: ['refund'] }, flow: 'leads', reason: 'Leads look at refunds.' },
    ],
    flows: [{ id: 'leads', tenant: 'acme', expiresIn: '1h', grantFor: '30m', steps: [{ name: 'lead', approvers: { groups: ['leads'] } }] }],
    ...more,
  });

export interface Told {
  readonly state: string;
  readonly code: string;
  readonly disposition: string;
  readonly approvalId?: string;
}

/** What programs read of a held call. */
export function told(body: RpcBody): Told {
  return (body.result!['_meta'] as Record<string, Told>)['dev.holdfast/call']!;
}

export function text(body: RpcBody): string {
  return (body.result!['content'] as { text: string }[])[0]!.text;
}

/** Lets everything go on that can go on without time passing. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 60; i++) await turn();
}

export class Office {
  readonly spec: SpecBroker;

  constructor(more: Record<string, unknown> = {}) {
    this.spec = new SpecBroker(approvals(more));
  }

  call(args: Record<string, unknown> = { id: 1 }, more: { channel?: MemoryChannel; state?: unknown; principal?: Principal; meta?: Record<string, unknown>; name?: string } = {}): Promise<McpReply> {
    const name = more.name ?? 'billing__refund';
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name,
        arguments: args,
        ...(more.state === undefined ? {} : { requestState: more.state }),
        _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {}, ...more.meta },
      },
    });
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name };
    return this.spec.http(body, { headers, channel: more.channel ?? new MemoryChannel(), ...(more.principal ? { principal: more.principal } : {}) });
  }

  /** The only approval there is, or the latest. */
  get approval(): string {
    return this.spec.approvals.ids.at(-1)!;
  }

  /** One leg: the request waits until its time is over. */
  async leg(reply: Promise<McpReply>): Promise<RpcBody> {
    await settle();
    this.spec.ring();
    return bodyOf(await reply);
  }

  get executed(): number {
    return this.spec.upstreams.calls.length;
  }

  get events(): string[] {
    return this.spec.recorder.types();
  }
}
