/** What the open loop needs of time; a simulated one in its spec. Milliseconds from an arbitrary origin. */
export interface Timeline {
  now(): number;
  sleepUntil(ms: number): Promise<void>;
}

export interface OpenLoopOptions {
  readonly ratePerSecond: number;
  readonly arrivals: number;
  /** Calls that may be on their way at once; further arrivals wait, and their waiting counts as latency. */
  readonly maxInFlight: number;
  readonly signal?: AbortSignal;
}

/**
 * Makes calls arrive at a fixed rate whether or not earlier ones were answered. `latencyMs` of each is measured from the moment it
 * was due, not from the moment it was sent: when the server stalls, every call that should have been made meanwhile shows the stall
 * (no coordinated omission). Resolves when all arrivals are done; a `call` that rejects ends the loop with that error.
 */
export async function openLoop(timeline: Timeline, options: OpenLoopOptions, call: (arrival: number) => Promise<void>, onDone: (arrival: number, latencyMs: number) => void): Promise<void> {
  const start = timeline.now();
  const interval = 1000 / options.ratePerSecond;
  const inFlight = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  for (let arrival = 0; arrival < options.arrivals && !failure && !options.signal?.aborted; arrival++) {
    const due = start + arrival * interval;
    if (timeline.now() < due) await timeline.sleepUntil(due);
    while (inFlight.size >= options.maxInFlight) await Promise.race(inFlight);
    const one: Promise<void> = call(arrival)
      .then(
        () => onDone(arrival, timeline.now() - due),
        (error: unknown) => {
          failure ??= { error };
        },
      )
      .finally(() => inFlight.delete(one));
    inFlight.add(one);
  }
  await Promise.all(inFlight);
  if (failure) throw failure.error;
}
