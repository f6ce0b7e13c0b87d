export interface BreakerSettings {
  /** Failures in a row that are forgiven before the first pause. */
  readonly forgiven: number;
  /** Milliseconds that never go back. */
  readonly nowMs: () => number;
}

const FIRST_PAUSE_MS = 1_000;
/** Short enough for a server to be in use again within 15 seconds of coming back, its handshake included. */
const LONGEST_PAUSE_MS = 8_000;

/**
 * Keeps away from a server that cannot be reached: after some failures in a row there are pauses that double up to a bound, each
 * followed by one attempt, which is the caller's to share. Any success ends it.
 */
export class Breaker {
  private failures = 0;
  private untilMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly settings: BreakerSettings) {}

  /** How long nobody should try; 0 when it may be tried now. */
  get pauseMs(): number {
    return Math.max(0, this.untilMs - this.settings.nowMs());
  }

  /** True when this failure began a pause. Those that were under way when it began are the same news. */
  failed(): boolean {
    if (this.pauseMs > 0) return false;
    this.failures++;
    const counted = this.failures - this.settings.forgiven;
    if (counted <= 0) return false;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(counted - 1, 10));
    this.untilMs = this.settings.nowMs() + pause;
    return true;
  }

  succeeded(): void {
    if (this.failures === 0) return;
    this.failures = 0;
    this.untilMs = Number.NEGATIVE_INFINITY;
  }
}
