import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { PNG } from './samples.ts';

/** A text, a picture, one that can be watched, and a template with completion. */
export function addResources(server: McpServer): void {
  server.registerResource('Static text', 'test://static-text', { title: 'Static text', description: 'A text that never changes.', mimeType: 'text/plain' }, ({ href }) => ({
    contents: [{ uri: href, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }],
  }));
  server.registerResource('Static binary', 'test://static-binary', { title: 'Static binary', description: 'A picture that never changes.', mimeType: 'image/png' }, ({ href }) => ({
    contents: [{ uri: href, mimeType: 'image/png', blob: PNG }],
  }));
  server.registerResource('Watched resource', 'test://watched-resource', { title: 'Watched resource', description: 'A text that can be subscribed to.', mimeType: 'text/plain' }, ({ href }) => ({
    contents: [{ uri: href, mimeType: 'text/plain', text: 'Watched resource content' }],
  }));
  const ids = ['123', '124', '456'];
  server.registerResource(
    'Template data',
    new ResourceTemplate('test://template/{id}/data', { list: undefined, complete: { id: (start) => ids.filter((id) => id.startsWith(start)) } }),
    { title: 'Template data', description: 'Data for an id.', mimeType: 'application/json' },
    ({ href }, { id }) => ({ contents: [{ uri: href, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }) }] }),
  );
  watch(server);
}

/** Subscriptions of the legacy era; in the modern one a stream of `subscriptions/listen` names what it wants. */
function watch(server: McpServer): void {
  const watched = new Set<string>();
  const { server: low } = server;
  low.setRequestHandler('resources/subscribe', ({ params }) => {
    if (watched.size < 100) watched.add(params.uri);
    return {};
  });
  low.setRequestHandler('resources/unsubscribe', ({ params }) => {
    watched.delete(params.uri);
    return {};
  });
}
