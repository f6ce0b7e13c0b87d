/** Why nobody wants a request's answer any more: its client said so or is gone, or the broker stops. */
export type CancelReason = 'cancelled' | 'stopped';

/** A word that may come while a request is under way. An AbortSignal does more, and costs ten times as much on every call. */
export class Cancellation {
  private why: CancelReason | undefined;
  private readonly waiting = new Set<(reason: CancelReason) => void>();

  get reason(): CancelReason | undefined {
    return this.why;
  }

  /** The first reason stays. */
  cancel(reason: CancelReason): void {
    if (this.why !== undefined) return;
    this.why = reason;
    for (const listener of this.waiting) listener(reason);
    this.waiting.clear();
  }

  /** Told once, at once when it was cancelled before. Returns how to stop listening. */
  onCancel(listener: (reason: CancelReason) => void): () => void {
    if (this.why !== undefined) {
      listener(this.why);
      return () => undefined;
    }
    this.waiting.add(listener);
    return () => this.waiting.delete(listener);
  }
}
