import { type ArgumentProblem, type ArgumentValidator, Broker, type BrokerLimits, type Channel, type Conditions, type McpReply, NO_CHANNEL } from '#libs/broker/core';
import { HoldfastConfig } from '#libs/contracts';
import type { Principal } from '#libs/ports';
import { MemoryPeers } from './memory-peers.ts';
import { MemoryRecorder } from './memory-recorder.ts';
import { MemoryUpstreams, tool } from './memory-upstreams.ts';
import { SpecApprovals } from './spec-approvals.ts';
import { specClock, specDigest, specIds, specSha256 } from './spec-ports.ts';

/** Conditions for specs of this core: `args.<name>` is true when that argument is, `boom` cannot be evaluated, `?` does not compile. */
export const specConditions: Conditions = {
  compile: (expression) =>
    expression === '?'
      ? { ok: false, problem: 'not an expression' }
      : {
          ok: true,
          condition: {
            evaluate: ({ args }) => {
              if (expression === 'boom') throw new Error('no such key');
              return args[expression.slice('args.'.length)] === true;
            },
          },
        },
};

const PROBLEM: ArgumentProblem = { told: '/id: must be string.', recorded: 'type at #/properties/id/type' };

/** Values with a member `invalid` do not fit; a schema `{"not":"usable"}` is none. */
export const specValidator: ArgumentValidator = {
  check: (_hash, schema, value) => (schema['not'] === 'usable' ? { ...PROBLEM, unusable: true } : 'invalid' in (value as object) ? PROBLEM : null),
};

export const ada: Principal = {
  tenant: 'acme',
  user: 'ada',
  client: 'cli',
  agent: 'bot',
  roles: ['agent'],
  groups: ['finance'],
  key: 'k1',
};

export function config(more: Record<string, unknown> = {}): HoldfastConfig {
  return HoldfastConfig.parse({
    apiVersion: 'holdfast/v1',
    tenants: [
      { id: 'acme', name: 'Acme' },
      { id: 'globex', name: 'Globex' },
    ],
    servers: [
      server('billing', { tools: { refund: { class: 'write' }, list: { class: 'read' } } }),
      { ...server('crm'), tenant: 'globex' },
    ],
    policies: [
      { id: 'everything', tenant: 'acme', effect: 'allow' },
      { id: 'no-purge', tenant: 'acme', effect: 'deny', match: { tools: ['purge'] } },
      { id: 'not-so', tenant: 'acme', effect: 'deny', match: { tools: ['refund'] }, when: 'args.bad', reason: 'Bad refunds are not made.' },
    ],
    ...more,
  });
}

export function server(id: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { id, tenant: 'acme', transport: { type: 'http', url: `http://127.0.0.1:9/${id}` }, ...more };
}

/** A broker whose ports are in memory, and ways to talk to it. */
export class SpecBroker {
  readonly recorder = new MemoryRecorder();
  readonly upstreams = new MemoryUpstreams();
  readonly faults: unknown[] = [];
  stale: Error | undefined;
  /** What waits for its time; specs call it. */
  readonly timers = new Set<() => void>();
  /** How far the broker's clock runs ahead. */
  aheadMs = 0;
  readonly broker: Broker;
  readonly approvals: SpecApprovals;

  /** The time has come for everything that waits for its time now. */
  ring(): void {
    const due = [...this.timers];
    this.timers.clear();
    for (const timer of due) timer();
  }

  private ids = 0;

  /** Brokers with the same peers hear each other. */
  constructor(configuration: HoldfastConfig = config(), peers = new MemoryPeers(), limits: Partial<BrokerLimits> = {}) {
    this.upstreams.lists.set('billing', [tool('refund'), tool('list'), tool('purge')]);
    this.upstreams.lists.set('crm', [tool('search')]);
    const clock = { now: () => specClock.now() + this.aheadMs, monotonicUs: () => specClock.monotonicUs() + this.aheadMs * 1_000 };
    this.approvals = new SpecApprovals(configuration, clock, specIds, specDigest);
    this.broker = new Broker({
      recorder: this.recorder,
      clock,
      approvals: this.approvals.desk,
      ids: specIds,
      sha256: specSha256,
      conditions: specConditions,
      validator: specValidator,
      freshness: {
        assertFresh: () => {
          if (this.stale) throw this.stale;
        },
      },
      upstreams: this.upstreams,
      peers: peers.join(),
      sessions: {
        seal: (text) => `sealed.${Buffer.from(text).toString('base64url')}`,
        open: (text) => (text.startsWith('sealed.') ? Buffer.from(text.slice(7), 'base64url').toString() : null),
      },
      timer: (_ms, callback) => {
        this.timers.add(callback);
        return () => this.timers.delete(callback);
      },
      serverInfo: { name: 'holdfast', version: '0.0.0' },
      onFault: (error) => this.faults.push(error),
      onUpstreamUnavailable: () => undefined,
      limits: { maxInFlight: 4, ...limits },
    });
    this.broker.use(configuration, 7);
  }

  /** A request as it is: text and headers. */
  async http(
    body: string,
    more: { headers?: Record<string, string>; method?: string; server?: string; principal?: Principal; channel?: Channel } = {},
  ): Promise<McpReply> {
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...more.headers,
    };
    return this.broker.mcp.handle({
      method: more.method ?? 'POST',
      server: more.server,
      header: (name) => headers[name],
      body,
      principal: more.principal ?? ada,
      ip: '192.0.2.1',
      channel: more.channel ?? NO_CHANNEL,
    });
  }

  /** A request of the modern era, with everything it needs. */
  async modern(
    method: string,
    params: Record<string, unknown> = {},
    more: { principal?: Principal; server?: string; headers?: Record<string, string> } = {},
  ): Promise<McpReply> {
    const { _meta, ...rest } = params;
    const envelope = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      ...(_meta as object | undefined),
    };
    const headers = {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof rest['name'] === 'string' ? { 'mcp-name': rest['name'] } : {}),
      ...more.headers,
    };
    return this.http(JSON.stringify({ jsonrpc: '2.0', id: ++this.ids, method, params: { ...rest, _meta: envelope } }), {
      ...more,
      headers,
    });
  }

  /** The result of a tool call, whatever it says. */
  async call(
    name: string,
    args?: Record<string, unknown>,
    more: { principal?: Principal; server?: string; _meta?: Record<string, unknown> } = {},
  ): Promise<CallResult> {
    const { _meta, ...options } = more;
    const reply = await this.modern(
      'tools/call',
      { name, ...(args === undefined ? {} : { arguments: args }), ...(_meta === undefined ? {} : { _meta }) },
      options,
    );
    return JSON.parse(reply.body) as CallResult;
  }

  async names(more: { principal?: Principal; server?: string } = {}): Promise<string[]> {
    const { result } = JSON.parse((await this.modern('tools/list', {}, more)).body) as { result: { tools: { name: string }[] } };
    return result.tools.map((each) => each.name);
  }
}

export interface CallResult {
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Readonly<Record<string, unknown>> };
  readonly result?: {
    readonly isError?: boolean;
    readonly content?: readonly { readonly text: string }[];
    readonly _meta?: {
      readonly 'dev.holdfast/call': {
        readonly code: string;
        readonly disposition: string;
        readonly callId: string;
        readonly state: string;
        readonly retryAfterMs?: number;
      };
    };
  };
}

/** The refusal's code, or undefined when the call was not refused. */
export function codeOf(answer: CallResult): string | undefined {
  return answer.result?._meta?.['dev.holdfast/call'].code;
}
