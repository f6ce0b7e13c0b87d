import type { ServerConfig } from '#libs/contracts';

export type Limits = ServerConfig['limits'];

const HOUR_MS = 3_600_000;
const LONGEST_BY_DEFAULT = 10;

/**
 * How long a request is waited for: until its answer begins, while its server says nothing, and altogether. Each sign of life begins
 * the silence anew; while the server itself waits for an answer of ours, it is not silent.
 */
export class Patience {
  private readonly hardMs: number;
  private silentSinceMs: number;
  private firstByteMs: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private paused = 0;
  private ended = false;

  constructor(
    private readonly timeoutMs: number,
    limits: Pick<Limits, 'firstByteTimeoutMs' | 'maxTimeoutMs'>,
    private readonly onOver: () => void,
  ) {
    const now = performance.now();
    this.silentSinceMs = now;
    this.hardMs = now + (limits.maxTimeoutMs ?? Math.max(timeoutMs, Math.min(LONGEST_BY_DEFAULT * timeoutMs, HOUR_MS)));
    const first = limits.firstByteTimeoutMs;
    this.firstByteMs = first !== undefined && first < timeoutMs ? now + first : undefined;
    this.arm();
  }

  /** The answer begins, though it may take its time from here on. */
  begun(): void {
    if (this.firstByteMs === undefined) return;
    this.firstByteMs = undefined;
    this.arm();
  }

  progress(): void {
    this.silentSinceMs = performance.now();
    this.firstByteMs = undefined;
    // The timer that runs finds out by itself that it came too early.
  }

  /** The server waits for us, until as many times {@link resume} was called. */
  pause(): void {
    if (this.paused++ === 0) this.arm();
  }

  resume(): void {
    if (--this.paused > 0) return;
    this.silentSinceMs = performance.now();
    this.arm();
  }

  end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.ended = true;
  }

  private untilMs(): number {
    const silent = this.paused > 0 ? Number.POSITIVE_INFINITY : this.silentSinceMs + this.timeoutMs;
    return Math.min(this.hardMs, silent, this.firstByteMs ?? Number.POSITIVE_INFINITY);
  }

  private arm(): void {
    if (this.ended) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), Math.max(1, Math.ceil(this.untilMs() - performance.now())));
  }

  private look(): void {
    if (performance.now() < this.untilMs() - 1) this.arm();
    else this.onOver();
  }
}
