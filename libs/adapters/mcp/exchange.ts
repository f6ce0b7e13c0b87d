import type { Dispatcher } from 'undici';
import type { CancelReason, JsonObject } from '#libs/broker/core';
import { EventStream, EventTooLarge, type StreamEvent } from './event-stream.ts';
import { Pieces } from './pieces.ts';

export interface ExchangeRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body?: string;
  /** Of a body, or of one event of a stream. */
  readonly maxBytes: number;
  /** Of a stream as a whole, when that has a bound. */
  readonly maxStreamBytes?: number;
  /** Takes each message of an event stream, in order; gives it back, parsed, when it is the one that is waited for. */
  readonly onMessage?: (text: string, event: string) => JsonObject | undefined;
  /** The answer begins; `stream` when it is a stream of events. False when what follows is not wanted. */
  readonly onStart?: (status: number, stream: boolean) => boolean | void;
}

/** Where a stream that ended can be continued. */
export interface Continuation {
  readonly lastEventId: string | undefined;
  readonly retryMs: number | undefined;
}

/**
 * How one HTTP request went. `not_sent`: no byte of it was written. `lost`: some of it was, and what came back is no answer. An answer
 * in an event stream arrives as if it had been the body.
 */
export type Exchange =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly session: string | undefined;
      readonly json: boolean;
      readonly text: string;
      /** Already parsed, when it came in a stream. */
      readonly message?: JsonObject;
    }
  /** `answering`: what was cut off was a JSON body under a status of success, and not a stream that may have held no answer at all. */
  | { readonly kind: 'too_large'; readonly answering: boolean }
  | { readonly kind: 'not_sent'; readonly error: string }
  /** Given up before it was its turn. */
  | { readonly kind: 'waited'; readonly reason: 'timeout' | CancelReason }
  | { readonly kind: 'lost'; readonly reason: 'timeout' | 'broken' | 'protocol' | CancelReason; readonly from?: Continuation };

/** A request under way. */
export interface Exchanging {
  /** Never rejects. */
  readonly done: Promise<Exchange>;
  readonly sent: boolean;
  /** Nobody waits any more; the connection is dropped. */
  giveUp(reason: 'timeout' | CancelReason): void;
}

/** Sends a request once; follows no redirect, tries nothing again. */
export function exchange(pool: Dispatcher, request: ExchangeRequest): Exchanging {
  const running = new Running(request);
  try {
    pool.dispatch(
      {
        path: request.path,
        method: request.method,
        headers: request.headers as string[],
        body: request.body ?? null,
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      running,
    );
  } catch (error) {
    running.onResponseError(undefined, error);
  }
  return running;
}

/** The same for a request that is to be over within a time. */
export async function exchangeWithin(pool: Dispatcher, request: ExchangeRequest, timeoutMs: number): Promise<Exchange> {
  const running = exchange(pool, request);
  const timer = setTimeout(() => running.giveUp('timeout'), timeoutMs);
  const exchanged = await running.done;
  clearTimeout(timer);
  return exchanged;
}

/** How long the end of a stream is waited for, behind its answer. */
const DRAIN_MS = 1_000;

class Running implements Dispatcher.DispatchHandler, Exchanging {
  readonly done: Promise<Exchange>;
  private resolve!: (exchange: Exchange) => void;
  private controller: Dispatcher.DispatchController | undefined;
  private settled = false;
  private status = 0;
  private session: string | undefined;
  private json = false;
  private events: EventStream | undefined;
  private readonly body = new Pieces();
  private bytes = 0;
  private drain: NodeJS.Timeout | undefined;

  constructor(private readonly request: ExchangeRequest) {
    this.done = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  get sent(): boolean {
    return this.controller !== undefined;
  }

  /** Called just before the first byte is written. A second time would be a repetition, which must not happen. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    const again = this.controller !== undefined;
    this.controller = controller;
    if (this.settled || again) controller.abort(new Error(again ? 'a request is sent once' : 'nobody waits any more'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return;
    this.status = status;
    const session = headers['mcp-session-id'];
    this.session = typeof session === 'string' ? session : undefined;
    const type = String(headers['content-type'] ?? '').toLowerCase();
    this.json = type.startsWith('application/json');
    if (type.startsWith('text/event-stream')) this.events = new EventStream((event) => this.event(event), this.request.maxBytes);
    if (this.request.onStart?.(status, this.events !== undefined && status < 300) !== false) return;
    this.settle({ kind: 'lost', reason: 'broken' });
    controller.abort(new Error('not wanted'));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.bytes += chunk.length;
    const max = this.events ? (this.request.maxStreamBytes ?? Number.POSITIVE_INFINITY) : this.request.maxBytes;
    if (this.bytes > max) {
      this.settle({ kind: 'too_large', answering: this.json && this.status < 300 });
      controller.abort(new Error('too large'));
      return;
    }
    // After the answer, what is left of a stream is read and dropped, so that the connection can be used again.
    if (this.settled) return;
    if (!this.events) {
      this.body.push(chunk);
      return;
    }
    try {
      this.events.push(chunk);
    } catch (error) {
      this.settle(error instanceof EventTooLarge ? { kind: 'too_large', answering: false } : { kind: 'lost', reason: 'protocol' });
      controller.abort(new Error('no event stream'));
    }
  }

  onResponseEnd(): void {
    clearTimeout(this.drain);
    if (this.settled) return;
    if (this.events) {
      this.events.end();
      this.settle({ kind: 'lost', reason: 'broken', from: this.events });
      return;
    }
    try {
      const text = UTF8.decode(this.body.whole());
      this.settle({ kind: 'answered', status: this.status, session: this.session, json: this.json, text });
    } catch {
      this.settle({ kind: 'lost', reason: 'protocol' });
    }
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: unknown): void {
    clearTimeout(this.drain);
    if (!this.controller) this.settle({ kind: 'not_sent', error: nameOf(error) });
    else this.settle({ kind: 'lost', reason: 'broken', ...(this.events && { from: this.events }) });
  }

  giveUp(reason: 'timeout' | CancelReason): void {
    if (this.settled) return;
    this.settle({ kind: this.controller ? 'lost' : 'waited', reason });
    this.controller?.abort(new Error(reason));
  }

  private event({ name, data: text }: StreamEvent): void {
    if (this.settled) return;
    const message = this.request.onMessage?.(text, name);
    if (message) this.settle({ kind: 'answered', status: this.status, session: this.session, json: true, text, message });
  }

  private settle(exchange: Exchange): void {
    if (this.settled) return;
    this.settled = true;
    if (exchange.kind === 'answered' && this.events) {
      this.drain = setTimeout(() => this.controller?.abort(new Error('the stream goes on behind its answer')), DRAIN_MS);
      this.drain.unref();
    }
    this.resolve(exchange);
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The code of a connection error; messages may hold addresses and are not needed. */
function nameOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'failed';
}
