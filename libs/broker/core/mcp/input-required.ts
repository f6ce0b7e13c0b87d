import type { ErrorCode } from '#libs/contracts';
import type { PeerAnswer, PeerRequest } from '../upstream/upstreams.ts';
import { memberText } from './json-text.ts';
import { isObject } from './protocol.ts';

const MAX_QUESTIONS = 20;

/** The members to repeat a request with, as JSON text; or why it cannot be repeated. */
export type InputAnswers = { readonly members: Readonly<Record<string, string>> } | { readonly refused: string; readonly code?: ErrorCode };

/**
 * What a result of type `input_required` asks for, asked one after the other or all at once; the server's state goes back to it
 * character for character.
 */
export async function answersFor(result: string, ask: (question: PeerRequest) => Promise<PeerAnswer>, how: 'in turn' | 'at once' = 'in turn'): Promise<InputAnswers> {
  const members: Record<string, string> = {};
  const state = memberText(result, 'requestState');
  if (state !== undefined) members['requestState'] = state;
  const requests = (JSON.parse(result) as Record<string, unknown>)['inputRequests'];
  const names = isObject(requests) ? Object.keys(requests) : [];
  if (names.length > MAX_QUESTIONS) return { refused: `The upstream server asks for more than ${MAX_QUESTIONS} things at once.` };
  const questions: PeerRequest[] = [];
  for (const name of names) {
    const request = (requests as Record<string, unknown>)[name];
    const method = isObject(request) ? request['method'] : undefined;
    if (typeof method !== 'string') return { refused: 'The upstream server asks for input in a form that is not MCP.' };
    questions.push({ method, params: memberText(result, 'inputRequests', name, 'params') ?? '{}' });
  }
  const asked = how === 'at once' ? questions.map(ask) : [];
  const answers: string[] = [];
  for (const [at, name] of names.entries()) {
    const answer = await (asked[at] ?? ask(questions[at]!));
    if ('error' in answer) return { refused: `The upstream server needs ${questions[at]!.method} from the client, and did not get it.` };
    answers.push(`${JSON.stringify(name)}:${answer.result}`);
  }
  if (names.length > 0) members['inputResponses'] = `{${answers.join(',')}}`;
  return Object.keys(members).length > 0 ? { members } : { refused: 'The upstream server wants more input and does not say what.' };
}
