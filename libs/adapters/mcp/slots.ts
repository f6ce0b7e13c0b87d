import type { Cancellation, CancelReason } from '#libs/broker/core';

/** Why somebody did not get a slot. */
export type NoSlot = 'busy' | CancelReason;

/** A bounded number of calls at a time, and a bounded number that wait for their turn. */
export class Slots {
  private taken = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly max: number,
    private readonly maxWaiting: number,
  ) {}

  /** Undefined when there is a slot, which ends with {@link leave}. */
  async enter(timeoutMs: number, cancellation: Cancellation): Promise<NoSlot | undefined> {
    if (cancellation.reason) return cancellation.reason;
    if (this.taken < this.max) {
      this.taken++;
      return undefined;
    }
    if (this.waiting.length >= this.maxWaiting) return 'busy';
    return new Promise((resolve) => {
      const settle = (reason: NoSlot | undefined): void => {
        clearTimeout(timer);
        unsubscribe();
        const at = this.waiting.indexOf(next);
        if (at !== -1) this.waiting.splice(at, 1);
        resolve(reason);
      };
      const next = (): void => settle(undefined);
      const timer = setTimeout(() => settle('busy'), timeoutMs);
      const unsubscribe = cancellation.onCancel((reason) => settle(reason));
      this.waiting.push(next);
    });
  }

  leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.taken--;
  }
}
