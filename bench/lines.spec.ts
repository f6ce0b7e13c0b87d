import { describe, expect, it } from '@jest/globals';
import { Lines } from './lines.ts';

const read = (chunks: readonly Buffer[], max = 100): string[] => {
  const seen: string[] = [];
  const lines = new Lines(max, (line) => seen.push(line));
  for (const chunk of chunks) lines.push(chunk);
  return seen;
};

describe('Lines', () => {
  it('are whole wherever chunks end, even inside a character', () => {
    const text = Buffer.from('{"a":"é😀"}\n\n{"b":1}\nrest');
    for (let at = 0; at <= text.length; at++) expect(read([text.subarray(0, at), text.subarray(at)])).toEqual(['{"a":"é😀"}', '{"b":1}']);
    expect(read([...text].map((byte) => Buffer.of(byte)))).toEqual(['{"a":"é😀"}', '{"b":1}']);
  });

  it('have a bound, which a long stream of short ones does not reach', () => {
    expect(read(Array.from({ length: 50 }, () => Buffer.from('12345\n')), 10)).toHaveLength(50);
    expect(() => read([Buffer.from('123456'), Buffer.from('78901')], 10)).toThrow('more than 10');
  });
});
