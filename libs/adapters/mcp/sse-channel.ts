import { type UpstreamServer, UpstreamUnavailable } from '#libs/broker/core';
import { type Channel, type ChannelEvents, largestMessage, type Sent } from './channel.ts';
import type { ConnectionOptions } from './connection.ts';
import { exchange, exchangeWithin, type Exchanging } from './exchange.ts';
import { HttpEndpoint } from './http-endpoint.ts';
import { POST_HEADERS } from './http-headers.ts';

const OPEN_MS = 10_000;
const CLOSE_MS = 500;
/** Messages on their way at one time beside the calls; a server that asks for more replies goes without. */
const MAX_SENDING = 1_000;
const ACCEPTED_BYTES = 1 << 20;
/** Statuses that somebody in between may give after the server has begun. */
const IN_DOUBT: ReadonlySet<number> = new Set([408, 409, 425]);

/**
 * The HTTP transport of 2024-11-05: one stream brings everything that the server says, and names first where messages are posted. That
 * place must be of the same origin: our credentials go there.
 */
export async function openSse(server: UpstreamServer, url: URL, options: ConnectionOptions, events: ChannelEvents): Promise<Channel> {
  const channel = new SseChannel(new HttpEndpoint(server, url, options), url, events);
  try {
    await channel.open();
  } catch (error) {
    await channel.close();
    throw error;
  }
  return channel;
}

class SseChannel implements Channel {
  private stream: Exchanging | undefined;
  private target: string | undefined;
  private closed = false;
  private sending = 0;

  constructor(
    private readonly endpoint: HttpEndpoint,
    private readonly url: URL,
    private readonly events: ChannelEvents,
  ) {}

  async open(): Promise<void> {
    const secret = await this.endpoint.secret();
    await new Promise<void>((resolve, reject) => {
      const refuse = (why: string): void => reject(new UpstreamUnavailable(why));
      const timer = setTimeout(() => refuse('the server did not say where messages are posted'), OPEN_MS);
      const stream = exchange(this.endpoint.streams, {
        method: 'GET',
        path: this.endpoint.path,
        headers: ['accept', 'text/event-stream', ...secret],
        maxBytes: largestMessage(this.endpoint.server.limits.maxResultBytes),
        onMessage: (data, event) => {
          if (event === 'message') this.events.message(data);
          else if (event === 'endpoint' && this.target === undefined) {
            this.target = this.pathOf(data);
            if (this.target === undefined) refuse('the server wants messages to be posted elsewhere');
            else resolve();
          }
          return undefined;
        },
      });
      this.stream = stream;
      void stream.done.then((ended) => {
        clearTimeout(timer);
        refuse(ended.kind === 'answered' ? `the server opened no stream (HTTP ${ended.status})` : 'the server cannot be reached');
        if (ended.kind === 'answered' && (ended.status === 401 || ended.status === 403)) this.endpoint.forgetSecret();
        this.gone('its stream ended');
      });
    });
  }

  async send(text: string): Promise<Sent> {
    if (this.closed || this.target === undefined || this.sending >= this.endpoint.server.limits.concurrency + MAX_SENDING) return { kind: 'not_sent' };
    this.sending++;
    try {
      return await this.post(text, this.target);
    } finally {
      this.sending--;
    }
  }

  private async post(text: string, path: string): Promise<Sent> {
    let secret: readonly string[];
    try {
      secret = await this.endpoint.secret();
    } catch {
      return { kind: 'not_sent' };
    }
    const { limits } = this.endpoint.server;
    const posted = await exchangeWithin(
      this.endpoint.streams,
      { method: 'POST', path, headers: [...POST_HEADERS, ...secret], body: text, maxBytes: ACCEPTED_BYTES },
      limits.timeoutMs,
    );
    if (posted.kind === 'answered') {
      if (posted.status < 300) return { kind: 'sent' };
      if (posted.status >= 500 || IN_DOUBT.has(posted.status)) return { kind: 'lost' };
      // It knows nothing of our stream any more.
      if (posted.status === 404) this.gone('it does not know us any more');
      return { kind: 'rejected', status: posted.status };
    }
    if (posted.kind !== 'not_sent') return { kind: posted.kind === 'waited' ? 'not_sent' : 'lost' };
    this.gone('it cannot be reached');
    return { kind: 'not_sent' };
  }

  async close(): Promise<void> {
    this.gone('closed');
    await this.endpoint.close(CLOSE_MS);
  }

  private gone(why: string): void {
    if (this.closed) return;
    this.closed = true;
    this.stream?.giveUp('stopped');
    // Whoever waits for what was just sent learns of that first.
    setImmediate(() => this.events.closed(why));
  }

  private pathOf(endpoint: string): string | undefined {
    if (!URL.canParse(endpoint, this.url.href)) return undefined;
    const to = new URL(endpoint, this.url);
    return to.origin === this.url.origin ? `${to.pathname}${to.search}` : undefined;
  }
}
