import { describe, expect, it } from '@jest/globals';
import { openLoop, type Timeline } from './arrivals.ts';

/** A clock that jumps to the next moment somebody waits for, as soon as nobody has anything left to do. */
class Simulated implements Timeline {
  private time = 0;
  private readonly waiting: { at: number; wake: () => void }[] = [];

  now(): number {
    return this.time;
  }

  sleepUntil(at: number): Promise<void> {
    return new Promise((wake) => {
      this.waiting.push({ at, wake });
    });
  }

  async run(work: Promise<void>): Promise<void> {
    let done = false;
    const settled = Promise.allSettled([work]).finally(() => (done = true));
    for (let idle = 0; !done && idle < 3; idle++) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.waiting.toSorted((a, b) => a.at - b.at)[0];
      if (done || !next) continue;
      idle = 0;
      this.waiting.splice(this.waiting.indexOf(next), 1);
      this.time = Math.max(this.time, next.at);
      next.wake();
    }
    await settled;
    await work;
  }
}

const seen = async (options: { ratePerSecond: number; arrivals: number; maxInFlight: number; signal?: AbortSignal }, serve: (timeline: Simulated, arrival: number) => Promise<void>): Promise<number[]> => {
  const timeline = new Simulated();
  const latencies: number[] = [];
  await timeline.run(openLoop(timeline, options, (arrival) => serve(timeline, arrival), (arrival, latency) => (latencies[arrival] = Math.round(latency))));
  return latencies;
};

describe('openLoop', () => {
  it('sends at the given rate whether or not answers come', async () => {
    const sentAt: number[] = [];
    await seen({ ratePerSecond: 100, arrivals: 5, maxInFlight: 10 }, (timeline, arrival) => {
      sentAt[arrival] = timeline.now();
      return timeline.sleepUntil(timeline.now() + 500);
    });
    expect(sentAt).toEqual([0, 10, 20, 30, 40]);
  });

  it('charges a stall to every call that was due meanwhile', async () => {
    // One call at a time can be served; the first takes 100 ms, the others none. A closed loop would report one slow call.
    let free = Promise.resolve();
    const latencies = await seen({ ratePerSecond: 100, arrivals: 10, maxInFlight: 100 }, (timeline, arrival) => (free = free.then(() => (arrival === 0 ? timeline.sleepUntil(100) : undefined))));
    expect(latencies).toEqual([100, 90, 80, 70, 60, 50, 40, 30, 20, 10]);
  });

  it('counts the time an arrival waits for a free place', async () => {
    const latencies = await seen({ ratePerSecond: 1000, arrivals: 4, maxInFlight: 1 }, (timeline) => timeline.sleepUntil(timeline.now() + 10));
    expect(latencies).toEqual([10, 19, 28, 37]);
  });

  it('ends with the first error, after what is on its way has ended', async () => {
    let ended = 0;
    const loop = seen({ ratePerSecond: 1000, arrivals: 1000, maxInFlight: 10 }, async (timeline, arrival) => {
      if (arrival === 3) throw new Error('gone');
      await timeline.sleepUntil(timeline.now() + 50);
      ended += 1;
    });
    await expect(loop).rejects.toThrow('gone');
    expect(ended).toBeGreaterThanOrEqual(3);
    expect(ended).toBeLessThan(10);
  });

  it('stops sending when told so', async () => {
    const stop = new AbortController();
    const latencies = await seen({ ratePerSecond: 1000, arrivals: 1000, maxInFlight: 10, signal: stop.signal }, (_, arrival) => {
      if (arrival === 4) stop.abort();
      return Promise.resolve();
    });
    expect(latencies).toHaveLength(5);
  });
});
