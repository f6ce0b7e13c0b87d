import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  localhostHostValidation,
  localhostOriginValidation,
  type NodeIncomingMessageLike,
  toNodeHandler,
} from '@modelcontextprotocol/node';
import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';

/** The demo's upstream server while it runs. */
export interface DemoServer {
  readonly port: number;
  /** What `send_email` was asked to send; nothing is ever sent. */
  readonly outbox: readonly { readonly to: string; readonly subject: string }[];
  close(): Promise<void>;
}

interface Note {
  readonly id: number;
  readonly text: string;
}

const MAX_KEPT = 1_000;

const NOTE = { type: 'object', properties: { id: { type: 'integer' }, text: { type: 'string' } }, required: ['id', 'text'] } as const;
const NOTES = { type: 'object', properties: { notes: { type: 'array', items: NOTE } }, required: ['notes'] } as const;
const NEW_NOTE = {
  type: 'object',
  properties: { text: { type: 'string', minLength: 1, maxLength: 2_000 } },
  required: ['text'],
  additionalProperties: false,
} as const;
const INVOICE_ID = {
  type: 'object',
  properties: { id: { type: 'string', pattern: '^INV-[0-9]{4}$' } },
  required: ['id'],
  additionalProperties: false,
} as const;
const INVOICE = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    customer: { type: 'string' },
    email: { type: 'string' },
    amount: { type: 'number' },
    currency: { type: 'string' },
  },
  required: ['id', 'customer', 'amount', 'currency'],
} as const;
const EMAIL = {
  type: 'object',
  properties: {
    to: { type: 'string', format: 'email' },
    subject: { type: 'string', minLength: 1, maxLength: 200 },
    body: { type: 'string', maxLength: 20_000 },
  },
  required: ['to', 'subject', 'body'],
  additionalProperties: false,
} as const;
const SENT = {
  type: 'object',
  properties: { queued: { type: 'boolean' }, messageId: { type: 'string' } },
  required: ['queued', 'messageId'],
} as const;

/**
 * A small MCP server with a tool of every impact class, for the demo and for tests. It listens on loopback only, speaks both protocol
 * eras, and keeps everything in memory. `port` 0 takes a free one.
 */
export async function startDemoServer(port = 0): Promise<DemoServer> {
  const notes: Note[] = [{ id: 1, text: 'Welcome to Holdfast. This note comes from the demo server.' }];
  const outbox: { to: string; subject: string }[] = [];
  let lastId = 1;

  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'holdfast-demo', version: '1.0.0' });
    server.registerTool(
      'notes_list',
      {
        title: 'List notes',
        description: 'Lists all notes.',
        outputSchema: fromJsonSchema<{ notes: Note[] }>(NOTES),
        annotations: { readOnlyHint: true },
      },
      () => answer({ notes }),
    );
    server.registerTool(
      'notes_add',
      {
        title: 'Add a note',
        description: 'Adds a note and returns it with its id.',
        inputSchema: fromJsonSchema<{ text: string }>(NEW_NOTE),
        outputSchema: fromJsonSchema<Note>(NOTE),
        annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
      },
      ({ text }) => {
        const note = { id: ++lastId, text };
        keep(notes, note);
        return answer(note);
      },
    );
    server.registerTool(
      'invoice_get',
      {
        title: 'Get an invoice',
        description: 'Returns an invoice with its customer. Ids look like INV-1001.',
        inputSchema: fromJsonSchema<{ id: string }>(INVOICE_ID),
        outputSchema: fromJsonSchema(INVOICE),
        annotations: { readOnlyHint: true },
      },
      ({ id }) =>
        answer({ id, customer: 'Grace Example', email: 'grace@customer.test', amount: 100 + Number(id.slice(4)) / 100, currency: 'EUR' }),
    );
    server.registerTool(
      'send_email',
      {
        title: 'Send an e-mail',
        description: 'Sends an e-mail to anybody. (The demo only remembers it.)',
        inputSchema: fromJsonSchema<{ to: string; subject: string; body: string }>(EMAIL),
        outputSchema: fromJsonSchema(SENT),
        annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
      },
      ({ to, subject }) => {
        keep(outbox, { to, subject });
        return answer({ queued: true, messageId: `demo-${outbox.length}` });
      },
    );
    return server;
  });

  const serve = toNodeHandler(handler);
  const [hostIsOurs, originIsOurs] = [localhostHostValidation(), localhostOriginValidation()];
  const http = createServer((request, response) => {
    if (!hostIsOurs(request, response) || !originIsOurs(request, response)) return;
    if (new URL(request.url ?? '/', 'http://localhost').pathname !== '/mcp') {
      response.writeHead(404).end();
      return;
    }
    serve(request as NodeIncomingMessageLike, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (http.address() as AddressInfo).port,
    outbox,
    close: async () => {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await closed;
      await handler.close();
    },
  };
}

function answer<T extends Record<string, unknown>>(value: T): { content: { type: 'text'; text: string }[]; structuredContent: T } {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
}

/** The demo may run for weeks: it remembers the latest things only. */
function keep<T>(kept: T[], item: T): void {
  kept.push(item);
  if (kept.length > MAX_KEPT) kept.shift();
}
