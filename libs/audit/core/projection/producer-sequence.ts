/** Sequence numbers of one producer that never came, as far as its later events tell. */
export interface MissingRange {
  /** First number of the hole as it was first seen; names the finding. */
  readonly gap: number;
  readonly from: number;
  readonly to: number;
  /** Digest of the event before `from`; empty when `from` is 1. */
  readonly before: string;
  /** Digest that the event after `to` claims for event `to`. */
  readonly after: string;
}

/** How far one producer's events stand in one log. */
export interface ProducerState {
  readonly tenant: string;
  readonly producer: string;
  readonly next: number;
  /** Digest of event `next - 1`; empty before the first. */
  readonly last: string;
  readonly missing: readonly MissingRange[];
  /** Records that repeated an event byte for byte; they are counted and make no entry. */
  readonly duplicates: number;
}

/** More holes than this in one producer's sequence are still findings, but nobody waits for them to close. */
export const MAX_MISSING_RANGES = 64;

export function newProducer(tenant: string, producer: string): ProducerState {
  return { tenant, producer, next: 1, last: '', missing: [], duplicates: 0 };
}

export interface Placement {
  readonly state: ProducerState;
  /** The event's `prev` is not the digest of the event before it, or its successor claims another digest for it. */
  readonly chainBroken: boolean;
  /** Numbers that were skipped to get here. */
  readonly opened: { readonly from: number; readonly to: number } | null;
  /** The hole that this event was the last missing piece of, by its first number. */
  readonly closed: number | null;
}

/** Whether this number was skipped before and is waited for. */
export function isMissing(state: ProducerState, seq: number): boolean {
  return state.missing.some((range) => seq >= range.from && seq <= range.to);
}

/** Takes an event that is not in the log yet into its producer's sequence. Never refuses: what is odd about it is said instead. */
export function place(state: ProducerState, seq: number, prev: string, digest: string): Placement {
  if (seq === state.next) {
    return { state: { ...state, next: seq + 1, last: digest }, chainBroken: prev !== state.last, opened: null, closed: null };
  }
  if (seq > state.next) {
    const range: MissingRange = { gap: state.next, from: state.next, to: seq - 1, before: state.last, after: prev };
    const missing = state.missing.length < MAX_MISSING_RANGES ? [...state.missing, range] : state.missing;
    return { state: { ...state, next: seq + 1, last: digest, missing }, chainBroken: false, opened: { from: range.from, to: range.to }, closed: null };
  }
  const range = state.missing.find((candidate) => seq >= candidate.from && seq <= candidate.to);
  if (!range) return { state, chainBroken: false, opened: null, closed: null };
  const chainBroken = (seq === range.from && prev !== range.before) || (seq === range.to && digest !== range.after);
  const left: MissingRange[] = [];
  if (seq > range.from) left.push({ ...range, to: seq - 1, after: prev });
  if (seq < range.to) left.push({ ...range, from: seq + 1, before: digest });
  const missing = state.missing.flatMap((candidate) => (candidate === range ? left : [candidate]));
  // A split may pass the bound by one for a moment; what goes over it is no longer waited for.
  const kept = missing.slice(0, MAX_MISSING_RANGES);
  const closed = missing.some((candidate) => candidate.gap === range.gap) ? null : range.gap;
  return { state: { ...state, missing: kept }, chainBroken, opened: null, closed };
}
