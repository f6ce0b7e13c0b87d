import { isDeepStrictEqual } from 'node:util';
import { memberText } from '#libs/broker/core';
import { messageTexts, type RawAnswer } from './raw-http.ts';

/** Where two answers to the same request differ; `undefined` on a side that has nothing there. */
export interface Difference {
  readonly at: string;
  readonly stock: unknown;
  readonly ours: unknown;
}

type Members = Readonly<Record<string, unknown>>;

const HEADERS = ['content-type', 'allow', 'www-authenticate'];

/**
 * Compares what a client sees: status, the headers that mean something, and every message in its order. `exact`: results must be the
 * same text. Members of objects may come in any order elsewhere.
 */
export function differences(stock: RawAnswer, ours: RawAnswer, exact: boolean): Difference[] {
  const found: Difference[] = [];
  const compare = (at: string, one: unknown, other: unknown): void => {
    if (!isDeepStrictEqual(one, other)) found.push({ at, stock: one, ours: other });
  };
  compare('status', stock.status, ours.status);
  for (const name of HEADERS) compare(name, headerOf(stock, name), headerOf(ours, name));
  compare('session id', 'mcp-session-id' in stock.headers, 'mcp-session-id' in ours.headers);
  const [one, other] = [messageTexts(stock), messageTexts(ours)];
  if (one.length !== other.length) compare('messages', one.map(kindOf), other.map(kindOf));
  else one.forEach((text, i) => found.push(...messageDifferences(one.length === 1 ? '' : `message ${i + 1}: `, text, other[i]!, exact)));
  return found;
}

function messageDifferences(where: string, stock: string, ours: string, exact: boolean): Difference[] {
  if (kindOf(stock) !== kindOf(ours)) return [{ at: `${where}answer`, stock: kindOf(stock), ours: kindOf(ours) }];
  const [one, other] = [parsed(stock), parsed(ours)];
  const found = valueDifferences(where, one, other);
  if (found.length > 0 || !exact || kindOf(stock) !== 'result') return found;
  const [text, otherText] = [memberText(stock, 'result'), memberText(ours, 'result')];
  return text === otherText ? [] : [{ at: `${where}result, as text`, stock: text, ours: otherText }];
}

function valueDifferences(at: string, stock: unknown, ours: unknown): Difference[] {
  if (isDeepStrictEqual(stock, ours)) return [];
  if (!isMembers(stock) || !isMembers(ours)) return [{ at, stock, ours }];
  const names = new Set([...Object.keys(stock), ...Object.keys(ours)]);
  const prefix = at === '' || at.endsWith(' ') ? at : `${at}.`;
  return [...names].flatMap((name) => valueDifferences(`${prefix}${name}`, stock[name], ours[name]));
}

/** What sort of answer a message is, for when there is no more to compare. */
function kindOf(text: string): string {
  const message = parsed(text);
  if (!isMembers(message)) return 'no message';
  if (typeof message['method'] === 'string') return message['method'];
  const { result, error } = message;
  if (isMembers(error)) return 'error';
  return isMembers(result) && result['isError'] === true ? 'failed result' : 'result';
}

function headerOf({ headers }: RawAnswer, name: string): string | undefined {
  const value = headers[name];
  if (value === undefined) return undefined;
  // How a type is written and in which order methods are listed says nothing.
  if (name === 'content-type') return String(value).split(';')[0];
  return String(value).split(/,\s*/).toSorted().join(', ');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
