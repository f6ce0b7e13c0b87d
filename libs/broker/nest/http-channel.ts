import type { Channel, McpReply } from '#libs/broker/core';

/** The part of Node's response that a stream needs. */
export interface RawResponse {
  readonly writableLength: number;
  readonly writableFinished: boolean;
  readonly destroyed: boolean;
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  flushHeaders(): void;
  write(text: string): boolean;
  end(): void;
  destroy(): void;
  on(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  connection: 'keep-alive',
  'x-accel-buffering': 'no',
};
const KEEP_ALIVE_MS = 15_000;
/** What a client may leave unread before its stream is given up. */
const MAX_UNREAD_BYTES = 16 << 20;

/** A {@link Channel} over one HTTP response. Costs nothing until something is sent or somebody asks to hear of the client's leaving. */
export class HttpChannel implements Channel {
  private begun = false;
  private keepAlive: NodeJS.Timeout | undefined;

  constructor(
    readonly streams: boolean,
    private readonly raw: RawResponse,
    /** Takes the response away from the framework. */
    private readonly take: () => void,
  ) {}

  open(): void {
    if (this.begun || this.raw.destroyed) return;
    this.begun = true;
    this.take();
    this.raw.writeHead(200, HEADERS);
    this.raw.flushHeaders();
    this.keepAlive = setInterval(() => this.write(': keep-alive\n\n'), KEEP_ALIVE_MS);
    this.keepAlive.unref();
    this.raw.on('close', () => clearInterval(this.keepAlive));
  }

  send(message: string): boolean {
    if (!this.streams || this.raw.destroyed) return false;
    this.open();
    return this.write(event(message));
  }

  onGone(listener: () => void): () => void {
    const gone = (): void => {
      if (!this.raw.writableFinished) listener();
    };
    if (this.raw.destroyed) {
      gone();
      return () => undefined;
    }
    this.raw.on('close', gone);
    return () => this.raw.off('close', gone);
  }

  /** Writes the answer behind what was streamed; false when nothing was, and the answer is still to be written. */
  finish({ body }: McpReply): boolean {
    if (!this.begun) return false;
    clearInterval(this.keepAlive);
    if (this.raw.destroyed) return true;
    if (body !== '') this.raw.write(event(body));
    this.raw.end();
    return true;
  }

  private write(text: string): boolean {
    if (this.raw.destroyed) return false;
    this.raw.write(text);
    if (this.raw.writableLength <= MAX_UNREAD_BYTES) return true;
    this.raw.destroy();
    return false;
  }
}

/** Line ends in JSON text are only ever space between its parts. */
function event(message: string): string {
  return `event: message\ndata: ${LINE_END.test(message) ? message.replaceAll(/[\r\n]+/g, ' ') : message}\n\n`;
}

const LINE_END = /[\r\n]/;
