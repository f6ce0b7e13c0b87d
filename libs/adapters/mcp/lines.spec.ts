import { describe, expect, it } from '@jest/globals';
import { Lines } from './lines.ts';

function cut(max: number, ...pieces: string[]): unknown[] {
  const got: unknown[] = [];
  const lines = new Lines(max, { line: (line) => got.push(line), tooLong: (head, tail) => got.push([head, tail]) });
  for (const piece of pieces) lines.push(Buffer.from(piece));
  return got;
}

describe('lines', () => {
  it('are found in any cutting of the bytes', () => {
    const text = 'a\nbé\r\n\ncd\nrest';
    for (let size = 1; size <= text.length; size++) {
      const bytes = Buffer.from(text);
      const got: string[] = [];
      const lines = new Lines(100, { line: (line) => got.push(line), tooLong: () => got.push('too long') });
      for (let at = 0; at < bytes.length; at += size) lines.push(bytes.subarray(at, at + size));
      expect(got).toEqual(['a', 'bé', '', 'cd']);
    }
  });

  it('that are too long leave both their ends, and the next one is whole', () => {
    const long = `${'h'.repeat(3_000)}${'m'.repeat(100_000)}${'t'.repeat(3_000)}`;
    const expected = [['h'.repeat(2_048), 't'.repeat(2_048)], 'next'];
    expect(cut(5_000, `${long}\nnext\n`)).toEqual(expected);
    expect(cut(5_000, ...`${long}\nnext\n`.match(/.{1,700}|\n/g)!)).toEqual(expected);
  });

  it('of just the length are whole', () => {
    expect(cut(5, '12345\n', '123456\n')).toEqual(['12345', ['123456', '123456']]);
  });
});
