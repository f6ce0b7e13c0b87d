/**
 * How one call ended. Only `answered` counts as throughput.
 * answered: the result of exactly this call · refused: Holdfast or its like said no · tool_error: the tool itself failed ·
 * rpc_error, http_error: a protocol problem · mismatched: an answer that belongs to another call · broken: no whole answer.
 */
export type AnswerKind = 'answered' | 'refused' | 'tool_error' | 'rpc_error' | 'http_error' | 'mismatched' | 'broken';

export interface Judged {
  readonly kind: AnswerKind;
  /** What to count alike: a code or status, never a text with ids in it. */
  readonly detail?: string;
  /** The id that Holdfast gave the call, when the answer carries one. */
  readonly callId?: string;
}

export interface Sent {
  readonly id: number;
  /** Unique among all calls of a run; the tool must return it. */
  readonly payload: string;
}

export interface Received {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

interface Message {
  readonly id?: unknown;
  readonly error?: { readonly code?: unknown };
  readonly result?: { readonly isError?: boolean; readonly content?: readonly { readonly text?: unknown }[]; readonly structuredContent?: unknown; readonly _meta?: Record<string, unknown> };
}

/** Whether what came back is the answer to what was sent. */
export function judgeAnswer(sent: Sent, received: Received): Judged {
  const messages = messagesIn(received);
  const message = messages?.find(({ id }) => id === sent.id);
  if (!message) {
    if (received.status < 200 || received.status > 299) return { kind: 'http_error', detail: `HTTP ${received.status}` };
    return { kind: 'mismatched', detail: messages === undefined ? 'not JSON-RPC' : 'no message with the id of the call' };
  }
  if (message.error) {
    const code = typeof message.error.code === 'number' ? message.error.code : 0;
    // -32000..-32019 is where servers put refusals of their own.
    return { kind: code <= -32000 && code >= -32019 ? 'refused' : 'rpc_error', detail: `JSON-RPC ${code}` };
  }
  const result = message.result;
  const call = result?._meta?.['dev.holdfast/call'] as { readonly callId?: unknown; readonly code?: unknown } | undefined;
  const callId = typeof call?.callId === 'string' ? { callId: call.callId } : {};
  const texts = (result?.content ?? []).map(({ text }) => text);
  if (result?.isError === true) {
    const refused = call !== undefined || texts.some((text) => typeof text === 'string' && text.startsWith('NOT EXECUTED'));
    return { kind: refused ? 'refused' : 'tool_error', ...(typeof call?.code === 'string' && { detail: call.code }), ...callId };
  }
  const echoed = texts.some((text) => typeof text === 'string' && text.includes(sent.payload)) || JSON.stringify(result?.structuredContent ?? '').includes(sent.payload);
  return echoed ? { kind: 'answered', ...callId } : { kind: 'mismatched', detail: 'the result is not of this call', ...callId };
}

/** The JSON-RPC messages of a response, as one JSON document or as server-sent events; undefined when it is neither. */
export function messagesIn({ contentType, text }: Received): readonly Message[] | undefined {
  try {
    if (!contentType.startsWith('text/event-stream')) {
      const body: unknown = JSON.parse(text);
      return typeof body === 'object' && body !== null ? (Array.isArray(body) ? (body as Message[]) : [body as Message]) : undefined;
    }
    return text
      .split(/\r?\n\r?\n/)
      .map((event) => event.split(/\r?\n/).filter((line) => line.startsWith('data:')).map((line) => line.slice(5).replace(/^ /, '')).join('\n'))
      .filter((data) => data !== '')
      .map((data) => JSON.parse(data) as Message);
  } catch {
    return undefined;
  }
}
