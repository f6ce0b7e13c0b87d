import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Server as OldServer } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, isInitializeRequest, ListToolsRequestSchema, McpError } from '@modelcontextprotocol/sdk/types.js';
import { Broker, NO_CHANNEL } from '#libs/broker/core';
import { HoldfastConfig } from '#libs/contracts';
import type { Principal } from '#libs/ports';
import { MemoryRecorder, nobodyApproves, specClock, specConditions, specIds, specSha256, specValidator } from '#libs/testing';
import { AesSessionSealer } from './aes-session-sealer.ts';
import { startDemoServer } from './demo-server.ts';
import { McpUpstreams } from './mcp-upstreams.ts';

/**
 * The official clients, of both SDK generations and in every mode of negotiation, against the broker, which talks to servers of either
 * era: each pair must be able to list and to call, whoever speaks what.
 */
const servers: Server[] = [];
const closing: (() => Promise<unknown>)[] = [];
const recorder = new MemoryRecorder();
let broker: Broker;
let port: number;

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

const TOOL = {
  name: 'add',
  title: 'Add',
  description: 'Adds.',
  inputSchema: {
    type: 'object' as const,
    properties: { a: { type: 'number' }, b: { type: 'number' } },
    required: ['a', 'b'],
    $comment: 'kept',
  },
  outputSchema: { type: 'object' as const, properties: { sum: { type: 'number' } }, required: ['sum'] },
  annotations: { readOnlyHint: true, title: 'Also add' },
  _meta: { 'vendor/x': { y: [1, null] } },
};

/* oxlint-disable typescript/no-deprecated -- only the low-level server of the older SDK takes definitions as they are */
/** A server of the older SDK: sessions in memory, answers as event streams, 2025 only. */
async function startOldServer(): Promise<number> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const make = (): OldServer => {
    const server = new OldServer({ name: 'old', version: '1' }, { capabilities: { tools: {} } });
    server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [TOOL] }));
    server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
      const { a, b } = params.arguments as { a: number; b: number };
      if (a === 13) throw new McpError(-32077, 'unlucky', { a });
      if (a === 0) return { content: [{ type: 'text', text: 'nothing' }], isError: true };
      return { content: [{ type: 'text', text: String(a + b) }], structuredContent: { sum: a + b }, _meta: { 'vendor/z': 1 } };
    });
    return server;
  };
  return listen(
    createServer((request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const body: unknown = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
        const id = request.headers['mcp-session-id'];
        let transport = typeof id === 'string' ? sessions.get(id) : undefined;
        if (!transport && isInitializeRequest(body)) {
          const opened = new StreamableHTTPServerTransport({
            sessionIdGenerator: () => randomUUID(),
            onsessioninitialized: (session) => void sessions.set(session, opened),
          });
          await make().connect(opened as Parameters<OldServer['connect']>[0]);
          transport = opened;
        }
        if (!transport)
          return void response
            .writeHead(400, { 'content-type': 'application/json' })
            .end('{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request"},"id":null}');
        await transport.handleRequest(request, response, body);
      })().catch(() => response.destroy());
    }),
  );
}

/* oxlint-enable typescript/no-deprecated */

/** A server of the newer SDK that speaks 2026 and nothing else. */
async function startNewServer(): Promise<number> {
  const handler = createMcpHandler(
    () => {
      const server = new McpServer({ name: 'new', version: '1' });
      server.registerTool(
        'add',
        {
          title: 'Add',
          description: 'Adds.',
          inputSchema: fromJsonSchema<{ a: number; b: number }>(TOOL.inputSchema),
          outputSchema: fromJsonSchema(TOOL.outputSchema),
        },
        ({ a, b }) =>
          a === 0
            ? { content: [{ type: 'text', text: 'nothing' }], isError: true }
            : { content: [{ type: 'text', text: String(a + b) }], structuredContent: { sum: a + b } },
      );
      return server;
    },
    { legacy: 'reject' },
  );
  closing.push(() => handler.close());
  const serve = toNodeHandler(handler);
  return listen(createServer((request, response) => void serve(request as Parameters<typeof serve>[0], response)));
}

const ada: Principal = { tenant: 'acme', user: 'ada', client: 'cli', roles: ['agent'], groups: [], key: 'k' };

beforeAll(async () => {
  const demo = await startDemoServer();
  closing.push(() => demo.close());
  const transport = (to: number): object => ({ transport: { type: 'http', url: `http://127.0.0.1:${to}/mcp` }, tenant: 'acme' });
  const config = HoldfastConfig.parse({
    apiVersion: 'holdfast/v1',
    tenants: [{ id: 'acme', name: 'Acme' }],
    servers: [
      { id: 'demo', ...transport(demo.port) },
      { id: 'old', ...transport(await startOldServer()) },
      { id: 'new', ...transport(await startNewServer()) },
    ],
    policies: [
      { id: 'all', tenant: 'acme', effect: 'allow' },
      { id: 'mail', tenant: 'acme', effect: 'deny', match: { tools: ['send_email'] }, when: 'args.bad' },
    ],
  });
  const upstreams = new McpUpstreams({ clientInfo: { name: 'holdfast', version: '0' }, resolveSecret: () => '' });
  closing.push(async () => upstreams.retain(new Set()));
  broker = new Broker({
    recorder,
    clock: specClock,
    ids: specIds,
    sha256: specSha256,
    conditions: specConditions,
    validator: specValidator,
    freshness: { assertFresh: () => undefined },
    upstreams,
    peers: { tell: () => undefined, hear: () => undefined },
    approvals: nobodyApproves,
    sessions: new AesSessionSealer(new Uint8Array(32)),
    timer: () => () => undefined,
    serverInfo: { name: 'holdfast', version: '0' },
    onFault: (error) => {
      throw error;
    },
    onUpstreamUnavailable: (_, error) => {
      throw error;
    },
  });
  broker.use(config, 1);
  port = await listen(
    createServer((request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const reply = await broker.mcp.handle({
          method: request.method ?? '',
          server: /^\/mcp\/s\/(.+)$/.exec(request.url ?? '')?.[1],
          header: (name) => request.headers[name] as string | undefined,
          body: Buffer.concat(chunks).toString(),
          principal: ada,
          ip: undefined,
          channel: NO_CHANNEL,
        });
        response.writeHead(reply.status, reply.headers).end(reply.body);
      })();
    }),
  );
});

