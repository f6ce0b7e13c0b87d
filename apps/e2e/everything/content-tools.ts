import type { CallToolResult, ContentBlock, McpServer } from '@modelcontextprotocol/server';
import { PNG, WAV } from './samples.ts';

const text = (value: string): ContentBlock => ({ type: 'text', text: value });

const RESULTS: readonly { readonly name: string; readonly description: string; readonly result: CallToolResult }[] = [
  { name: 'test_simple_text', description: 'Answers with text.', result: { content: [text('This is a simple text response for testing.')] } },
  { name: 'test_image_content', description: 'Answers with an image.', result: { content: [{ type: 'image', data: PNG, mimeType: 'image/png' }] } },
  { name: 'test_audio_content', description: 'Answers with a sound.', result: { content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] } },
  {
    name: 'test_embedded_resource',
    description: 'Answers with a resource.',
    result: { content: [{ type: 'resource', resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'This is an embedded resource content.' } }] },
  },
  {
    name: 'test_multiple_content_types',
    description: 'Answers with text, an image and a resource.',
    result: {
      content: [
        text('Multiple content types test:'),
        { type: 'image', data: PNG, mimeType: 'image/png' },
        { type: 'resource', resource: { uri: 'test://mixed-content-resource', mimeType: 'application/json', text: JSON.stringify({ test: 'data', value: 123 }) } },
      ],
    },
  },
];

/** Tools that take nothing and answer always the same: one for each kind of content, and one that fails. */
export function addContentTools(server: McpServer): void {
  for (const { name, description, result } of RESULTS) {
    server.registerTool(name, { description, annotations: { readOnlyHint: true } }, () => result);
  }
  server.registerTool('test_error_handling', { description: 'Always fails.' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
}
