import type { Dispatcher } from 'undici';
import type { Cancellation, CancelReason } from '#libs/broker/core';
import { EventStream } from './event-stream.ts';

export interface ExchangeRequest {
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Whether a message of an event stream is the one that is waited for. */
  readonly isAnswer: (message: string) => boolean;
  readonly cancellation?: Cancellation;
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
    }
  /** `answering`: what was cut off was a JSON body under a status of success, and not a stream that may have held no answer at all. */
  | { readonly kind: 'too_large'; readonly answering: boolean }
  | { readonly kind: 'not_sent'; readonly error: string }
  | { readonly kind: 'waited' }
  | { readonly kind: 'lost'; readonly reason: 'timeout' | 'broken' | 'protocol' | CancelReason };

/** Sends a request once; never rejects, follows no redirect, tries nothing again. */
export function exchange(pool: Dispatcher, request: ExchangeRequest): Promise<Exchange> {
  return new Promise((resolve) => {
    const running = new Running(request, resolve);
    try {
      pool.dispatch(
        { path: request.path, method: 'POST', headers: request.headers as string[], body: request.body, headersTimeout: 0, bodyTimeout: 0 },
        running,
      );
    } catch (error) {
      running.onResponseError(undefined, error);
    }
  });
}

class Running implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined;
  private settled = false;
  private status = 0;
  private session: string | undefined;
  private json = false;
  private events: EventStream | undefined;
  private readonly chunks: Buffer[] = [];
  private bytes = 0;
  private readonly timer: NodeJS.Timeout;
  private readonly unsubscribe: (() => void) | undefined;

  constructor(
    private readonly request: ExchangeRequest,
    private readonly resolve: (exchange: Exchange) => void,
  ) {
    this.timer = setTimeout(() => this.giveUp('timeout'), request.timeoutMs);
    this.unsubscribe = request.cancellation?.onCancel((reason) => this.giveUp(reason));
  }

  /** Called just before the first byte is written. A second time would be a repetition, which must not happen. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    const again = this.controller !== undefined;
    this.controller = controller;
    if (this.settled || again) controller.abort(new Error(again ? 'a request is sent once' : 'nobody waits any more'));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return;
    this.status = status;
    const session = headers['mcp-session-id'];
    this.session = typeof session === 'string' ? session : undefined;
    const type = String(headers['content-type'] ?? '').toLowerCase();
    this.json = type.startsWith('application/json');
    if (type.startsWith('text/event-stream')) {
      this.events = new EventStream((data) => {
        if (!this.settled && this.request.isAnswer(data))
          this.settle({ kind: 'answered', status, session: this.session, json: true, text: data });
      });
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.bytes > this.request.maxBytes) {
      this.settle({ kind: 'too_large', answering: this.json && this.status < 300 });
      controller.abort(new Error('too large'));
      return;
    }
    // After the answer, what is left of a stream is read and dropped, so that the connection can be used again.
    if (this.settled) return;
    if (!this.events) {
      this.chunks.push(chunk);
      return;
    }
    try {
      this.events.push(chunk);
    } catch {
      this.settle({ kind: 'lost', reason: 'protocol' });
      controller.abort(new Error('not UTF-8'));
    }
  }

  onResponseEnd(): void {
    clearTimeout(this.timer);
    if (this.settled) return;
    if (this.events) {
      this.events.end();
      this.settle({ kind: 'lost', reason: 'broken' });
      return;
    }
    try {
      const text = UTF8.decode(this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks));
      this.settle({ kind: 'answered', status: this.status, session: this.session, json: this.json, text });
    } catch {
      this.settle({ kind: 'lost', reason: 'protocol' });
    }
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: unknown): void {
    clearTimeout(this.timer);
    this.settle(this.controller ? { kind: 'lost', reason: 'broken' } : { kind: 'not_sent', error: nameOf(error) });
  }

  private giveUp(reason: 'timeout' | CancelReason): void {
    this.settle(this.controller ? { kind: 'lost', reason } : { kind: 'waited' });
    this.controller?.abort(new Error(reason));
  }

  private settle(exchange: Exchange): void {
    if (this.settled) return;
    this.settled = true;
    this.unsubscribe?.();
    // A stream may go on behind its answer; the timer then still ends it.
    if (exchange.kind !== 'answered' || !this.events) clearTimeout(this.timer);
    else this.timer.unref();
    this.resolve(exchange);
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The code of a connection error; messages may hold addresses and are not needed. */
function nameOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'failed';
}
