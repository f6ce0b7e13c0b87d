import type { JournalRecorder } from '#libs/audit/core';
import type { Broker } from '#libs/broker/core';

/** Calls under way get this long to finish when a process is asked to stop; what follows gets the shorter time each. */
export const DRAIN_MS = 5_000;
export const FLUSH_MS = 1_000;

export interface StoppingEdge {
  /** Takes no more connections and waits for those that are open. */
  drain(deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Stops a broker in order: no new calls, those under way finish or are recorded as unknown, and all of it is durable before it ends. */
export async function stopBroker({ broker, recorder }: { readonly broker: Broker; readonly recorder: JournalRecorder }, edge: StoppingEdge): Promise<'durable' | 'spooled' | 'lost'> {
  broker.stop();
  await within(DRAIN_MS, Promise.all([broker.inFlight.idle(), edge.drain(DRAIN_MS)]));
  broker.inFlight.abort();
  await within(FLUSH_MS, broker.inFlight.idle());
  // The edge has its last words (counted refusals) while it closes; after that nobody records any more.
  await edge.close();
  return recorder.stop(FLUSH_MS);
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((done) => {
    timer = setTimeout(done, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
