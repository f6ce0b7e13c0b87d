import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { configuration } from '#libs/testing';
import type { BrokerLeases, ConfigRevision } from '#libs/ports';
import { BrokerControl, FRESH_MS } from './broker-control.ts';

describe('BrokerControl', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  function setUp() {
    const state = { held: true, revision: 1, down: false, ended: 0, lost: 0, applied: [] as number[], errors: 0, refuse: 0 };
    const leases: BrokerLeases = {
      start: () => Promise.resolve(),
      renew: () => (state.down ? Promise.reject(new Error('down')) : Promise.resolve({ held: state.held, revision: state.revision, brokers: 1 })),
      end: () => Promise.resolve(void state.ended++),
      declareLost: () => Promise.resolve(),
      lost: () => Promise.resolve([]),
      settled: () => Promise.resolve(),
      over: () => Promise.resolve(true),
    revokeAll: () => Promise.resolve(),
    };
    const control = new BrokerControl({
      instance: 'i',
      leases,
      configuration: { latest: () => Promise.resolve({ revision: state.revision, digest: 'd', config: configuration() } as ConfigRevision), tenants: () => Promise.resolve([]), apply: () => Promise.resolve(null) },
      clock: { now: () => 0, monotonicUs: () => performance.now() * 1000 },
      onRevision: (revision) => {
        if (revision.revision === state.refuse) throw new Error('does not compile');
        state.applied.push(revision.revision);
      },
      onLost: () => void state.lost++,
      onError: () => void state.errors++,
    });
    return { state, control };
  }

  it('stays fresh while the database answers, and refuses when it has not for two seconds, until it does again', async () => {
    const { state, control } = setUp();
    await control.start();
    await jest.advanceTimersByTimeAsync(10_000);
    expect(control.fresh).toBe(true);
    state.down = true;
    await jest.advanceTimersByTimeAsync(FRESH_MS - 600);
    expect(control.fresh).toBe(true);
    await jest.advanceTimersByTimeAsync(700);
    expect(() => control.assertFresh()).toThrow(expect.objectContaining({ code: 'state_stale' }));
    state.down = false;
    await jest.advanceTimersByTimeAsync(600);
    expect(control.fresh).toBe(true);
    await control.stop();
    expect(state.ended).toBe(1);
  });

  it('hears of each new revision once', async () => {
    const { state, control } = setUp();
    await control.start();
    state.revision = 2;
    await jest.advanceTimersByTimeAsync(2_000);
    expect(state.applied).toEqual([1, 2]);
    await control.stop();
  });

  it('goes stale on a revision that it cannot put in force, rather than judge by the one before', async () => {
    const { state, control } = setUp();
    await control.start();
    state.revision = state.refuse = 2;
    await jest.advanceTimersByTimeAsync(3_000);
    expect(control.fresh).toBe(false);
    state.revision = 3;
    await jest.advanceTimersByTimeAsync(1_000);
    expect(control.fresh).toBe(true);
    await control.stop();
  });

  it('once declared lost it never serves again and says so once', async () => {
    const { state, control } = setUp();
    await control.start();
    state.held = false;
    await jest.advanceTimersByTimeAsync(1_000);
    state.held = true;
    await jest.advanceTimersByTimeAsync(5_000);
    expect([control.fresh, state.lost]).toEqual([false, 1]);
    await control.stop();
  });
});
