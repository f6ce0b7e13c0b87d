import { describe, expect, it } from '@jest/globals';
import { Breaker } from './breaker.ts';

describe('the breaker', () => {
  it('forgives a few failures, then pauses longer and longer within a bound', () => {
    let nowMs = 0;
    const breaker = new Breaker({ forgiven: 2, nowMs: () => nowMs });
    expect([breaker.failed(), breaker.failed(), breaker.pauseMs]).toEqual([false, false, 0]);
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) {
      expect(breaker.failed()).toBe(true);
      pauses.push(breaker.pauseMs);
      nowMs += breaker.pauseMs;
      expect(breaker.pauseMs).toBe(0);
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000, 8_000]);
  });

  it('takes many failures at once for one', () => {
    let nowMs = 0;
    const breaker = new Breaker({ forgiven: 2, nowMs: () => nowMs });
    expect(Array.from({ length: 64 }, () => breaker.failed()).filter(Boolean)).toHaveLength(1);
    expect(breaker.pauseMs).toBe(1_000);
    nowMs = 1_000;
    expect([breaker.failed(), breaker.pauseMs]).toEqual([true, 2_000]);
  });

  it('forgets everything with a success', () => {
    const breaker = new Breaker({ forgiven: 0, nowMs: () => 5 });
    breaker.failed();
    breaker.succeeded();
    expect(breaker.pauseMs).toBe(0);
    breaker.failed();
    expect(breaker.pauseMs).toBe(1_000);
  });
});
