import { StringDecoder } from 'node:string_decoder';

/** Whole lines out of a stream of bytes, whose chunks may end anywhere. A line beyond the bound ends the stream with an error. */
export class Lines {
  private readonly decoder = new StringDecoder('utf8');
  private pieces: string[] = [];
  private length = 0;

  constructor(
    private readonly maxLength: number,
    private readonly onLine: (line: string) => void,
  ) {}

  push(chunk: Buffer): void {
    const text = this.decoder.write(chunk);
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      this.pieces.push(text.slice(from, end));
      const line = this.pieces.join('');
      this.pieces = [];
      this.length = 0;
      from = end + 1;
      if (line !== '') this.onLine(line);
    }
    const rest = text.slice(from);
    this.length += rest.length;
    if (this.length > this.maxLength) throw new Error(`a line of more than ${this.maxLength} characters`);
    if (rest !== '') this.pieces.push(rest);
  }
}
