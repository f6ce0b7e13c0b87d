import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

export interface ToolResult {
  readonly isError?: boolean;
  readonly content: readonly { readonly type: string; readonly text?: string; readonly data?: string; readonly mimeType?: string }[];
  readonly structuredContent?: unknown;
}

/** What the official clients of either generation have in common. */
export interface OfficialClient {
  listTools(params?: { cursor?: string }): Promise<{ tools: { name: string }[]; nextCursor?: string }>;
  callTool(params: { name: string; arguments?: Record<string, unknown> }, onProgress?: (progress: { progress: number }) => void): Promise<ToolResult>;
  listResources(): Promise<{ resources: { uri: string }[] }>;
  readResource(params: { uri: string }): Promise<{ contents: { uri: string; text?: string }[] }>;
  listPrompts(): Promise<{ prompts: { name: string }[] }>;
  getPrompt(params: { name: string; arguments?: Record<string, string> }): Promise<{ messages: { content: unknown }[] }>;
  close(): Promise<void>;
}

type Connect = (url: string, token: string) => Promise<OfficialClient>;
const INFO = { name: 'official', version: '1' };
const asBearer = (token: string): { requestInit: RequestInit } => ({ requestInit: { headers: { authorization: `Bearer ${token}` } } });

async function v2(url: string, token: string, options: object): Promise<OfficialClient> {
  const client = new ClientV2(INFO, options);
  await client.connect(new TransportV2(new URL(url), asBearer(token)));
  return Object.assign(client as unknown as OfficialClient, {
    callTool: (params: { name: string }, onprogress?: () => void) => ClientV2.prototype.callTool.call(client, params, onprogress && { onprogress }) as Promise<ToolResult>,
  });
}

/** The official TypeScript clients, in every way they find out what a server speaks. */
export const OFFICIAL_CLIENTS: Readonly<Record<string, Connect>> = {
  'v2, version negotiated': (url, token) => v2(url, token, { versionNegotiation: { mode: 'auto' } }),
  'v2, legacy': (url, token) => v2(url, token, {}),
  v1: async (url, token) => {
    const client = new ClientV1(INFO);
    await client.connect(new TransportV1(new URL(url), asBearer(token)) as never);
    return Object.assign(client as unknown as OfficialClient, {
      callTool: (params: { name: string }, onprogress?: () => void) => ClientV1.prototype.callTool.call(client, params, undefined, onprogress && { onprogress }) as Promise<ToolResult>,
    });
  },
};
