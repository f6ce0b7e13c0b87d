import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Histogram } from './histogram.ts';

const of = (values: readonly number[]): Histogram => {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
};

describe('Histogram', () => {
  it('is exact for small values', () => {
    const histogram = of(Array.from({ length: 100 }, (_, i) => i + 1));
    expect([50, 90, 99, 100].map((percent) => histogram.percentile(percent))).toEqual([50, 90, 99, 100]);
    expect(histogram.mean).toBe(50.5);
    expect(histogram.count).toBe(100);
  });

  it('never reports less than the true percentile and at most 0.8 % more, over six orders of magnitude', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2_000_000_000 }), { minLength: 1, maxLength: 300 }), fc.constantFrom(1, 50, 90, 99, 99.9, 100), (values, percent) => {
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1]!;
        const found = of(values).percentile(percent);
        expect(found).toBeGreaterThanOrEqual(exact);
        expect(found).toBeLessThanOrEqual(exact * 1.008);
      }),
    );
  });

  it('keeps the maximum exactly, so one stall cannot hide in a bucket', () => {
    expect(of([1, 1, 1, 1_234_567]).max).toBe(1_234_567);
    expect(of([1, 1, 1, 1_234_567]).percentile(100)).toBe(1_234_567);
  });

  it('takes values it has no bucket for as the nearest it has', () => {
    expect(of([-5, 1e18]).percentile(50)).toBe(0);
    expect(of([-5, 1e18]).max).toBe(2 ** 31 - 1);
  });

  it('of nothing is zero', () => {
    expect(of([]).percentile(99)).toBe(0);
    expect(of([]).mean).toBe(0);
  });
});
