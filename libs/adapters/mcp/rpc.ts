import { isObject, type JsonObject, memberText, type PeerAnswer } from '#libs/broker/core';

/** JSON-RPC as text: what is passed on is never parsed and written anew. */

export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function requestText(id: string, method: string, params: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":${JSON.stringify(method)},"params":${params}}`;
}

export function notificationText(method: string, params?: string): string {
  return `{"jsonrpc":"2.0","method":${JSON.stringify(method)}${params === undefined ? '' : `,"params":${params}`}}`;
}

/** The answer to a request of the server, whose id goes back as it came. */
export function responseText(id: string | number, answer: PeerAnswer): string {
  const member = 'result' in answer ? `"result":${answer.result}` : `"error":${answer.error}`;
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},${member}}`;
}

export function cancelledText(requestId: string, reason: string): string {
  return notificationText('notifications/cancelled', JSON.stringify({ requestId, reason }));
}

/** JSON text of a message's `params`; `{}` when it has none. */
export function paramsText(message: string): string {
  const text = memberText(message, 'params');
  return text?.startsWith('{') ? text : '{}';
}

export function isRpcError(error: unknown): boolean {
  return isObject(error) && typeof error['code'] === 'number' && typeof error['message'] === 'string';
}

export function isAnswer(message: JsonObject): boolean {
  return !('method' in message) && ('result' in message || 'error' in message);
}

export const METHOD_NOT_FOUND = -32601;

/** The server's question was for nobody, or for nobody in particular. */
export function notAskable(why: string): PeerAnswer {
  return { error: JSON.stringify({ code: METHOD_NOT_FOUND, message: why }) };
}
