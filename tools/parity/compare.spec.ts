import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type AllowedDifference, checkAllowed, compare, type Verdict, verdictsOf } from './compare.mjs';

const SET = '2025-11-25';

const verdict = (check: string, status: string, over: Partial<Verdict> = {}): Verdict => ({ set: SET, scenario: 'lists', check, scored: true, status, ...over });
const allowed = (check: string, direct: string, through: string): AllowedDifference => ({ set: SET, scenario: 'lists', check, direct, through, reason: 'It is meant to be so.' });

describe('verdictsOf', () => {
  const of = (...checks: { id: string; status: string; errorMessage?: string }[]): string[] =>
    verdictsOf({ set: SET, scenario: 'lists', scored: true, checks }).map(({ check, status, message }) => [check, status, message].filter(Boolean).join(' '));

  it('has one verdict for each check: the worst of those it got', () => {
    expect(of({ id: 'a', status: 'SUCCESS' }, { id: 'b', status: 'INFO' }, { id: 'a', status: 'FAILURE', errorMessage: 'why' }, { id: 'a', status: 'WARNING' }, { id: 'b', status: 'SUCCESS' })).toEqual(['a FAILURE why', 'b SUCCESS']);
  });

  it('takes a status that nobody knows for the worst', () => {
    expect(of({ id: 'a', status: 'WARNING' }, { id: 'a', status: 'EXPLODED' })).toEqual(['a EXPLODED']);
  });

  it('calls a scenario without any check failed', () => {
    expect(of()).toEqual(['lists FAILURE The suite wrote no result.']);
  });
});

describe('compare', () => {
  it('passes when both runs say the same, failures of what is not scored included', () => {
    const both = [verdict('a', 'SUCCESS'), verdict('b', 'FAILURE', { scored: false })];
    expect(compare({ direct: both, through: both })).toMatchObject({ passed: true, differences: [], failing: [], score: { direct: { [SET]: { passed: 1, of: 1 } }, through: { [SET]: { passed: 1, of: 1 } } } });
  });

  it('does not pass when nothing was run', () => {
    expect(compare({ direct: [], through: [] }).passed).toBe(false);
    expect(compare({ direct: [] }).passed).toBe(false);
  });

  it('does not pass when a scored check fails directly, even when it fails through Holdfast as well', () => {
    const both = [verdict('a', 'FAILURE')];
    expect(compare({ direct: both, through: both })).toMatchObject({ passed: false, failing: both, differences: [] });
  });

  it.each([
    ['another verdict', [verdict('a', 'SUCCESS')], [verdict('a', 'FAILURE', { message: 'why' })], 'SUCCESS', 'FAILURE'],
    ['a better one', [verdict('a', 'WARNING')], [verdict('a', 'SUCCESS')], 'WARNING', 'SUCCESS'],
    ['a check that is missing', [verdict('a', 'SUCCESS')], [], 'SUCCESS', 'ABSENT'],
    ['a check that is new', [verdict('b', 'SUCCESS')], [verdict('b', 'SUCCESS'), verdict('a', 'FAILURE')], 'ABSENT', 'FAILURE'],
    ['a success that became a remark', [verdict('a', 'SUCCESS')], [verdict('a', 'INFO')], 'SUCCESS', 'INFO'],
    ['one that is not scored', [verdict('a', 'SUCCESS', { scored: false })], [verdict('a', 'FAILURE', { scored: false })], 'SUCCESS', 'FAILURE'],
  ])('finds %s', (_name, direct, through, was, is) => {
    const outcome = compare({ direct, through });
    expect(outcome).toMatchObject({ passed: false, differences: [{ set: SET, scenario: 'lists', check: 'a', direct: was, through: is }] });
    expect(compare({ direct, through, allowed: [allowed('a', was, is)] })).toMatchObject({ passed: true, differences: [{ allowed: 'It is meant to be so.' }], unused: [] });
  });

  it('does not count remarks that only one of them made', () => {
    expect(compare({ direct: [verdict('a', 'SUCCESS'), verdict('event', 'INFO')], through: [verdict('a', 'SUCCESS'), verdict('reply', 'INFO')] })).toMatchObject({ passed: true, differences: [] });
  });

  it('keeps the requirement sets apart', () => {
    const later = { set: '2026-07-28' };
    const outcome = compare({ direct: [verdict('a', 'SUCCESS'), verdict('a', 'SUCCESS', later)], through: [verdict('a', 'SUCCESS'), verdict('a', 'FAILURE', later)], allowed: [allowed('a', 'SUCCESS', 'FAILURE')] });
    expect(outcome).toMatchObject({ passed: false, differences: [later], unused: [{ set: SET }] });
    expect(outcome.differences[0]?.allowed).toBeUndefined();
  });

  it.each([
    ['is none any more', 'SUCCESS'],
    ['is another one', 'WARNING'],
  ])('refuses an allowed difference that %s', (_name, now) => {
    const entry = allowed('a', 'SUCCESS', 'FAILURE');
    expect(compare({ direct: [verdict('a', 'SUCCESS')], through: [verdict('a', now)], allowed: [entry] })).toMatchObject({ passed: false, unused: [entry] });
  });

  it('asks only for the allowed differences that this run can show', () => {
    const both = [verdict('a', 'SUCCESS', { scenario: 'prompts' })];
    const outcome = compare({ direct: both, through: both, allowed: [allowed('a', 'SUCCESS', 'FAILURE')], mustOccur: ({ scenario }) => scenario === 'prompts' });
    expect(outcome).toMatchObject({ passed: true, unused: [] });
  });

  it('tells differences scenario by scenario, in the order of the suite', () => {
    const direct = [verdict('a', 'SUCCESS'), verdict('b', 'SUCCESS', { scenario: 'prompts' })];
    const through = [verdict('a', 'FAILURE'), verdict('c', 'FAILURE'), verdict('b', 'FAILURE', { scenario: 'prompts' })];
    expect(compare({ direct, through }).differences.map(({ check }) => check)).toEqual(['a', 'c', 'b']);
  });
});

describe('checkAllowed', () => {
  it('takes the committed list', () => {
    const entries: unknown = JSON.parse(readFileSync(join(import.meta.dirname, 'allowed.json'), 'utf8'));
    expect(checkAllowed(entries)).toBe(entries);
  });

  it.each([
    ['has no reason', [{ ...allowed('a', 'SUCCESS', 'FAILURE'), reason: ' ' }]],
    ['has no check', [{ ...allowed('a', 'SUCCESS', 'FAILURE'), check: undefined }]],
    ['names no requirement set', [{ ...allowed('a', 'SUCCESS', 'FAILURE'), set: '2024-11-05' }]],
    ['stands there twice', [allowed('a', 'SUCCESS', 'FAILURE'), allowed('a', 'SUCCESS', 'WARNING')]],
  ])('refuses an entry that %s', (problem, entries) => {
    expect(() => checkAllowed(entries)).toThrow(problem);
  });
});
