import { describe, expect, it } from '@jest/globals';
import { Configurations, Sweep, type SweepDependencies } from '#libs/approvals/core';
import { config, server, SpecBroker, specClock } from '#libs/testing';

const configuration = config({
  servers: [server('billing', { tools: { refund: { class: 'write' } } })],
  identity: { users: [{ id: 'ada', tenant: 'acme' }, { id: 'mia', tenant: 'acme' }] },
  policies: [{ id: 'ask', tenant: 'acme', effect: 'require_approval', match: { tools: ['refund'] }, flow: 'leads' }],
  flows: [{ id: 'leads', tenant: 'acme', steps: [{ name: 'lead', approvers: { users: ['mia'] } }] }],
});

/** So many held calls, of which some cannot be changed, and a sweep an hour later. */
async function overdue(count: number, broken: (at: number) => boolean) {
  const spec = new SpecBroker(configuration);
  for (let i = 0; i < count; i++) {
    void spec.modern('tools/call', { name: 'billing__refund', arguments: { i } });
    while (spec.approvals.ids.length <= i) await new Promise((resolve) => setImmediate(resolve));
  }
  const { store, ids } = spec.approvals;
  const change = store.change.bind(store);
  const unreadable = new Set(ids.filter((_, at) => broken(at)));
  let tries = 0;
  store.change = (tenant, id, work) => {
    if (!unreadable.has(id)) return change(tenant, id, work);
    tries++;
    return Promise.reject(new Error('nobody can read it'));
  };
  const sweep = new Sweep({
    store,
    configurations: new Configurations({ latest: () => Promise.resolve({ revision: 7, digest: '', config: configuration }) }),
    clock: { now: () => specClock.now() + 3_600_000, monotonicUs: () => 0 },
    openCalls: { caughtUp: () => Promise.resolve(true), stateOf: (_: string, call: string) => Promise.resolve({ state: 'completed', outcome: 'succeeded', call }) },
    leases: { over: () => Promise.resolve(false) },
  } as unknown as SweepDependencies);
  return { sweep, store, statuses: (): string[] => ids.map((id) => store.rows.get(id)!.stored.state.status), tries: () => tries };
}

describe('the sweep', () => {
  it('does what is due for the others when it cannot for one, and says that there was trouble', async () => {
    const { sweep, statuses } = await overdue(3, (at) => at === 0);
    await expect(sweep.overdue()).rejects.toThrow('nobody can read it');
    expect(statuses()).toEqual(['held', 'expired', 'expired']);
  });

  it('ends, also where nothing of what is due can be done', async () => {
    const { sweep, tries } = await overdue(250, () => true);
    await expect(sweep.overdue()).rejects.toThrow('nobody can read it');
    expect(tries()).toBeLessThanOrEqual(250);
  });

  it('looks at all of many', async () => {
    const { sweep, statuses } = await overdue(450, () => false);
    expect(await sweep.overdue()).toBe(450);
    expect(new Set(statuses())).toEqual(new Set(['expired']));
  });

  /** A claimed call of a broker that lives, of which the log knows nothing, after so many minutes. */
  async function claimed(minutes: number, caughtUp = true, known?: object): Promise<string> {
    const spec = new SpecBroker(configuration);
    void spec.modern('tools/call', { name: 'billing__refund', arguments: { id: 1 } });
    while (spec.approvals.ids.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const { store, ids } = spec.approvals;
    const row = store.rows.get(ids[0]!)!;
    const at = specClock.now();
    const { args, binding } = row.stored.state;
    row.stored = { ...row.stored, changedAt: at, state: { ...row.stored.state, status: 'claimed', claim: { at, broker: 'b', args, toolHash: binding.toolHash, policyVersion: 7 } } };
    const sweep = new Sweep({
      store,
      configurations: new Configurations({ latest: () => Promise.resolve({ revision: 7, digest: '', config: configuration }) }),
      clock: { now: () => at + minutes * 60_000, monotonicUs: () => 0 },
      openCalls: { caughtUp: () => Promise.resolve(caughtUp), stateOf: () => Promise.resolve(known) },
      leases: { over: () => Promise.resolve(false) },
    } as unknown as SweepDependencies);
    await sweep.settle();
    return store.rows.get(ids[0]!)!.stored.state.status;
  }

  it('ends a claim that its broker never learned of: nothing was allowed, and by now nothing will be', async () => {
    expect([await claimed(1), await claimed(30, false), await claimed(30, true, { state: 'open' })]).toEqual(['claimed', 'claimed', 'claimed']);
    expect(await claimed(30)).toBe('failed');
  });
});
