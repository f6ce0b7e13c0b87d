import { describe, expect, it } from '@jest/globals';
import type { Refusal } from '#libs/contracts';
import { readJsonBody } from './json-body.ts';

const read = (text: string | Uint8Array): unknown => {
  try {
    return readJsonBody(typeof text === 'string' ? Buffer.from(text) : text);
  } catch (error) {
    return (error as Refusal).code;
  }
};
const nested = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);

describe('a JSON body', () => {
  it('is what was written', () => {
    expect(read('{"verdict":"approve","editedArgs":{"amount":12.5,"constructor":1}}')).toEqual({ verdict: 'approve', editedArgs: { amount: 12.5, constructor: 1 } });
    expect(read(nested(33))).toBeInstanceOf(Object);
  });

  it.each([
    ['a key twice', '{"a":{"b":1,"b":2}}', 'not_canonical'],
    ['a number that would be another one', '{"a":12345678901234567890}', 'not_canonical'],
    ['a number beyond all', '{"a":1e400}', 'not_canonical'],
    ['half of a character', String.raw`{"a":"\ud800"}`, 'not_canonical'],
    ['too deep', nested(34), 'not_canonical'],
    ['a key that copies lose', '{"a":{"__proto__":1}}', 'request_invalid'],
    ['the same, hidden', String.raw`{"a":{"\u005f_proto__":1}}`, 'request_invalid'],
    ['nothing', '', 'request_invalid'],
    ['no JSON', '{"a":', 'request_invalid'],
    ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'request_invalid'],
  ])('is refused: %s', (_, text, code) => {
    expect(read(text)).toBe(code);
  });
});
