import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compare } from './compare.ts';
import { redact, redactText } from './redact.ts';

const all = ['email', 'card', 'iban', 'secret'] as const;
const TOKEN = `hf_${'aB3'.repeat(15)}`;

describe('what is hidden from who only looks', () => {
  it.each([
    ['an address', 'write to ada.lovelace+x@mail.acme.test, please', ['email'], 'write to [email hidden], please'],
    ['two addresses', 'a@b.test;c@d.test', ['email'], '[email hidden];[email hidden]'],
    ['an address of another alphabet', 'an ünal@exämple.test hier', ['email'], 'an [email hidden] hier'],
    ['no address', 'an @mention, a@b, 5 @ 3.20', ['email'], 'an @mention, a@b, 5 @ 3.20'],
    ['a card', 'card 4111 1111 1111 1111 exp 12/29', ['card'], 'card [card hidden] exp 12/29'],
    ['a card with a year after it', '4111-1111-1111-1111 2027', ['card'], '[card hidden] 2027'],
    ['digits that are no card', 'order 4111111111111112', ['card'], 'order 4111111111111112'],
    ['too many digits', '41111111111111111111111111', ['card'], '41111111111111111111111111'],
    ['an IBAN', 'to DE89370400440532013000.', ['iban'], 'to [iban hidden].'],
    ['an IBAN in groups', 'to GB82 WEST 1234 5698 7654 32 today', ['iban'], 'to [iban hidden] today'],
    ['a wrong IBAN', 'DE88370400440532013000', ['iban'], 'DE88370400440532013000'],
    ['a token of ours', `use ${TOKEN} now`, ['secret'], 'use [secret hidden] now'],
    ['a token with its name', `GITHUB_TOKEN=ghp_${'a1B2'.repeat(9)}`, ['secret'], 'GITHUB_TOKEN=[secret hidden]'],
    ['a long random piece', 'x aZ9/aZ9+aZ9aZ9aZ9aZ9aZ9aZ9aZ9aZ9aZ9==', ['secret'], 'x [secret hidden]'],
    ['a key in PEM', 'a -----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- b', ['secret'], 'a [secret hidden] b'],
    ['ids and words', '0199d0c4-7c1d-7a00-8000-000000000118 Donaudampfschifffahrtsgesellschaft', ['secret'], '0199d0c4-7c1d-7a00-8000-000000000118 Donaudampfschifffahrtsgesellschaft'],
    ['what nobody asked to hide', 'a@b.test 4111111111111111', ['iban'], 'a@b.test 4111111111111111'],
  ] as const)('%s', (_, text, kinds, expected) => {
    expect(redactText(text, [...kinds]).value).toBe(expected);
  });

  it('in every place of a value: members, their names, numbers, lists', () => {
    const { value, hidden } = redact({ to: ['a@b.test', { 'c@d.test': 4111111111111111 }], api_key: 'short', amount: 5, none: null, password: '' }, all);
    expect(value).toEqual({ to: ['[email hidden]', { '[email hidden]': '[card hidden]' }], api_key: '[secret hidden]', amount: 5, none: null, password: '' });
    expect(hidden).toBe(4);
  });

  it('keeps two members apart whose names are hidden', () => {
    expect(redact({ 'a@b.test': 1, 'c@d.test': 2 }, all).value).toEqual({ '[email hidden]': 1, '[email hidden] (2)': 2 });
  });

  it('changes nothing where there is nothing to hide, and leaves nothing of what it hid', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        expect(redactText(`${before} ada@acme.test ${after}`, ['email']).value).not.toContain('ada@acme.test');
      }),
    );
    fc.assert(fc.property(fc.json(), (json) => expect(redact(JSON.parse(json), []).value).toEqual(JSON.parse(json))));
  });

  it.each(['@', 'a@', '1 ', '4111-', 'AA00', 'AA00 ', '-----BEGIN ', 'aB3=', '1'])('takes a text of nothing but %j in one go', (piece) => {
    expect(redactText(piece.repeat(300_000), all).value.length).toBeGreaterThan(0);
  });
});

describe('what differs from an earlier call', () => {
  it('is told place by place', () => {
    const before = { a: 1, b: { c: [1, 2], 'd/e': 'x' }, gone: true };
    const after = { a: 2, b: { c: [1, 2, 3], 'd/e': 'x' }, new: null };
    expect(compare(before, after)).toEqual({
      differences: [
        { path: '/a', kind: 'changed', before: 1, after: 2 },
        { path: '/b/c/2', kind: 'added', after: 3 },
        { path: '/gone', kind: 'removed', before: true },
        { path: '/new', kind: 'added', after: null },
      ],
      more: false,
    });
    expect(compare(before, before)).toEqual({ differences: [], more: false });
    expect(compare([1], { 0: 1 }).differences).toHaveLength(1);
  });

  it('is bounded', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i]));
    const { differences, more } = compare({}, many);
    expect([differences.length, more]).toEqual([200, true]);
  });
});
