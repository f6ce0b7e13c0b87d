import { describe, expect, it } from '@jest/globals';
import { Pieces } from './pieces.ts';

describe('bytes that arrive in pieces', () => {
  it.each([1, 7, 1_023, 1_024, 100_000])('are whole again, in pieces of %d', (size) => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, n) => n % 251));
    const pieces = new Pieces();
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    expect(pieces.whole().equals(bytes)).toBe(true);
  });

  it('are whole again, large and small ones in turn', () => {
    const parts = Array.from({ length: 400 }, (_, n) => Buffer.alloc(n % 3 === 0 ? 2_000 : (n % 40) + 1, n));
    const pieces = new Pieces();
    for (const part of parts) pieces.push(part);
    expect(pieces.whole().equals(Buffer.concat(parts))).toBe(true);
    expect(new Pieces().whole()).toHaveLength(0);
  });

  it('take no more room for being small', () => {
    const before = process.memoryUsage();
    const pieces = new Pieces();
    const source = Buffer.alloc(64, 1);
    for (let n = 0; n < 4 << 20; n++) pieces.push(source.subarray(n % 64, (n % 64) + 1));
    const after = process.memoryUsage();
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(200 << 20);
    expect(pieces.whole()).toHaveLength(4 << 20);
  });
});
