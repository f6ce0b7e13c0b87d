import { describe, expect, it } from '@jest/globals';
import { combinations, delayOf, ERAS, listOf, nameOf, oneOf, payloadOf, QUICK, serverOf, UPSTREAMS } from './matrix.ts';

describe('the matrix', () => {
  it.each([
    ['20', 20],
    ['10k', 10_000],
    ['1m', 1_000_000],
    ['1M', 1_000_000],
  ])('reads %s as %d bytes', (text, bytes) => {
    expect(payloadOf(text)).toBe(bytes);
  });

  it.each(['', '0', '19', '-20', '1.5k', '10kb', '4m', '9999999m', 'k'])('takes no payload of %j', (text) => {
    expect(() => payloadOf(text)).toThrow('a payload is');
  });

  it.each(['', '-1', '0.5', '10001', '5s'])('takes no delay of %j', (text) => {
    expect(() => delayOf(text)).toThrow('a delay is');
  });

  it('names what it does not know', () => {
    expect(() => listOf('http,sse', oneOf(UPSTREAMS))).toThrow('not one of http, stdio: sse');
    expect(listOf('modern, legacy,modern', oneOf(ERAS))).toEqual(['modern', 'legacy']);
  });

  it('has every combination once, each with a name of its own', () => {
    const all = combinations({ payloads: [20, 10_000, 1_000_000], delays: [0, 50], upstreams: UPSTREAMS, eras: ERAS });
    expect(all).toHaveLength(24);
    expect(new Set(all.map(nameOf)).size).toBe(24);
    expect(new Set(all.map(serverOf))).toEqual(new Set(['echo', 'echo-modern', 'echo-stdio', 'echo-stdio-modern']));
    expect(all).toContainEqual(QUICK);
    expect(nameOf(QUICK)).toBe('20 B, 0 ms, http upstream, legacy client');
  });
});
