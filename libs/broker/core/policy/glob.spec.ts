import { describe, expect, it } from '@jest/globals';
import { compileGlob, compileGlobs, compileRestriction } from './glob.ts';

describe('globs', () => {
  it.each([
    ['refund', 'refund', true],
    ['refund', 'refunds', false],
    ['*', '', true],
    ['billing__*', 'billing__refund', true],
    ['billing__*', 'crm__refund', false],
    ['*_get', 'invoice_get', true],
    ['*_get', '_get', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'acb', false],
    ['ab*ba', 'aba', false],
    ['a**b', 'ab', true],
    ['*.+?', 'x.+?', true],
    ['[a-z]*', 'abc', false],
  ])('%s on %s: %s', (pattern, name, fits) => {
    expect(compileGlob(pattern)(name)).toBe(fits);
  });

  it('does the same as the obvious regular expression', () => {
    const alphabet = ['a', 'b', '*'];
    const all = (length: number): string[] => (length === 0 ? [''] : all(length - 1).flatMap((text) => alphabet.map((c) => text + c)));
    const names = [1, 2, 3, 4, 5].flatMap(all).filter((name) => !name.includes('*'));
    for (const pattern of [1, 2, 3, 4].flatMap(all)) {
      const reference = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
      const glob = compileGlob(pattern);
      for (const name of names) expect([pattern, name, glob(name)]).toEqual([pattern, name, reference.test(name)]);
    }
  });

  it('no patterns fit nothing, no restriction fits everything', () => {
    expect(compileGlobs([])('x')).toBe(false);
    expect(compileRestriction([])('x')).toBe(true);
    expect(compileRestriction(undefined)('x')).toBe(true);
    expect(compileRestriction(['y'])('x')).toBe(false);
  });
});
