import type { CallMethod } from '../policy/facts.ts';
import { onlyMembers } from './json-text.ts';

/** Members that are judged, recorded, and shown to people when they are asked. */
const JUDGED: Readonly<Record<CallMethod, ReadonlySet<string>>> = {
  'tools/call': new Set(['name', 'arguments', 'inputResponses', 'requestState']),
  'prompts/get': new Set(['name', 'arguments', 'inputResponses', 'requestState']),
  'resources/read': new Set(['uri', 'inputResponses', 'requestState']),
};
/**
 * Members that end here. Tasks are not announced, and who does not announce them passes over the wish for one: a server that only began
 * a task would be taken for one that did it.
 */
const ENDS_HERE: ReadonlySet<string> = new Set(['_meta', 'task']);
const KNOWN: ReadonlySet<string> = new Set([...ENDS_HERE, ...Object.values(JUDGED).flatMap((names) => [...names])].map(folded));

/**
 * The params as they go to the server. Whatever it says beside what the protocol knows is the client's business with the server, but a
 * server that does not tell upper case from lower case must not read `Arguments` where `arguments` were judged.
 */
export function relayedParams(text: string): string {
  return onlyMembers(text, (name) => !ENDS_HERE.has(name) && (isExact(name) || !KNOWN.has(folded(name))));
}

/** The params of a call that people are asked about: what they are not shown is not sent. */
export function judgedParams(method: CallMethod, text: string): string {
  return onlyMembers(text, (name) => JUDGED[method].has(name));
}

function isExact(name: string): boolean {
  return Object.values(JUDGED).some((names) => names.has(name));
}

/** As those compare names who do not tell cases apart; some letters have an upper case that has another lower case. */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}
