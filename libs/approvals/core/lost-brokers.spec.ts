import { describe, expect, it } from '@jest/globals';
import type { EventDraft } from '#libs/contracts';
import type { BrokerLeases, OpenCall, OpenCalls, Recorder } from '#libs/ports';
import { LostBrokers } from './lost-brokers.ts';

/** A world in which recorded outcomes are projected when `project` is called, as in the product. */
function world(open: Record<string, OpenCall[]>, spooled: Record<string, string[]> = {}) {
  const delivered: string[] = [];
  const recorded: EventDraft[] = [];
  const settled: string[] = [];
  let behind = false;
  let nowMs = 0;
  const declared: number[] = [];
  const leases: BrokerLeases = {
    start: () => Promise.resolve(),
    renew: () => Promise.resolve({ held: true, revision: 1, brokers: 1 }),
    end: () => Promise.resolve(),
    revokeAll: () => Promise.resolve(),
    declareLost: () => Promise.resolve(void declared.push(nowMs)),
    lost: () => Promise.resolve(Object.keys(open).filter((broker) => !settled.includes(broker))),
    settled: (broker) => Promise.resolve(void settled.push(broker)),
    over: () => Promise.resolve(true),
  };
  const calls: OpenCalls = { caughtUp: () => Promise.resolve(!behind), of: (broker, limit) => Promise.resolve(open[broker]!.slice(0, limit)), stateOf: () => Promise.resolve(null) };
  const recorder: Recorder = {
    healthy: true,
    instance: 'r',
    record: (drafts) => {
      recorded.push(...drafts);
      behind = true;
      return Promise.resolve(drafts.map(() => ({ id: 'e', position: 0n })));
    },
  };
  const project = (): void => {
    behind = false;
    const over = [...recorded.map(({ corr }) => corr), ...delivered];
    for (const broker of Object.keys(open)) open[broker] = open[broker]!.filter(({ call }) => !over.includes(call));
  };
  const deliver = (broker: string): Promise<void> => {
    const left = spooled[broker] ?? [];
    delete spooled[broker];
    if (left.length > 0) behind = true;
    delivered.push(...left);
    return Promise.resolve();
  };
  const lostBrokers = new LostBrokers({ leases, openCalls: calls, recorder, deliver, clock: { monotonicUs: () => nowMs * 1000 }, leaseMs: 5_000 });
  const at = async (ms: number): Promise<number | null> => {
    nowMs = ms;
    return lostBrokers.round();
  };
  return { recorded, settled, declared, project, lag: () => (behind = true), round: () => lostBrokers.round(), at };
}

const broker = '00000000-0000-7000-8000-000000000001';
const call = (id: string): OpenCall => ({ tenant: 'acme', call: id, decision: `d-${id}`, user: 'ada' });

describe('LostBrokers', () => {
  it('gives each open call of a lost broker the outcome unknown, once, and then settles the broker', async () => {
    const w = world({ [broker]: [call('1'), call('2')] });
    expect(await w.round()).toBe(2);
    expect(w.recorded.map((draft) => [draft.type, draft.corr, draft.cause, draft.data])).toEqual([
      ['call.outcome_unknown', '1', 'd-1', { reason: 'broker_lost', broker }],
      ['call.outcome_unknown', '2', 'd-2', { reason: 'broker_lost', broker }],
    ]);
    expect(w.settled).toEqual([]);
    w.project();
    expect(await w.round()).toBe(0);
    expect(w.settled).toEqual([broker]);
    expect(w.recorded).toHaveLength(2);
  });

  it('waits while the projection lags: what is not projected may have an outcome', async () => {
    const w = world({ [broker]: [call('1')] });
    w.lag();
    expect(await w.round()).toBeNull();
    expect(w.recorded).toEqual([]);
    expect(w.settled).toEqual([]);
  });

  it('after a crash between recording and settling, asks again and records nothing twice', async () => {
    const w = world({ [broker]: [call('1')] });
    await w.round();
    expect(await w.round()).toBeNull();
    w.project();
    await w.round();
    expect(w.recorded).toHaveLength(1);
    expect(w.settled).toEqual([broker]);
  });

  it('delivers first what the broker still knew: an outcome that is known is not called unknown as well', async () => {
    const w = world({ [broker]: [call('1'), call('2')] }, { [broker]: ['1'] });
    expect(await w.round()).toBeNull();
    expect(w.recorded).toEqual([]);
    w.project();
    expect(await w.round()).toBe(1);
    expect(w.recorded.map(({ corr }) => corr)).toEqual(['2']);
  });

  it('settles a broker without open calls', async () => {
    const w = world({ [broker]: [] });
    expect(await w.round()).toBe(0);
    expect(w.settled).toEqual([broker]);
  });

  it('declares nobody lost before it could have heard a whole lease, nor after a silence of its own', async () => {
    const w = world({});
    for (let ms = 0; ms <= 6_000; ms += 500) await w.at(ms);
    expect(w.declared).toEqual([5_000, 5_500, 6_000]);
    for (let ms = 30_000; ms <= 36_000; ms += 500) await w.at(ms);
    expect(w.declared.slice(3)).toEqual([35_000, 35_500, 36_000]);
  });
});
