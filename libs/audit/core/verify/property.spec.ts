import { describe, expect, it } from '@jest/globals';
import { exitCodeOf, type PropertyResult, Tally, verdictOf } from './property.ts';

const pass: PropertyResult = { property: 'a', status: 'PASS', sentence: '' };
const fail: PropertyResult = { property: 'b', status: 'FAIL', sentence: '' };
const unchecked: PropertyResult = { property: 'c', status: 'NOT CHECKED', sentence: '' };
const notGiven: PropertyResult = { ...unchecked, notGiven: true };

describe('the verdict', () => {
  it.each([
    [1, [pass], 'PASS', 0],
    [1, [pass, notGiven], 'PASS', 0],
    [1, [pass, unchecked], 'INCOMPLETE', 3],
    [1, [fail, unchecked, pass], 'FAIL', 1],
    [0, [pass, notGiven], 'NO ENTRIES', 3],
    [0, [], 'NO ENTRIES', 3],
    // A log that had entries and has none now is not an empty one.
    [0, [fail], 'FAIL', 1],
  ] as const)('over %i entries and %j is %s, exit code %i', (entries, properties, verdict, code) => {
    expect(verdictOf(entries, properties)).toBe(verdict);
    expect(exitCodeOf(verdictOf(entries, properties))).toBe(code);
  });

  it('names the first thing that is wrong and counts the others', () => {
    const tally = new Tally('p');
    expect(tally.result('fine')).toEqual({ property: 'p', status: 'PASS', sentence: 'fine' });
    tally.fail('first', 7);
    tally.fail('second', 3);
    expect(tally.result('fine')).toEqual({ property: 'p', status: 'FAIL', sentence: 'first (and 1 more)', index: 7 });
  });
});
