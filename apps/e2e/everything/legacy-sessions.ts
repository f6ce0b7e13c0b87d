import { randomUUID } from 'node:crypto';
import { type McpServer, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import type { Catalogue } from './catalogue.ts';
import { describeServer } from './describe-server.ts';
import { EventHistory } from './event-history.ts';

const MAX_SESSIONS = 200;
const RETRY_MS = 100;

interface Session {
  readonly server: McpServer;
  readonly transport: WebStandardStreamableHTTPServerTransport;
}

/** The sessions of the 2025 era: one server each, kept until its client ends it or too many others came. */
export class LegacySessions {
  private readonly open = new Map<string, Session>();

  constructor(private readonly catalogue: Catalogue) {}

  async serve(request: Request): Promise<Response> {
    const id = request.headers.get('mcp-session-id');
    const session = id === null ? await this.begin() : this.open.get(id);
    if (session === undefined) {
      return Response.json({ jsonrpc: '2.0', id: null, error: { code: -32_001, message: 'Session not found' } }, { status: 404 });
    }
    return session.transport.handleRequest(request);
  }

  async close(): Promise<void> {
    await Promise.all([...this.open.values()].map(({ server }) => server.close()));
  }

  /** It counts as a session once its transport has answered `initialize`; until then nothing refers to it. */
  private async begin(): Promise<Session> {
    const { server, follow } = describeServer(this.catalogue);
    let unfollow: (() => void) | undefined;
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new EventHistory(),
      retryInterval: RETRY_MS,
      onsessioninitialized: async (id) => {
        this.open.set(id, { server, transport });
        unfollow = this.catalogue.onChange(follow);
        if (this.open.size > MAX_SESSIONS) await this.endOldest();
      },
      onsessionclosed: (id) => void this.open.delete(id),
    });
    transport.onclose = () => unfollow?.();
    await server.connect(transport);
    return { server, transport };
  }

  private async endOldest(): Promise<void> {
    const [oldest] = this.open;
    if (oldest === undefined) return;
    this.open.delete(oldest[0]);
    await oldest[1].server.close();
  }
}
