import { describe, expect, it } from '@jest/globals';
import { isMissing, MAX_MISSING_RANGES, newProducer, type Placement, place, type ProducerState } from './producer-sequence.ts';

const digest = (seq: number): string => `digest-${seq}`;
const prev = (seq: number): string => (seq === 1 ? '' : digest(seq - 1));

function arrive(seqs: readonly number[]): { state: ProducerState; last: Placement } {
  let last: Placement = { state: newProducer('acme', 'p'), chainBroken: false, opened: null, closed: null };
  for (const seq of seqs) last = place(last.state, seq, prev(seq), digest(seq));
  return { state: last.state, last };
}

describe('place', () => {
  it('follows a dense sequence', () => {
    expect(arrive([1, 2, 3])).toMatchObject({ state: { next: 4, last: digest(3), missing: [] }, last: { chainBroken: false, opened: null } });
  });

  it('opens a hole and closes it with the last missing event, in whatever order they come', () => {
    expect(arrive([1, 5]).last.opened).toEqual({ from: 2, to: 4 });
    expect(arrive([1, 5, 3]).state.missing.map(({ from, to }) => [from, to])).toEqual([[2, 2], [4, 4]]);
    expect(arrive([1, 5, 3, 4]).last.closed).toBeNull();
    expect(arrive([1, 5, 3, 4, 2]).last).toMatchObject({ closed: 2, chainBroken: false, state: { missing: [], next: 6 } });
    expect(arrive([1, 5, 2, 3, 4]).last.closed).toBe(2);
  });

  it('holds a late event against both neighbours', () => {
    const { state } = arrive([1, 5]);
    expect(place(state, 2, 'forged', digest(2)).chainBroken).toBe(true);
    expect(place(state, 4, digest(3), 'forged').chainBroken).toBe(true);
    const middle = place(state, 3, digest(2), 'forged').state;
    expect(place(middle, 4, digest(3), digest(4)).chainBroken).toBe(true);
    expect(place(middle, 2, digest(1), digest(2)).chainBroken).toBe(false);
  });

  it('says when an event does not follow from the one before', () => {
    expect(place(arrive([1, 2]).state, 3, 'forged', digest(3)).chainBroken).toBe(true);
    expect(place(newProducer('acme', 'p'), 1, 'not empty', digest(1)).chainBroken).toBe(true);
  });

  it('waits for a bounded number of holes', () => {
    const every = Array.from({ length: MAX_MISSING_RANGES + 20 }, (_, i) => 2 * i + 2);
    const { state } = arrive(every);
    expect(state.missing).toHaveLength(MAX_MISSING_RANGES);
    expect(isMissing(state, 1)).toBe(true);
    expect(isMissing(state, every.at(-1)! - 1)).toBe(false);
    expect(place({ ...state, missing: [{ gap: 1, from: 1, to: 99, before: '', after: '' }, ...state.missing.slice(1)] }, 50, '', '').state.missing).toHaveLength(MAX_MISSING_RANGES);
  });
});
