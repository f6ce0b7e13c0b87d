import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeSealed, encodeSealed, type SealedField } from './sealed-codec.ts';

const field: fc.Arbitrary<SealedField> = fc.record({ path: fc.string({ unit: 'grapheme', maxLength: 40 }), keyId: fc.uuid(), box: fc.uint8Array({ maxLength: 300 }) });
const example: readonly SealedField[] = [
  { path: '/args', keyId: '0f1e2d3c-0000-8000-8000-000000000000', box: Uint8Array.from([1, 2, 3]) },
  { path: '/result/é', keyId: 'k', box: new Uint8Array() },
];

/** The fields, or "refused" for the one error that decoding may throw. */
function decodeOr(bytes: Uint8Array): readonly SealedField[] | 'refused' {
  try {
    return decodeSealed(bytes);
  } catch (error) {
    if (error instanceof RangeError) return 'refused';
    throw error;
  }
}

describe('sealed record', () => {
  it('gives back what went in', () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 6 }), (fields) => {
        expect(decodeSealed(encodeSealed(fields))).toEqual(fields);
      }),
    );
  });

  it('has this layout for ever', () => {
    expect(Buffer.from(encodeSealed([{ path: '/a', keyId: 'k1', box: Uint8Array.from([9, 8]) }])).toString('hex')).toBe('01' + '0001' + '0002' + '2f61' + '0002' + '6b31' + '00000002' + '0908');
  });

  it('refuses every truncation and every addition', () => {
    const bytes = encodeSealed(example);
    for (let length = 0; length < bytes.length; length++) expect([length, decodeOr(bytes.subarray(0, length))]).toEqual([length, 'refused']);
    expect(decodeOr(Uint8Array.from([...bytes, 0]))).toBe('refused');
  });

  it('reads the same out of the middle of a larger buffer, and keeps no part of it', () => {
    const bytes = encodeSealed(example);
    const large = new Uint8Array(bytes.length + 20).fill(255);
    large.set(bytes, 10);
    const fields = decodeSealed(large.subarray(10, 10 + bytes.length));
    large.fill(0);
    expect(fields).toEqual(example);
  });

  it('after any flipped bit says other fields or refuses, and never reads outside', () => {
    const bytes = encodeSealed(example);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const fields = decodeOr(flipped);
      expect(fields).not.toEqual(example);
      expect(fields === 'refused' ? bytes.length : encodeSealed(fields).length).toBe(bytes.length);
    }
  });

  it('keeps a byte order mark in a name, and refuses a name that is not UTF-8', () => {
    const bom = [{ path: '\ufeff/a', keyId: 'k', box: new Uint8Array() }];
    expect(decodeSealed(encodeSealed(bom))).toEqual(bom);
    expect(decodeOr(Buffer.from('010001' + '0001' + 'ff' + '0001' + '6b' + '00000000', 'hex'))).toBe('refused');
  });

  it.each([
    ['version', 0],
    ['count', 1],
    ['length of a path', 3],
    ['length of a key id', 10],
    ['length of a box', 48],
  ])('refuses a %s that is too large', (_, at) => {
    const bytes = encodeSealed(example);
    bytes[at] = 0xff;
    expect(decodeOr(bytes)).toBe('refused');
  });

  it('refuses whatever bytes it is not given by itself', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const fields = decodeOr(bytes);
        expect(fields === 'refused' ? bytes : encodeSealed(fields)).toEqual(bytes);
      }),
      { numRuns: 2_000 },
    );
  });
});
