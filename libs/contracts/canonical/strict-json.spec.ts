import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, MAX_DEPTH, NotCanonical } from './canonical-json.ts';
import { parseStrictJson, roundTrips } from './strict-json.ts';

function refusal(text: string, maxDepth?: number): string {
  try {
    parseStrictJson(text, maxDepth);
  } catch (error) {
    if (error instanceof NotCanonical) return `${error.reason} at ${error.pointer}`;
    throw error;
  }
  return 'nothing';
}

describe('parseStrictJson', () => {
  it.each([
    ['{"a":1,"a":1}', 'duplicate_key at /a'],
    ['{"a":1,"\\u0061":2}', 'duplicate_key at /a'],
    ['{"a/b":{"x":1,"y":2,"x":3}}', 'duplicate_key at /a~1b/x'],
    ['[{"k":1},{"k":1,"\\u006B":1}]', 'duplicate_key at /1/k'],
    ['{"":1,"":2}', 'duplicate_key at /'],
    ['{"__proto__":1,"__proto__":2}', 'duplicate_key at /__proto__'],
    ['{"é":1,"\\u00e9":2}', 'duplicate_key at /é'],
    ['{"\\ud83d\\ude02":1,"😂":2}', 'duplicate_key at /😂'],
    ['{"a":{"b":1},"b":{"a":1},"a":2}', 'duplicate_key at /a'],
    ['"\\ud800"', 'lone_surrogate at '],
    ['["\\udc00\\ud800"]', 'lone_surrogate at /0'],
    ['{"a":"x\\uD83D"}', 'lone_surrogate at /a'],
    ['{"\\udfff":1}', 'lone_surrogate at /\udfff'],
    ['9007199254740993', 'number at '],
    ['{"n":[1,123456789012345678901]}', 'number at /n/1'],
    ['1e400', 'number at '],
    ['-1e400', 'number at '],
    ['[0.1000000000000000055511151231257827]', 'number at /0'],
    ['1e-400', 'number at '],
    ['333333333.33333329', 'number at '],
    ['', 'not_json at '],
    ['{"a":1,}', 'not_json at '],
    ["{'a':1}", 'not_json at '],
    ['NaN', 'not_json at '],
    ['01', 'not_json at '],
    ['1 2', 'not_json at '],
    ['\ufeff1', 'not_json at '],
    ['"\u0000"', 'not_json at '],
  ])('refuses %j', (text, reason) => {
    expect(refusal(text)).toBe(reason);
  });

  it.each<[string, unknown]>([
    ['{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}', { a: { a: { a: 1 } }, b: [{ a: 1 }, { a: 1 }] }],
    ['{"a\\"b":"{\\"a\\":1,\\"a\\":2}","c\\\\":"\\\\"}', { 'a"b': '{"a":1,"a":2}', 'c\\': '\\' }],
    ['[1.0,1e2,1E+2,-0,-0.0,0e0,100,0.10,12345678901234567e3]', [1, 100, 100, -0, -0, 0, 100, 0.1, 12345678901234567e3]],
    ['  [ ] ', []],
    ['"\\ud83d\\ude02"', '😂'],
    ['[9007199254740992,5e-324,1.7976931348623157e308]', [9007199254740992, 5e-324, 1.7976931348623157e308]],
  ])('accepts %s', (text, value) => {
    expect(parseStrictJson(text)).toEqual(value);
  });

  it('gives a key named __proto__ to the object and not to its prototype', () => {
    const value = parseStrictJson('{"__proto__":{"admin":true}}') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  it('counts arrays and objects as depth, but not brackets in strings', () => {
    expect(refusal(`${'[{"a":'.repeat(MAX_DEPTH / 2)}1${'}]'.repeat(MAX_DEPTH / 2)}`)).toBe('nothing');
    expect(refusal('['.repeat(MAX_DEPTH + 1) + ']'.repeat(MAX_DEPTH + 1))).toContain('depth at /0/0');
    expect(refusal(`"${'['.repeat(1000)}"`)).toBe('nothing');
    expect(refusal('[[1]]', 1)).toBe('depth at /0');
    expect(refusal('1', 0)).toBe('nothing');
  });

  it('refuses very deep text before it can exhaust the stack', () => {
    expect(refusal('['.repeat(3_000) + ']'.repeat(3_000))).toContain('depth');
  });

  it('accepts exactly what has one meaning: JSON.stringify of any value, in any spacing', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        expect(canonicalJson(parseStrictJson(JSON.stringify(value, null, space)))).toBe(canonicalJson(value));
      }),
      { numRuns: 1_000 },
    );
  });

  it('finds a duplicate wherever it is put, in whatever spelling', () => {
    const key = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 });
    const escaped = (text: string): string => `"${[...Array(text.length).keys()].map((i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`;
    fc.assert(
      fc.property(key, fc.uniqueArray(key, { maxLength: 5 }), fc.nat(5), (twice, others, at) => {
        const members = others.filter((other) => other !== twice).map((other) => `${JSON.stringify(other)}:1`);
        members.splice(Math.min(at, members.length), 0, `${escaped(twice)}:[]`);
        expect(refusal(`{${members.join(',')}}`)).toBe('nothing');
        expect(refusal(`{${members.join(',')},${JSON.stringify(twice)}:{}}`)).toContain('duplicate_key at /');
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('roundTrips', () => {
  it('holds for every double as JavaScript prints it', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => expect(roundTrips(JSON.stringify(value))).toBe(true)), { numRuns: 2_000 });
  });

  it('holds for an integer exactly when a double can hold it', () => {
    fc.assert(fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), (value) => expect(roundTrips(value.toString())).toBe(String(Number(value)) === value.toString())), { numRuns: 2_000 });
  });

  it('is quick about hostile digits', () => {
    expect(roundTrips(`1${'0'.repeat(100_000)}`)).toBe(false);
    expect(roundTrips(`0.${'0'.repeat(100_000)}1`)).toBe(false);
    expect(roundTrips(`1.${'0'.repeat(100_000)}`)).toBe(true);
    expect(roundTrips(`${'0.'}${'1'.repeat(100_000)}`)).toBe(false);
  });
});
