import { completable, type GetPromptResult, inputRequired, type McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { answeredText, askText } from './input-requests.ts';
import { PNG } from './samples.ts';

type Content = GetPromptResult['messages'][number]['content'];

const said = (...contents: Content[]): GetPromptResult => ({ messages: contents.map((content) => ({ role: 'user', content })) });
const text = (value: string): Content => ({ type: 'text', text: value });
const starting = (words: string[]) => (start: string | undefined) => words.filter((word) => word.startsWith(start ?? ''));

export function addPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { title: 'Simple', description: 'A prompt without arguments.' }, () => said(text('This is a simple prompt for testing.')));

  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      title: 'With arguments',
      description: 'A prompt with two arguments that can be completed.',
      argsSchema: z.object({
        arg1: completable(z.string().describe('First test argument'), starting(['test', 'testing', 'hello'])),
        arg2: completable(z.string().describe('Second test argument'), starting(['world', 'work'])),
      }),
    },
    ({ arg1, arg2 }) => said(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  );

  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { title: 'With a resource', description: 'A prompt that carries a resource.', argsSchema: z.object({ resourceUri: z.string().describe('URI of the resource to embed') }) },
    ({ resourceUri }) =>
      said(
        { type: 'resource', resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' } },
        text('Please process the embedded resource above.'),
      ),
  );

  server.registerPrompt('test_prompt_with_image', { title: 'With an image', description: 'A prompt that carries an image.' }, () =>
    said({ type: 'image', data: PNG, mimeType: 'image/png' }, text('Please analyze the image above.')),
  );

  server.registerPrompt('test_input_required_result_prompt', { title: 'With a question', description: 'A prompt that asks a person first.' }, ({ mcpReq }) => {
    const context = answeredText(mcpReq.inputResponses, 'user_context', 'context');
    if (context === undefined) return inputRequired({ inputRequests: { user_context: askText('What context should the prompt use?', 'context') } });
    return said(text(`Use this context: ${context}`));
  });
}
