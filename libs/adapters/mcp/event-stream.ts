/** An event of a stream. `name` is `message` unless the stream says otherwise. */
export interface StreamEvent {
  readonly name: string;
  readonly data: string;
}

/** An event is larger than the one who reads may keep. */
export class EventTooLarge extends Error {}

/** Reads a server-sent event stream as it arrives and hands over its events; what it holds at any time is bounded by one event. */
export class EventStream {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private rest = '';
  /** `rest` ends with a CR, which may yet be followed by its LF. */
  private half = false;
  private data: string[] = [];
  private size = 0;
  private name = '';
  private id: string | undefined;

  /** The id that a continuation of the stream begins after. */
  lastEventId: string | undefined;
  /** How long the server wants us to wait before we come back. */
  retryMs: number | undefined;

  constructor(
    private readonly onEvent: (event: StreamEvent) => void,
    private readonly maxEvent: number = Number.POSITIVE_INFINITY,
  ) {}

  /** Throws TypeError when the bytes are not UTF-8, and {@link EventTooLarge}. */
  push(bytes: Uint8Array): void {
    const text = this.decoder.decode(bytes, { stream: true });
    // Text that is only added to is not copied: a long line may come in very many pieces.
    if (this.half || LINE_END.test(text)) this.lines(this.rest.length - (this.half ? 1 : 0), this.rest + text);
    else this.rest += text;
    if (this.rest.length + this.size > this.maxEvent) throw new EventTooLarge();
  }

  /** Takes the lines out of `rest`, in which no line ends before `from`. */
  private lines(from: number, rest: string): void {
    let at = 0;
    let [lf, cr] = [rest.indexOf('\n', from), rest.indexOf('\r', from)];
    for (;;) {
      const end = lineEnd(rest, lf, cr);
      if (end === undefined) break;
      this.line(rest.slice(at, end.start));
      at = end.next;
      if (lf !== -1 && lf < at) lf = rest.indexOf('\n', at);
      if (cr !== -1 && cr < at) cr = rest.indexOf('\r', at);
    }
    this.rest = at > 0 ? rest.slice(at) : rest;
    this.half = this.rest.endsWith('\r');
  }

  /** The stream is over: a CR at its very end was a whole line end. An event without its empty line was cut off and does not count. */
  end(): void {
    if (this.rest.endsWith('\r')) this.line(this.rest.slice(0, -1));
    this.rest = '';
  }

  private line(line: string): void {
    if (line === '') this.dispatch();
    else if (line.startsWith('data:')) this.add(valueOf(line, 5));
    else if (line === 'data') this.add('');
    else if (line.startsWith('event:')) this.name = valueOf(line, 6);
    else if (line.startsWith('id:')) {
      const id = valueOf(line, 3);
      // An id goes back in a header.
      if (id.length <= 1_024 && /^[\x20-\x7e]*$/.test(id)) this.id = id;
    } else if (line.startsWith('retry:')) {
      const value = valueOf(line, 6);
      if (/^\d{1,9}$/.test(value)) this.retryMs = Number(value);
    }
  }

  private add(data: string): void {
    this.size += data.length + 1;
    if (this.size > this.maxEvent) throw new EventTooLarge();
    this.data.push(data);
  }

  private dispatch(): void {
    const { data, name } = this;
    this.data = [];
    this.size = 0;
    this.name = '';
    if (this.id !== undefined) this.lastEventId = this.id === '' ? undefined : this.id;
    if (data.length === 0) return;
    const text = data.length === 1 ? data[0]! : data.join('\n');
    // An event without data primes the stream: it is there for its id.
    if (text !== '') this.onEvent({ name: name === '' ? 'message' : name, data: text });
  }
}

const LINE_END = /[\r\n]/;

function valueOf(line: string, from: number): string {
  return line.slice(line.charCodeAt(from) === 0x20 ? from + 1 : from);
}

/** A line ends with LF, CR LF or CR; a CR at the very end may yet be followed by its LF. */
function lineEnd(text: string, lf: number, cr: number): { readonly start: number; readonly next: number } | undefined {
  if (cr === -1 || (lf !== -1 && lf < cr)) return lf === -1 ? undefined : { start: lf, next: lf + 1 };
  if (cr === text.length - 1) return undefined;
  return { start: cr, next: text.charCodeAt(cr + 1) === 0x0a ? cr + 2 : cr + 1 };
}
