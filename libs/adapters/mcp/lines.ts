import { Pieces } from './pieces.ts';

const NEWLINE = 0x0a;
const KEPT_OF_TOO_LONG = 2_048;

export interface LineEvents {
  readonly line: (line: string) => void;
  /** A line was longer than may be kept: how it began and how it ended. */
  readonly tooLong: (head: string, tail: string) => void;
}

/** Cuts what arrives into lines. What it holds is bounded by the longest line; of a longer one only both ends are kept. */
export class Lines {
  private pieces = new Pieces();
  private size = 0;
  private head: string | undefined;

  constructor(
    private readonly maxBytes: number,
    private readonly events: LineEvents,
  ) {}

  push(bytes: Buffer): void {
    let at = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, at);
      if (end === -1) break;
      this.keep(bytes.subarray(at, end));
      this.finish();
      at = end + 1;
    }
    if (at < bytes.length) this.keep(bytes.subarray(at));
  }

  private keep(part: Buffer): void {
    this.size += part.length;
    this.pieces.push(part);
    if (this.size <= this.maxBytes) return;
    const all = this.pieces.whole();
    this.head ??= all.toString('utf8', 0, KEPT_OF_TOO_LONG);
    // A copy: a view would hold on to all of it.
    this.pieces = new Pieces();
    this.pieces.push(Buffer.from(all.subarray(-KEPT_OF_TOO_LONG)));
    this.size = this.maxBytes;
  }

  private finish(): void {
    const { pieces, head } = this;
    this.pieces = new Pieces();
    this.size = 0;
    this.head = undefined;
    const text = pieces.whole().toString('utf8');
    if (head === undefined) this.events.line(text.endsWith('\r') ? text.slice(0, -1) : text);
    else this.events.tooLong(head, text.slice(-KEPT_OF_TOO_LONG));
  }
}
