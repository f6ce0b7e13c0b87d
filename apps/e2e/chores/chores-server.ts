import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node';
import { type CallToolResult, createMcpHandler, inputRequired, type InputRequiredResult, McpServer, ProtocolError, type ServerContext, type Tool } from '@modelcontextprotocol/server';
import { answeredText, ask, askText } from '../everything/input-requests.ts';

export interface ChoresServer {
  readonly url: string;
  close(): Promise<void>;
}

type Arguments = Readonly<Record<string, unknown>>;
type Answer = CallToolResult | InputRequiredResult;

const done = (text: string): CallToolResult => ({ content: [{ type: 'text', text }] });
const confirm = (message: string) => ask(message, { type: 'object', properties: { confirm: { type: 'boolean' } }, required: ['confirm'] });

/** What the official suite's scenarios about tasks want of a server, as tools that know nothing of tasks. */
const CHORES: Readonly<Record<string, { readonly takes: Readonly<Record<string, 'string' | 'number'>>; readonly does: (args: Arguments, context: ServerContext) => Answer | Promise<Answer> }>> = {
  greet: { takes: { name: 'string' }, does: ({ name }) => done(`Hello, ${String(name)}!`) },
  slow_compute: {
    takes: { seconds: 'number', label: 'string' },
    does: async ({ seconds, label }, { mcpReq }) => {
      await sleep(Number(seconds) * 1000, undefined, { signal: mcpReq.signal });
      return done(`computed ${String(label)}`);
    },
  },
  failing_job: { takes: {}, does: () => ({ ...done('the job failed'), isError: true }) },
  protocol_error_job: {
    takes: {},
    does: () => {
      throw new ProtocolError(-32603, 'the job broke its server');
    },
  },
  confirm_delete: {
    takes: { filename: 'string' },
    does: ({ filename }, { mcpReq }) => (mcpReq.inputResponses?.['confirm'] === undefined ? inputRequired({ inputRequests: { confirm: confirm(`Delete ${String(filename)}?`) } }) : done(`deleted ${String(filename)}`)),
  },
  multi_input: {
    takes: {},
    does: (_, { mcpReq }) => {
      const given = mcpReq.inputResponses ?? {};
      if (given['one'] === undefined || given['two'] === undefined) return inputRequired({ inputRequests: { one: askText('One?', 'name'), two: askText('Two?', 'name') } });
      return done(`${answeredText(given, 'one', 'name') ?? '?'} and ${answeredText(given, 'two', 'name') ?? '?'}`);
    },
  },
  test_tool_with_task: {
    takes: {},
    does: (_, { mcpReq }) => {
      const name = answeredText(mcpReq.inputResponses, 'user_name', 'name');
      return name === undefined ? inputRequired({ inputRequests: { user_name: askText('What is your name?', 'name') } }) : done(`Hello, ${name}!`);
    },
  },
};

function describe(name: string): Tool {
  const properties = Object.fromEntries(Object.entries(CHORES[name]!.takes).map(([argument, type]) => [argument, { type }]));
  return { name, description: `Does ${name}.`, inputSchema: { type: 'object', properties, required: [] } };
}

function serve(): McpServer {
  const mcp = new McpServer({ name: 'chores', version: '1.0.0' }, { capabilities: { tools: {} } });
  const { server } = mcp;
  server.setRequestHandler('tools/list', () => ({ tools: Object.keys(CHORES).map(describe) }));
  server.setRequestHandler('tools/call', ({ params }, context) => {
    const chore = Object.hasOwn(CHORES, params.name) ? CHORES[params.name] : undefined;
    if (!chore) throw new ProtocolError(-32602, 'no such tool');
    return chore.does(params.arguments ?? {}, context);
  });
  return mcp;
}

/** An MCP server of the 2026 era without tasks, on loopback. In front of it, Holdfast makes tasks of the calls that people have to approve. */
export async function startChoresServer(): Promise<ChoresServer> {
  const handler = createMcpHandler(serve, { legacy: 'reject' });
  const node = toNodeHandler(handler);
  const http = createServer((request, response) => {
    node(request as NodeIncomingMessageLike, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    close: async () => {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await closed;
      await handler.close();
    },
  };
}
