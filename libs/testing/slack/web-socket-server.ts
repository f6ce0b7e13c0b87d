import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const [TEXT, CLOSE, PING, PONG] = [1, 8, 9, 10] as const;

/** The server's end of a WebSocket, as much of RFC 6455 as Slack's client needs: whole text frames, pings, and a close. */
export class WebSocketPeer {
  private buffer = Buffer.alloc(0);
  private open = true;

  constructor(
    request: IncomingMessage,
    private readonly socket: Duplex,
    private readonly onText: (text: string) => void,
    private readonly onClose: () => void,
  ) {
    const accept = createHash('sha1').update(`${String(request.headers['sec-websocket-key'])}${GUID}`).digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.on('error', () => this.ended());
    socket.on('close', () => this.ended());
  }

  send(text: string): void {
    if (this.open) this.write(TEXT, Buffer.from(text));
  }

  /** Without a word, as a network does it. */
  drop(): void {
    this.socket.destroy();
  }

  private read(chunk: Buffer): void {
    this.buffer = Buffer.concat([this.buffer, chunk]);
    for (let frame = this.frame(); frame; frame = this.frame()) {
      if (frame.kind === TEXT) this.onText(frame.payload.toString());
      else if (frame.kind === PING) this.write(PONG, frame.payload);
      else if (frame.kind === CLOSE) {
        this.write(CLOSE, frame.payload);
        this.socket.end();
      }
    }
  }

  /** A whole frame of a client, which masks what it sends. */
  private frame(): { readonly kind: number; readonly payload: Buffer } | undefined {
    if (this.buffer.length < 6) return undefined;
    const short = this.buffer[1]! & 0x7f;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (this.buffer.length < head + 4) return undefined;
    const length = short === 126 ? this.buffer.readUInt16BE(2) : short === 127 ? Number(this.buffer.readBigUInt64BE(2)) : short;
    if (this.buffer.length < head + 4 + length) return undefined;
    const mask = this.buffer.subarray(head, head + 4);
    const payload = Buffer.from(this.buffer.subarray(head + 4, head + 4 + length)).map((byte, at) => byte ^ mask[at % 4]!);
    const kind = this.buffer[0]! & 0x0f;
    this.buffer = this.buffer.subarray(head + 4 + length);
    return { kind, payload: Buffer.from(payload) };
  }

  private write(kind: number, payload: Buffer): void {
    const head = payload.length < 126 ? Buffer.from([0x80 | kind, payload.length]) : Buffer.from([0x80 | kind, 126, payload.length >> 8, payload.length & 0xff]);
    this.socket.write(Buffer.concat([head, payload]));
  }

  private ended(): void {
    if (!this.open) return;
    this.open = false;
    this.onClose();
  }
}
