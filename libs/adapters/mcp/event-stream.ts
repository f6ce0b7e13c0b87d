/**
 * Reads a server-sent event stream as it arrives and hands over the data of each event. Comments, ids, retry hints and event names
 * are passed over: MCP uses one kind of event.
 */
export class EventStream {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private rest = '';
  private data: string[] = [];

  constructor(private readonly onData: (data: string) => void) {}

  /** Throws TypeError when the bytes are not UTF-8. */
  push(bytes: Uint8Array): void {
    this.rest += this.decoder.decode(bytes, { stream: true });
    let at = 0;
    for (;;) {
      const end = endOfLine(this.rest, at);
      if (end === undefined) break;
      this.line(this.rest.slice(at, end.start));
      at = end.next;
    }
    if (at > 0) this.rest = this.rest.slice(at);
  }

  /** The stream is over: a CR at its very end was a whole line end. An event without its empty line was cut off and does not count. */
  end(): void {
    if (this.rest.endsWith('\r')) this.line(this.rest.slice(0, -1));
    this.rest = '';
  }

  private line(line: string): void {
    if (line === '') {
      if (this.data.length > 0) this.onData(this.data.join('\n'));
      this.data = [];
    } else if (line.startsWith('data:')) {
      this.data.push(line.slice(line.charCodeAt(5) === 0x20 ? 6 : 5));
    } else if (line === 'data') {
      this.data.push('');
    }
  }
}

/** A line ends with LF, CR LF or CR; a CR at the very end may yet be followed by its LF. */
function endOfLine(text: string, from: number): { readonly start: number; readonly next: number } | undefined {
  const lf = text.indexOf('\n', from);
  const cr = text.indexOf('\r', from);
  if (cr === -1 || (lf !== -1 && lf < cr)) return lf === -1 ? undefined : { start: lf, next: lf + 1 };
  if (cr === text.length - 1) return undefined;
  return { start: cr, next: text.charCodeAt(cr + 1) === 0x0a ? cr + 2 : cr + 1 };
}
