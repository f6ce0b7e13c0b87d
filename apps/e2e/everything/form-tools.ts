import { type CallToolResult, type ElicitRequestFormParams, inputRequired, type McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { answeredForm, ask } from './input-requests.ts';

type Schema = ElicitRequestFormParams['requestedSchema'];

const USER: Schema = {
  type: 'object',
  properties: { username: { type: 'string', description: "User's response" }, email: { type: 'string', description: "User's email address" } },
  required: ['username', 'email'],
};

const DEFAULTS: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
};

const titled = (...titles: string[]): { const: string; title: string }[] => titles.map((title, index) => ({ const: `value${index + 1}`, title }));

const CHOICES: Schema = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: { type: 'string', oneOf: titled('First Option', 'Second Option', 'Third Option') },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: { type: 'array', items: { anyOf: titled('First Choice', 'Second Choice', 'Third Choice') } },
  },
};

/** Tools that show a person a form: a plain one, one with defaults, and one with every kind of choice. */
export function addFormTools(server: McpServer): void {
  server.registerTool('test_elicitation', { description: 'Asks a person for a name and an address.', inputSchema: z.object({ message: z.string() }) }, ({ message }, { mcpReq }) => {
    const answer = answeredForm(mcpReq.inputResponses, 'user');
    if (answer === undefined) return inputRequired({ inputRequests: { user: ask(message, USER) } });
    return said(`User response: action=${answer.action}`, answer.content);
  });

  for (const [name, description, message, schema] of [
    ['test_elicitation_sep1034_defaults', 'Asks a person with a form that is filled in already.', 'Please check what is filled in', DEFAULTS],
    ['test_elicitation_sep1330_enums', 'Asks a person to choose.', 'Please choose', CHOICES],
  ] as const) {
    server.registerTool(name, { description }, ({ mcpReq }) => {
      const answer = answeredForm(mcpReq.inputResponses, 'form');
      if (answer === undefined) return inputRequired({ inputRequests: { form: ask(message, schema) } });
      return said(`Elicitation completed: action=${answer.action}`, answer.content);
    });
  }
}

const said = (text: string, content: unknown): CallToolResult => ({ content: [{ type: 'text', text: `${text}, content=${JSON.stringify(content)}` }] });
