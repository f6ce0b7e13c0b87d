import type { HoldfastEvent } from '#libs/contracts';
import { isMissing, newProducer, place, type ProducerState } from '../projection/producer-sequence.ts';

export interface ContinuityProblem {
  readonly index: number;
  readonly sentence: string;
}

/** Looks up the digest of an event before the range that is read, so that a range need not begin at 0. */
export type DigestBefore = (producer: string, seq: number) => Promise<string | null>;

/**
 * Whether each producer's numbers are dense and each event follows from the one before it. Events that came late are no problem
 * once they are there; numbers that never came are. Remembers one small state per producer.
 */
export class ProducerContinuity {
  private readonly states = new Map<string, ProducerState>();
  /** Where each hole was first seen, and what became of those nobody waits for. */
  private readonly openedAt = new Map<string, ContinuityProblem>();
  /** Events that came after their successors. */
  late = 0;

  /** `before` is asked once per producer whose first event in the range is not its first at all. */
  constructor(private readonly before: DigestBefore | null) {}

  get producers(): number {
    return this.states.size;
  }

  /** Undefined when the event follows; synchronous unless something before the range must be looked up. */
  next(event: HoldfastEvent, seq: number, digest: string, index: number): ContinuityProblem | undefined | Promise<ContinuityProblem | undefined> {
    const { id } = event.producer;
    const state = this.states.get(id);
    if (state) return this.take(state, event, seq, digest, index);
    const fresh = newProducer(event.tenant, id);
    if (seq === 1 || this.before === null) return this.take(fresh, event, seq, digest, index);
    return this.before(id, seq - 1).then((last) => this.take(last === null ? fresh : { ...fresh, next: seq, last }, event, seq, digest, index));
  }

  /** Numbers that never came, one line per hole. */
  missing(): readonly ContinuityProblem[] {
    return [...this.openedAt.values()];
  }

  private take(state: ProducerState, event: HoldfastEvent, seq: number, digest: string, index: number): ContinuityProblem | undefined {
    const { id, prev } = event.producer;
    const twice = seq < state.next && !isMissing(state, seq);
    const placed = place(state, seq, prev, digest);
    this.states.set(id, placed.state);
    if (placed.opened) {
      const { from, to } = placed.opened;
      this.openedAt.set(`${id} ${from}`, { index, sentence: `producer ${id}: ${from === to ? `event ${from} is` : `events ${from} to ${to} are not all there; some are`} missing` });
    }
    if (placed.closed !== null) this.openedAt.delete(`${id} ${placed.closed}`);
    if (twice) return { index, sentence: `producer ${id}: event ${seq} stands in the log a second time, or came after nobody waited for it` };
    if (seq < state.next) this.late++;
    return placed.chainBroken ? { index, sentence: `producer ${id}: event ${seq} does not follow from the event before it` } : undefined;
  }
}
