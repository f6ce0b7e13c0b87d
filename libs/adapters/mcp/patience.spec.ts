import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Patience } from './patience.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function waiting(timeoutMs: number, limits: { firstByteTimeoutMs?: number; maxTimeoutMs?: number } = {}): { patience: Patience; over: () => boolean } {
  let isOver = false;
  const patience = new Patience(timeoutMs, limits, () => {
    isOver = true;
  });
  return { patience, over: () => isOver };
}
const pass = (ms: number): void => {
  jest.advanceTimersByTime(ms);
};

describe('patience', () => {
  it('ends with the silence', () => {
    const { over } = waiting(1_000);
    pass(990);
    expect(over()).toBe(false);
    pass(20);
    expect(over()).toBe(true);
  });

  it('begins anew with progress, up to ten times the silence', () => {
    const { patience, over } = waiting(1_000);
    for (let i = 0; i < 12; i++) {
      pass(800);
      patience.progress();
    }
    expect(over()).toBe(false);
    pass(500);
    expect(over()).toBe(true);
  });

  it('has a hard end of its own, whatever is said', () => {
    const { patience, over } = waiting(1_000, { maxTimeoutMs: 1_500 });
    pass(900);
    patience.progress();
    pass(590);
    expect(over()).toBe(false);
    pass(20);
    expect(over()).toBe(true);
  });

  it('is shorter until something begins', () => {
    const late = waiting(1_000, { firstByteTimeoutMs: 200 });
    pass(210);
    expect(late.over()).toBe(true);
    const begun = waiting(1_000, { firstByteTimeoutMs: 200 });
    pass(150);
    begun.patience.begun();
    pass(840);
    expect(begun.over()).toBe(false);
    pass(20);
    expect(begun.over()).toBe(true);
  });

  it('rests while the server waits for us, but not beyond the hard end', () => {
    const { patience, over } = waiting(1_000);
    patience.pause();
    patience.pause();
    pass(5_000);
    patience.resume();
    pass(2_000);
    patience.resume();
    pass(990);
    expect(over()).toBe(false);
    pass(20);
    expect(over()).toBe(true);
    const asked = waiting(1_000);
    asked.patience.pause();
    pass(10_010);
    expect(asked.over()).toBe(true);
  });

  it('is over when it is ended, for good', () => {
    const { patience, over } = waiting(1_000);
    patience.end();
    patience.pause();
    patience.resume();
    pass(100_000);
    expect([over(), jest.getTimerCount()]).toEqual([false, 0]);
  });
});
