import { isObject, type UpstreamDescription } from '#libs/broker/core';
import { type Ask, Asks } from './asks.ts';
import type { Listening } from './connection.ts';
import type { Dialogue } from './dialogue.ts';
import type { HttpEndpoint } from './http-endpoint.ts';
import { paramsText, parse } from './rpc.ts';
import { StandingStream } from './standing-stream.ts';

export interface LegacySessionEvents {
  /** The server does not know the session any more. */
  readonly gone: () => void;
  /** The server has no stream for what it says outside of calls. */
  readonly streamless: () => void;
}

/** A session with a server of the legacy era, everybody's or that of one conversation. It owns the stream that belongs to it. */
export class LegacySession {
  readonly era = 'legacy';
  readonly headers: readonly string[];
  /** Calls under way that may be told of on the session's stream instead of their own, by their progress token. */
  readonly dialogues = new Map<string, Dialogue>();
  private readonly asks: Asks;
  private stream: StandingStream | undefined;
  private closed = false;

  constructor(
    private readonly endpoint: HttpEndpoint,
    readonly id: string | undefined,
    readonly description: UpstreamDescription,
    readonly conversation: string | undefined,
    private readonly listening: Listening,
    private readonly events: LegacySessionEvents,
  ) {
    this.headers = ['mcp-protocol-version', description.protocol, ...(id === undefined ? [] : ['mcp-session-id', id])];
    this.asks = new Asks({ reply: (text) => this.tell(text) });
  }

  /** Sends an answer or a notification; whether it arrives is the server's business. */
  tell(text: string): void {
    void this.endpoint.tell(this.headers, text);
  }

  /** What the server says that is for everybody of this session. */
  heard(method: string, params: string): void {
    this.listening()?.notified(this.endpoint.server, this.conversation, method, params);
  }

  openStream(): void {
    if (this.stream || this.closed) return;
    this.stream = new StandingStream(this.endpoint, this.headers, {
      message: (text) => this.message(text),
      refused: (status, opened) => {
        if (this.id !== undefined && opened && (status === 404 || status === 400)) this.events.gone();
        else if (status !== 401 && status !== 403) this.events.streamless();
      },
    });
    this.stream.start();
  }

  /** `tell`: the server is told that the session is over. */
  async close(tell: boolean): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.stream?.stop();
    this.asks.end();
    if (tell && this.id !== undefined) await this.endpoint.endSession(this.headers);
  }

  private message(text: string): void {
    const message = parse(text);
    if (!isObject(message) || typeof message['method'] !== 'string') return;
    const { id, method, params } = message;
    if (typeof id === 'string' || typeof id === 'number') {
      const listener = this.listening();
      const { server } = this.endpoint;
      const ask: Ask | undefined = listener && ((request, cancellation) => listener.asked(server, this.conversation, request, cancellation));
      return this.asks.take(id, method, paramsText(text), ask);
    }
    if (method === 'notifications/cancelled') return this.asks.cancelled(isObject(params) ? params['requestId'] : undefined);
    if (method === 'notifications/progress') {
      const token = isObject(params) ? params['progressToken'] : undefined;
      return typeof token === 'string' ? this.dialogues.get(token)?.notified(method, params, text) : undefined;
    }
    this.heard(method, paramsText(text));
  }
}
