import { isObject, memberText, type UpstreamAnswer } from '#libs/broker/core';
import { isRpcError } from './rpc.ts';

/** What a message with the call's id says, its text as it came. Undefined when it is no answer of the protocol. */
export function readCallAnswer(text: string, message: unknown, requestId: string, maxResultBytes: number): UpstreamAnswer | undefined {
  if (!isObject(message) || message['id'] !== requestId) return undefined;
  const { result, error } = message;
  if (isObject(result)) return sized(memberText(text, 'result')!, result['isError'] === true, maxResultBytes);
  return isRpcError(error) ? { kind: 'error', text: memberText(text, 'error')! } : undefined;
}

function sized(text: string, isError: boolean, maxResultBytes: number): UpstreamAnswer {
  if (text.length <= maxResultBytes && Buffer.byteLength(text) <= maxResultBytes) return { kind: 'result', text };
  return isError ? { kind: 'too_large', isError } : { kind: 'too_large' };
}
