import { describe, expect, it } from '@jest/globals';
import { QUICK } from './matrix.ts';
import { readOptions } from './options.ts';

describe('the options of the bench', () => {
  it('mean the quick matrix when nothing is said', () => {
    expect(readOptions([])).toMatchObject({ rounds: 3, seconds: 5, sessions: [1, 8, 32], combinations: [QUICK], only: ['direct', 'relay', 'holdfast'] });
  });

  it('combine', () => {
    const options = readOptions(['--payload', '20,10k,1m', '--delay', '0,50', '--upstream', 'http,stdio', '--era', 'modern,legacy', '--sessions', '8']);
    expect(options?.combinations).toHaveLength(24);
    expect(options?.combinations.at(-1)).toEqual({ payload: 1_000_000, delayMs: 50, upstream: 'stdio', era: 'legacy' });
  });

  it.each([['--rounds', '0'], ['--seconds', 'x'], ['--sessions', '1,,8'], ['--only', 'nobody'], ['--era', 'future'], ['--what', '1']])('refuse %s %s', (...args) => {
    expect(() => readOptions(args)).toThrow();
  });

  it('say nothing more when asked for help', () => {
    expect(readOptions(['--help'])).toBeUndefined();
  });
});
