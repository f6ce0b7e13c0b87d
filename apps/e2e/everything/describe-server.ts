import { McpServer } from '@modelcontextprotocol/server';
import type { Catalogue, ChangingList } from './catalogue.ts';
import { addChangingEntries } from './changing-entries.ts';
import { addContentTools } from './content-tools.ts';
import { addConversationTools } from './conversation-tools.ts';
import { addInputTools } from './input-tools.ts';
import { addPrompts } from './prompts.ts';
import { requestStates } from './request-states.ts';
import { addResources } from './resources.ts';
import { addSchemaTools } from './schema-tools.ts';

const LIST = { ttlMs: 1_000, cacheScope: 'public' } as const;

export interface DescribedServer {
  readonly server: McpServer;
  /** Makes an instance that outlives a request follow the catalogue. */
  readonly follow: (list: ChangingList) => void;
}

/** One instance of the server: for one request in the modern era, for one session in the legacy one. */
export function describeServer(catalogue: Catalogue): DescribedServer {
  const server = new McpServer(
    { name: 'everything', title: 'Everything', version: '1.0.0' },
    {
      capabilities: { logging: {}, completions: {}, resources: { subscribe: true, listChanged: true } },
      instructions: 'Uses every part of the protocol once, so that what stands in front of it can be compared with it.',
      cacheHints: { 'tools/list': LIST, 'prompts/list': LIST, 'resources/list': LIST, 'resources/templates/list': LIST, 'resources/read': { ttlMs: 5_000, cacheScope: 'private' } },
      requestState: { verify: (state, context) => requestStates.verify(state, context) },
    },
  );
  addContentTools(server);
  addConversationTools(server);
  addInputTools(server);
  addSchemaTools(server);
  addResources(server);
  addPrompts(server);
  return { server, follow: addChangingEntries(server, catalogue) };
}
