/** Wall time for people and expiries. Anything that must be monotonic uses `monotonicUs`. */
export interface Clock {
  /** Milliseconds since the epoch; may jump in either direction. */
  now(): number;
  /** Microseconds from an arbitrary origin; never goes back. */
  monotonicUs(): number;
}
export const Clock = Symbol('Clock');
