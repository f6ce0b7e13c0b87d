import { describe, expect, it } from '@jest/globals';
import { isSameOrigin } from './same-origin.ts';

describe('where a form comes from', () => {
  it.each([
    ['the own page', { host: 'a:1', origin: 'http://a:1', 'sec-fetch-site': 'same-origin' }, true],
    ['the own page under no-referrer', { host: 'a:1', origin: 'null', 'sec-fetch-site': 'same-origin' }, true],
    ['an old browser that says its origin', { host: 'a:1', origin: 'http://a:1' }, true],
    ['another host', { host: 'a:1', origin: 'http://b:1' }, false],
    ['another port', { host: 'a:1', origin: 'http://a:2', 'sec-fetch-site': 'same-site' }, false],
    ['a name that begins alike', { host: 'a', origin: 'http://a.evil.test' }, false],
    ['another site that claims ours', { host: 'a:1', origin: 'http://a:1', 'sec-fetch-site': 'cross-site' }, false],
    ['a sandboxed frame', { host: 'a:1', origin: 'null', 'sec-fetch-site': 'cross-site' }, false],
    ['nobody says', { host: 'a:1' }, false],
    ['nobody says more than null', { host: 'a:1', origin: 'null' }, false],
    ['nonsense', { host: 'a:1', origin: 'a:1' }, false],
  ])('%s', (_, headers, expected) => {
    expect(isSameOrigin(headers)).toBe(expected);
  });
});
