import { completable, fromJsonSchema, McpServer, ProtocolError, ResourceTemplate } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** One red pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC';
const ANYTHING = fromJsonSchema<Record<string, unknown>>({ type: 'object' });
const ROUTED = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
  required: ['region'],
} as const;
const STRUCTURE = {
  type: 'object',
  properties: { sum: { type: 'number' }, deep: { type: 'object' }, nothing: { type: 'null' } },
  required: ['sum'],
} as const;

/** A server with one of everything that answers the same to the same, whenever and however often it is asked. */
export function sampleServer(): McpServer {
  const server = new McpServer(
    { name: 'sample', title: 'Sample', version: '1.2.3' },
    { capabilities: { logging: {}, completions: {} }, instructions: 'Ask anything “twice”.' },
  );
  addTools(server);
  addPrompts(server);
  addResources(server);
  return server;
}

function addTools(server: McpServer): void {
  server.registerTool('text', { title: 'Text', description: 'Answers with text.', annotations: { readOnlyHint: true } }, () => ({
    content: [{ type: 'text', text: 'é \u{1F600} "quoted" \\ \n\t / \u2028 </script>' }],
  }));
  server.registerTool('structured', { description: 'Answers with structured content.', outputSchema: fromJsonSchema<Record<string, unknown>>(STRUCTURE) }, () => ({
    content: [{ type: 'text', text: '{"sum":3.5}' }],
    structuredContent: { sum: 3.5, deep: { z: [1, [2, [3, { 'ключ': null }]]], a: 1e21, '': -0.25 }, nothing: null },
    _meta: { 'vendor.example/note': { kept: true } },
  }));
  server.registerTool('media', { description: 'Answers with everything that is not text.' }, () => ({
    content: [
      { type: 'image', data: PNG, mimeType: 'image/png', annotations: { audience: ['user'], priority: 0.5 } },
      { type: 'audio', data: 'UklGRg==', mimeType: 'audio/wav' },
      { type: 'resource', resource: { uri: 'sample://embedded', mimeType: 'text/plain', text: 'embedded', _meta: { 'vendor.example/x': 1 } } },
      { type: 'resource_link', uri: 'sample://text', name: 'text', mimeType: 'text/plain' },
    ],
  }));
  server.registerTool('fails', { description: 'Says that it failed.' }, () => ({
    content: [{ type: 'text', text: 'out of paper' }],
    isError: true,
  }));
  server.registerTool('throws', { description: 'Throws.' }, () => {
    throw new Error('broken inside');
  });
  server.registerTool('throws_protocol_error', { description: 'Throws an error of the protocol.' }, () => {
    throw new ProtocolError(-32_077, 'unlucky', { a: [1, null] });
  });
  server.registerTool('echo', { description: 'Gives its arguments back, and what it was told beside them.', inputSchema: ANYTHING }, (args, { mcpReq }) => {
    const beside = Object.fromEntries(Object.entries(mcpReq._meta ?? {}).filter(([name]) => name.startsWith('vendor.example/')));
    return { content: [{ type: 'text', text: JSON.stringify(args) }], _meta: beside };
  });
  server.registerTool('strict', { description: 'Takes a number.', inputSchema: z.object({ n: z.number() }) }, ({ n }) => ({
    content: [{ type: 'text', text: String(n) }],
  }));
  server.registerTool('routed', { description: 'Takes a region that stands in a header too.', inputSchema: fromJsonSchema<{ region: string }>(ROUTED) }, ({ region }) => ({
    content: [{ type: 'text', text: region }],
  }));
  server.registerTool('slow', { description: 'Reports progress when asked to.' }, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of progressToken === undefined ? [] : [1, 2.5]) {
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken: progressToken!, progress, total: 3, message: `step ${progress}` } });
    }
    return { content: [{ type: 'text', text: 'done' }] };
  });
  server.registerTool('logs', { description: 'Logs before it answers.' }, async ({ mcpReq }) => {
    // oxlint-disable-next-line typescript/no-deprecated -- clients will ask for it for years
    await mcpReq.log('warning', { what: 'ink is low' });
    return { content: [{ type: 'text', text: 'logged' }] };
  });
}

function addPrompts(server: McpServer): void {
  server.registerPrompt('plain', { title: 'Plain', description: 'Takes nothing.' }, () => ({
    description: 'A “plain” one',
    messages: [{ role: 'user', content: { type: 'text', text: 'Say \u00fcber.' } }],
  }));
  server.registerPrompt('unlucky', { description: 'Answers with an error of the protocol.' }, () => {
    throw new ProtocolError(-32_077, 'unlucky “é”', { a: [1, null], 'vendor.example/b': { c: 1e21 } });
  });
  const cities = ['Paris', 'Pisa', 'Rome'];
  server.registerPrompt(
    'trip',
    { description: 'Takes a city.', argsSchema: z.object({ city: completable(z.string().describe('Where to'), (start) => cities.filter((city) => city.startsWith(start ?? ''))) }) },
    ({ city }) => ({ messages: [{ role: 'assistant', content: { type: 'text', text: `To ${city}` } }, { role: 'user', content: { type: 'image', data: PNG, mimeType: 'image/png' } }] }),
  );
}

function addResources(server: McpServer): void {
  server.registerResource('text', 'sample://text', { title: 'Text', mimeType: 'text/plain' }, ({ href }) => ({
    contents: [{ uri: href, mimeType: 'text/plain', text: 'line 1\r\nline 2 \u{1F4C4}' }],
  }));
  server.registerResource('blob', 'sample://blob', { mimeType: 'image/png' }, ({ href }) => ({ contents: [{ uri: href, mimeType: 'image/png', blob: PNG }] }));
  server.registerResource(
    'item',
    new ResourceTemplate('sample://item/{id}', { list: undefined, complete: { id: (start) => ['17', '18', '200'].filter((id) => id.startsWith(start)) } }),
    { description: 'An item.' },
    ({ href }, { id }) => ({ contents: [{ uri: href, text: `item ${String(id)}` }] }),
  );
}
