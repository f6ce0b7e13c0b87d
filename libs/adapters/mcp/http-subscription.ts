import { isObject, type JsonObject } from '#libs/broker/core';
import { exchange } from './exchange.ts';
import type { HttpEndpoint } from './http-endpoint.ts';
import { MODERN_HEADERS, POST_HEADERS } from './http-headers.ts';
import { isAnswer, parse, requestText } from './rpc.ts';
import type { ListenEvents } from './subscriptions.ts';

const EVENT_BYTES = 4 << 20;

/** `subscriptions/listen` over HTTP: a POST whose stream stays. Gives back how to end it. */
export function openSubscription(endpoint: HttpEndpoint, id: string, params: JsonObject, events: ListenEvents): () => void {
  let closed = false;
  let giveUp: (() => void) | undefined;
  const run = async (): Promise<void> => {
    const secret = await endpoint.secret();
    if (closed) return;
    const exchanging = exchange(endpoint.streams, {
      method: 'POST',
      path: endpoint.path,
      headers: [...POST_HEADERS, ...secret, ...MODERN_HEADERS, 'mcp-method', 'subscriptions/listen'],
      body: requestText(id, 'subscriptions/listen', JSON.stringify(params)),
      maxBytes: EVENT_BYTES,
      onMessage: (text) => {
        const message = parse(text);
        if (closed || !isObject(message)) return undefined;
        if (message['id'] === id && isAnswer(message)) return message;
        events.message(text, message);
        return undefined;
      },
    });
    giveUp = () => exchanging.giveUp('stopped');
    await exchanging.done;
  };
  run()
    .catch(() => undefined)
    .finally(() => (closed ? undefined : events.ended()));
  return () => {
    closed = true;
    giveUp?.();
  };
}
