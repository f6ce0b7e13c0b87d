import { acceptedContent, type ElicitRequestFormParams, type InputRequest, inputRequired, inputResponse } from '@modelcontextprotocol/server';

type Schema = ElicitRequestFormParams['requestedSchema'];
type Responses = Record<string, unknown> | undefined;

export const ask = (message: string, requestedSchema: Schema): InputRequest => inputRequired.elicit({ message, requestedSchema });

export const askText = (message: string, field: string): InputRequest => ask(message, { type: 'object', properties: { [field]: { type: 'string' } }, required: [field] });

export const askModel = (text: string, maxTokens = 100): InputRequest =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens });

/** What a person typed into one field, when they accepted and it is text. */
export function answeredText(responses: Responses, key: string, field: string): string | undefined {
  const value = acceptedContent(responses, key)?.[field];
  return typeof value === 'string' ? value : undefined;
}

/** What a person decided, and what they typed. */
export function answeredForm(responses: Responses, key: string): { readonly action: string; readonly content: unknown } | undefined {
  const response = inputResponse(responses, key);
  return response.kind === 'elicit' ? { action: response.action, content: response.content ?? {} } : undefined;
}

/** What the model of the client said. */
export function answeredModel(responses: Responses, key: string): string | undefined {
  const response = inputResponse(responses, key);
  if (response.kind !== 'sampling') return undefined;
  const content = [response.result.content].flat()[0];
  return content?.type === 'text' ? content.text : JSON.stringify(content);
}

export function answeredRoots(responses: Responses, key: string): readonly string[] | undefined {
  const response = inputResponse(responses, key);
  return response.kind === 'roots' ? response.roots.map(({ uri }) => uri) : undefined;
}
