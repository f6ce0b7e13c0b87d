/** Pieces of this size and above are kept as they are. */
const LARGE = 1_024;
/** As many small ones are, too: most bodies are one piece. */
const FEW = 8;
const BLOCK = 16 * 1_024;

/** Bytes that arrive in pieces. What it holds is about as large as they are, also when the pieces are tiny. */
export class Pieces {
  private readonly kept: Buffer[] = [];
  private block: Buffer | undefined;
  private used = 0;

  push(piece: Buffer): void {
    if (piece.length >= LARGE || this.kept.length < FEW) {
      this.block = undefined;
      this.kept.push(piece);
      return;
    }
    if (!this.block || this.used + piece.length > BLOCK) {
      this.block = Buffer.allocUnsafeSlow(BLOCK);
      this.used = 0;
      this.kept.push(this.block);
    }
    piece.copy(this.block, this.used);
    this.used += piece.length;
    this.kept[this.kept.length - 1] = this.block.subarray(0, this.used);
  }

  whole(): Buffer {
    return this.kept.length === 1 ? this.kept[0]! : Buffer.concat(this.kept);
  }
}