afterAll(async () => {
  for (const close of closing.reverse()) await close();
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

interface Result {
  readonly content: { readonly text?: string }[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
  readonly _meta?: Record<string, unknown>;
}

interface AnyClient {
  listTools(): Promise<{ tools: { name: string; [member: string]: unknown }[] }>;
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
  close(): Promise<void>;
}

const MODES = ['older SDK', 'legacy', 'auto', 'modern'] as const;

async function client(mode: (typeof MODES)[number], path: string): Promise<AnyClient> {
  const url = new URL(`http://127.0.0.1:${port}${path}`);
  if (mode === 'older SDK') {
    const old = new OldClient({ name: 'spec', version: '1' });
    await old.connect(new OldClientTransport(url) as Parameters<OldClient['connect']>[0]);
    return old as unknown as AnyClient;
  }
  const made = new Client(
    { name: 'spec', version: '1' },
    { versionNegotiation: { mode: mode === 'modern' ? { pin: '2026-07-28' } : mode } },
  );
  await made.connect(new StreamableHTTPClientTransport(url));
  expect(made.getProtocolEra()).toBe(mode === 'legacy' ? 'legacy' : 'modern');
  return made as unknown as AnyClient;
}

describe.each(MODES)('a client in mode %s', (mode) => {
  it('lists and calls on /mcp, whatever the servers speak', async () => {
    const on = await client(mode, '/mcp');
    const { tools } = await on.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'demo__invoice_get',
      'demo__notes_add',
      'demo__notes_list',
      'demo__send_email',
      'new__add',
      'old__add',
    ]);
    for (const era of ['old', 'new']) {
      const result = (await on.callTool({ name: `${era}__add`, arguments: { a: 2, b: 3 } })) as Result;
      expect(result).toMatchObject({ content: [{ type: 'text', text: '5' }], structuredContent: { sum: 5 } });
      expect(result.isError).toBeFalsy();
    }
    await on.close();
  });

  it.each(['demo', 'old', 'new'])('sees server %s under its own names on its own path', async (server) => {
    const on = await client(mode, `/mcp/s/${server}`);
    const { tools } = await on.listTools();
    expect(tools.map(({ name }) => name)).toEqual(server === 'demo' ? ['notes_list', 'notes_add', 'invoice_get', 'send_email'] : ['add']);
    await on.close();
  });

  it('sees every member of a definition', async () => {
    const on = await client(mode, '/mcp/s/old');
    expect((await on.listTools()).tools).toMatchObject([TOOL]);
    await on.close();
  });

  it('gets errors of tools and of the protocol as they are, and refusals as results', async () => {
    const on = await client(mode, '/mcp');
    for (const era of ['old', 'new'])
      expect(await on.callTool({ name: `${era}__add`, arguments: { a: 0, b: 3 } })).toMatchObject({
        isError: true,
        content: [{ text: 'nothing' }],
      });
    await expect(on.callTool({ name: 'old__add', arguments: { a: 13, b: 1 } })).rejects.toMatchObject({ code: -32077, data: { a: 13 } });
    const refused = (await on.callTool({ name: 'demo__send_email', arguments: { bad: true } })) as Result;
    expect(refused.isError).toBe(true);
    expect(refused.content[0]?.text).toMatch(/^NOT EXECUTED: /);
    expect(refused._meta).toMatchObject({ 'dev.holdfast/call': { code: 'policy_denied', disposition: 'not_executed' } });
    await on.close();
  });

  it('makes 32 calls at once, each with its own answer', async () => {
    const on = await client(mode, '/mcp');
    const sums = await Promise.all(
      Array.from(
        { length: 32 },
        (_, i) => on.callTool({ name: i % 2 ? 'old__add' : 'new__add', arguments: { a: i + 100, b: 1 } }) as Promise<Result>,
      ),
    );
    expect(sums.map((sum) => sum.structuredContent)).toEqual(Array.from({ length: 32 }, (_, i) => ({ sum: i + 101 })));
    await on.close();
  });
});

it('every one of these calls is on record with its outcome', () => {
  const count = (type: string): number => recorder.types().filter((each) => each === type).length;
  const allowed = recorder.log.filter((event) => event.type === 'policy.decided' && event.data.effect === 'allow').length;
  expect([count('call.requested'), count('call.completed')]).toEqual([allowed + MODES.length, allowed]);
});
