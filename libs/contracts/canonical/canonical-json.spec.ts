import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonicalJson, MAX_DEPTH, NotCanonical } from './canonical-json.ts';
import { parseStrictJson } from './strict-json.ts';

const vectors = join(import.meta.dirname, 'vectors');
const texts = JSON.parse(readFileSync(join(vectors, 'texts.json'), 'utf8')) as { name: string; input: string; output: string }[];
const numbers = JSON.parse(readFileSync(join(vectors, 'numbers.json'), 'utf8')) as { finite: Record<string, string>; refused: string[] };

/** What an action is refused for, and where. */
function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof NotCanonical) return `${error.reason} at ${error.pointer}`;
    throw error;
  }
  return 'nothing';
}

const double = (bits: string): number => Buffer.from(bits, 'hex').readDoubleBE();
const nested = (depth: number, inner: unknown = 1): unknown => Array.from({ length: depth }).reduce<unknown>((value) => [value], inner);

describe('canonicalJson', () => {
  it.each(texts)('writes the official vector "$name"', ({ input, output }) => {
    expect(canonicalJson(JSON.parse(input))).toBe(output);
    expect(Buffer.from(canonicalJson(JSON.parse(input)))).toEqual(Buffer.from(output));
  });

  it.each(Object.entries(numbers.finite))('writes the number %s of appendix B as %s', (bits, text) => {
    expect(canonicalJson(double(bits))).toBe(text);
  });

  it.each(numbers.refused)('refuses the number %s, which JSON has not', (bits) => {
    expect(refusal(() => canonicalJson({ a: [double(bits)] }))).toBe('number at /a/0');
  });

  it('equals the reference implementation on any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8, stringUnit: 'grapheme' }), (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value));
      }),
      { numRuns: 2_000 },
    );
  });

  it('equals the reference implementation on keys and strings of any well-formed code points', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.oneof(fc.string({ unit: 'binary' }), fc.double({ noNaN: true, noDefaultInfinity: true }))), (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is read back by the strict parser as the same value, and then written the same', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8, stringUnit: 'binary' }), (value) => {
        const text = canonicalJson(value);
        const back = parseStrictJson(text);
        // Minus zero is zero in JSON.
        expect(back).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(back)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[string, unknown, string]>([
    ['{"__proto__":1}', JSON.parse('{"__proto__":1}'), '{"__proto__":1}'],
    ['a key named toJSON', { toJSON: 'not a function', a: 1 }, '{"a":1,"toJSON":"not a function"}'],
    ['a key named constructor', { constructor: { prototype: 1 } }, '{"constructor":{"prototype":1}}'],
    ['an object without a prototype', Object.assign(Object.create(null), { b: 1, a: 2 }), '{"a":2,"b":1}'],
    ['members that are undefined', { a: undefined, b: 1 }, '{"b":1}'],
    ['minus zero', -0, '0'],
    ['U+2028 as it is', '\u2028', '"\u2028"'],
    ['DEL as it is', '\u007f', '"\u007f"'],
    ['control characters in lower case', '\u001f\u0000', '"\\u001f\\u0000"'],
  ])('writes %s', (_, value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it.each<[string, unknown, string]>([
    ['a lone high surrogate', { a: ['\ud800'] }, 'lone_surrogate at /a/0'],
    ['a lone low surrogate in a key', { a: { '\udc00': 1 } }, 'lone_surrogate at /a/\udc00'],
    ['a pair in the wrong order', '\udc00\ud800', 'lone_surrogate at '],
    ['NaN', [NaN], 'number at /0'],
    ['infinity', { x: -Infinity }, 'number at /x'],
    ['a bigint', [1n], 'not_json at /0'],
    ['undefined', undefined, 'not_json at '],
    ['a hole in an array', Object.assign([], { length: 2 }), 'not_json at /0'],
    ['a function', { f: () => 1 }, 'not_json at /f'],
    ['a symbol', { s: Symbol('s') }, 'not_json at /s'],
    ['a date', { d: new Date(0) }, 'not_json at /d'],
    ['a map', { m: new Map() }, 'not_json at /m'],
    ['bytes', { b: new Uint8Array(2) }, 'not_json at /b'],
    ['an object of a class', { o: new (class Thing {})() }, 'not_json at /o'],
    ['a boxed string', { o: Object('x') }, 'not_json at /o'],
    ['a pointer with special characters', { 'a/b~c': [undefined] }, 'not_json at /a~1b~0c/0'],
  ])('refuses %s', (_, value, reason) => {
    expect(refusal(() => canonicalJson(value))).toBe(reason);
  });

  it('never calls a toJSON function of the data', () => {
    expect(refusal(() => canonicalJson({ toJSON: () => 'harmless' }))).toBe('not_json at /toJSON');
  });

  it('nests as deep as allowed and no deeper', () => {
    expect(canonicalJson(nested(MAX_DEPTH))).toBe(`${'['.repeat(MAX_DEPTH)}1${']'.repeat(MAX_DEPTH)}`);
    expect(refusal(() => canonicalJson(nested(MAX_DEPTH + 1)))).toBe(`depth at ${'/0'.repeat(MAX_DEPTH)}`);
  });

  it('refuses a value that holds itself instead of running out of stack', () => {
    const loop: unknown[] = [];
    loop.push(loop);
    expect(refusal(() => canonicalJson(loop))).toContain('depth at ');
  });

  it('names the place and never the value', () => {
    expect(() => canonicalJson({ token: 'hunter2\ud800' })).toThrow(/^lone surrogate in a string at \/token$/);
  });
});
