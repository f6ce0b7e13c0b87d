import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { memberText, withMember, withoutMember } from './json-text.ts';

describe('cutting JSON text', () => {
  it.each([
    ['{"a":1}', ['a'], '1'],
    [' { "x" : "}" , "a" : { "b" : [1.50, {"c":"\\"]"}] } } ', ['a', 'b'], '[1.50, {"c":"\\"]"}]'],
    ['{"\\u0061":true}', ['a'], 'true'],
    ['{"a":1,"a":2}', ['a'], '2'],
    ['{"a":"\\\\"}', ['a'], '"\\\\"'],
    ['{"a":-1.5e-3}', ['a'], '-1.5e-3'],
    ['{"b":1}', ['a'], undefined],
    ['{}', ['a'], undefined],
    ['[{"a":1}]', ['a'], undefined],
    ['{"a":[{"b":1}]}', ['a', 'b'], undefined],
  ])('%s at %j is %s', (text, path, expected) => {
    expect(memberText(text, ...path)).toBe(expected);
  });

  it('finds what JSON.parse finds, in any JSON and any layout', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 1, '\t', ' \r\n'), (value, indent) => {
        const text = JSON.stringify(value, null, typeof indent === 'number' ? indent : '  ').replaceAll(
          '\n  ',
          typeof indent === 'string' ? `\n${indent}` : '\n  ',
        );
        const parsed = JSON.parse(text) as Record<string, unknown>;
        for (const key of Object.keys(parsed)) expect(JSON.parse(memberText(text, key)!)).toEqual(parsed[key]);
      }),
    );
  });

  it('takes a member out and puts one in, leaving the rest as it is', () => {
    expect(withoutMember('{ "a":1.0, "b" : [ 2 ], "c":3 }', 'b')).toBe('{"a":1.0,"c":3}');
    expect(withoutMember('{ "a":1.0 }', 'b')).toBe('{ "a":1.0 }');
    expect(withoutMember('{"b":1}', 'b')).toBe('{}');
    expect(withMember(' {"a":1.0}', 'b', '"x"')).toBe('{"b":"x","a":1.0}');
    expect(withMember('{ }', 'b', '2')).toBe('{"b":2 }');
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (value, key) => {
        const text = JSON.stringify(value);
        const { [key]: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
        const without = withoutMember(text, key);
        expect(JSON.parse(without)).toEqual(rest);
        const added = JSON.parse(withMember(without, key, '7')) as object;
        expect(Object.entries(added)).toContainEqual([key, 7]);
        expect(Object.keys(added)).toHaveLength(Object.keys(rest).length + 1);
      }),
    );
  });
});
