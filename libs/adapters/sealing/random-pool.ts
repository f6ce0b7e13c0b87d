import { randomFillSync } from 'node:crypto';

const SIZE = 8192;

/** Random bytes drawn in blocks: a draw for each salt costs more than the salt's encryption. Bytes are handed out once. */
export class RandomPool {
  private pool = Buffer.alloc(0);
  private used = 0;

  take(length: number): Uint8Array {
    if (this.used + length > this.pool.length) {
      this.pool = randomFillSync(Buffer.allocUnsafeSlow(Math.max(SIZE, length)));
      this.used = 0;
    }
    this.used += length;
    return this.pool.subarray(this.used - length, this.used);
  }
}
