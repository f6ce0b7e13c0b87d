import { describe, expect, it } from '@jest/globals';
import { summaryOf } from './summary.ts';

describe('summaryOf', () => {
  it('has a line for each member, short and on one line', () => {
    expect(summaryOf({ amount: 700, note: `a\nb${'c'.repeat(200)}`, list: [1, { a: 2 }] })).toEqual(['amount: 700', `note: a b${'c'.repeat(76)}…`, 'list: [1,{"a":2}]']);
  });

  it('hides what detectors know, also where it would be cut', () => {
    const [line] = summaryOf({ to: `${'x'.repeat(60)} write to grace@acme.test` });
    expect(line).not.toMatch(/grace/);
  });

  it('is bounded', () => {
    expect(summaryOf(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, i])))).toHaveLength(13);
    expect(summaryOf(null)).toEqual([]);
  });
});
