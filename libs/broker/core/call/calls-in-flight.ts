import type { Cancellation } from './cancellation.ts';

/** A call between its arrival and its answer. */
export interface CallInFlight {
  readonly call: string;
  readonly tenant: string;
  readonly tool: string;
  readonly sinceUs: number;
}

/** The calls this broker is working on: counted for its bound, waited for when it stops. */
export class CallsInFlight {
  private readonly open = new Map<CallInFlight, Cancellation>();
  private readonly waiting: (() => void)[] = [];
  private closed = false;

  constructor(private readonly max: number) {}

  /** A word when the call is not taken; otherwise the caller must `leave`, whatever happens. */
  enter(call: CallInFlight, cancellation: Cancellation): 'stopping' | 'overloaded' | { leave(): void } {
    if (this.closed) return 'stopping';
    if (this.open.size >= this.max) return 'overloaded';
    this.open.set(call, cancellation);
    return {
      leave: () => {
        this.open.delete(call);
        if (this.open.size === 0) for (const resolve of this.waiting.splice(0)) resolve();
      },
    };
  }

  /** From now on no call is taken; those in flight go on. */
  close(): void {
    this.closed = true;
  }

  /** Stops waiting for upstream servers: each call still open gets its outcome recorded as unknown and is answered. */
  abort(): void {
    for (const cancellation of this.open.values()) cancellation.cancel('stopped');
  }

  /** Resolves when no call is in flight. */
  idle(): Promise<void> {
    return this.open.size === 0 ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve));
  }

  list(): readonly CallInFlight[] {
    return [...this.open.keys()];
  }
}
