import { beforeEach, describe, expect, it } from '@jest/globals';
import type { MessageChannel } from '#libs/approvals/core';
import { type Delivery, DeliveryInDoubt, type DeliveryStore, NOTIFICATIONS, Notifier, Configurations } from '#libs/approvals/core';
import { type Jobs, jobBounds, JobsRefusal, type NewJob, type RunningJob } from '#libs/ports';
import { config, server, SpecBroker, specClock } from '#libs/testing';

const people = (count: number, expiresIn = '1h') =>
  config({
    servers: [server('billing', { tools: { refund: { class: 'write' } } })],
    identity: { users: [{ id: 'ada', tenant: 'acme' }, ...Array.from({ length: count }, (_, i) => ({ id: `lead${i}`, tenant: 'acme', email: `lead${i}@acme.test`, groups: ['leads'] }))] },
    policies: [{ id: 'ask', tenant: 'acme', effect: 'require_approval', match: { tools: ['refund'] }, flow: 'leads' }],
    flows: [{ id: 'leads', tenant: 'acme', expiresIn, channels: ['email'], steps: [{ name: 'lead', approvers: { groups: ['leads'] } }] }],
  });

/** Delivery rows in memory, in the words of the table. */
class Deliveries implements DeliveryStore {
  readonly rows = new Map<string, 'begun' | 'sent' | 'failed'>();
  problem: Error | undefined;

  begin(_tenant: string, _approval: string, { id }: Delivery): Promise<'new' | 'begun' | 'over'> {
    const before = this.rows.get(id);
    if (before === undefined) this.rows.set(id, 'begun');
    return Promise.resolve(before === undefined ? 'new' : before === 'begun' ? 'begun' : 'over');
  }

  sent(_tenant: string, _approval: string, { id }: Delivery): Promise<void> {
    const { problem } = this;
    this.problem = undefined;
    if (problem) return Promise.reject(problem);
    this.rows.set(id, 'sent');
    return Promise.resolve();
  }

  notSent(_tenant: string, _approval: string, { id }: Delivery): Promise<void> {
    if (this.rows.get(id) === 'begun') this.rows.delete(id);
    return Promise.resolve();
  }

  failed(_tenant: string, _approval: string, { id }: Delivery): Promise<void> {
    this.rows.set(id, 'failed');
    return Promise.resolve();
  }

  changeable(): Promise<readonly []> {
    return Promise.resolve([]);
  }
}

describe('telling people', () => {
  let added: NewJob[];
  let deliveries: Deliveries;
  let arrived: string[];
  let finds: (() => Promise<string | null | undefined>) | undefined;
  let link: () => Promise<string>;
  let send: () => Promise<string | null>;
  beforeEach(() => {
    added = [];
    deliveries = new Deliveries();
    arrived = [];
    finds = undefined;
    link = () => Promise.resolve('https://holdfast.test/x');
    send = () => Promise.resolve(null);
  });

  async function office(configuration: ReturnType<typeof people>, calls = 1): Promise<{ readonly spec: SpecBroker; readonly notifier: Notifier }> {
    const spec = new SpecBroker(configuration);
    for (let i = 0; i < calls; i++) {
      void spec.modern('tools/call', { name: 'billing__refund', arguments: { i } });
      while (spec.approvals.ids.length <= i) await new Promise((resolve) => setImmediate(resolve));
    }
    const channel: MessageChannel = {
      name: 'email',
      reaches: () => true,
      send: async ({ recipient }) => {
        const reference = await send();
        arrived.push(recipient.kind === 'person' ? recipient.user : recipient.name);
        return reference;
      },
      find: () => (finds ? finds() : Promise.resolve(undefined)),
    };
    const addAll: Jobs['addAll'] = (jobs) => {
      if (jobs.length > jobBounds.jobsAtOnce) return Promise.reject(new JobsRefusal('too many at once'));
      if (jobs.some(({ runAtMs }) => (runAtMs ?? 0) > specClock.now() + jobBounds.aheadMs)) return Promise.reject(new JobsRefusal('too far ahead'));
      added.push(...jobs);
      return Promise.resolve();
    };
    const notifier = new Notifier({
      store: spec.approvals.store,
      configurations: new Configurations({ latest: () => Promise.resolve({ revision: 7, digest: '', config: configuration }) }),
      deliveries,
      jobs: { addAll } as Jobs,
      clock: specClock,
      channels: () => [channel],
      link: () => link(),
      summary: () => Promise.resolve([]),
    });
    return { spec, notifier };
  }

  const tells = (): NewJob[] => added.filter(({ queue }) => queue === NOTIFICATIONS);
  const run = (notifier: Notifier, attempt = 1): Promise<unknown> =>
    notifier.run({ ...tells()[0]!, attempt, signal: new AbortController().signal } as RunningJob).then(() => 'done', (error: unknown) => (error as Error).message);
  const failing = (times: number, what: string): (() => Promise<never>) | undefined => (times > 0 ? () => Promise.reject(new Error(what)) : undefined);

  it('tries again when what failed was before the sending', async () => {
    const { notifier } = await office(people(1));
    await notifier.round();
    link = failing(1, 'the database was away')!;
    expect(await run(notifier)).toBe('the database was away');
    link = () => Promise.resolve('https://holdfast.test/x');
    expect(await run(notifier, 2)).toBe('done');
    expect([arrived, [...deliveries.rows.values()]]).toEqual([['lead0'], ['sent']]);
  });

  it('sends nothing twice when what failed was after the sending', async () => {
    const { notifier } = await office(people(1));
    await notifier.round();
    deliveries.problem = new Error('the database was away');
    expect(await run(notifier)).toBe('the database was away');
    expect(await run(notifier, 2)).toBe('done');
    expect([arrived, [...deliveries.rows.values()]]).toEqual([['lead0'], ['failed']]);
  });

  it('does not take for lost what it could not ask about', async () => {
    const { notifier } = await office(people(1));
    await notifier.round();
    deliveries.rows.set((tells()[0]!.data as { delivery: Delivery }).delivery.id, 'begun');
    finds = failing(1, 'the channel was away')!;
    expect(await run(notifier)).toBe('the channel was away');
    finds = () => Promise.resolve('it arrived');
    expect(await run(notifier, 2)).toBe('done');
    expect([arrived, [...deliveries.rows.values()]]).toEqual([[], ['sent']]);
  });

  it('sends again what was not sent, and not what may have been', async () => {
    const { notifier } = await office(people(1));
    await notifier.round();
    send = failing(1, 'refused')!;
    expect(await run(notifier)).toBe('refused');
    expect([...deliveries.rows.values()]).toEqual([]);
    send = () => Promise.reject(new DeliveryInDoubt('the connection broke'));
    expect(await run(notifier, 2)).toBe('done');
    expect([...deliveries.rows.values()]).toEqual(['failed']);
  });

  it('asks more people than fit into one batch of jobs', async () => {
    const { notifier } = await office(people(2_500));
    expect(await notifier.round()).toBe(1);
    expect(tells()).toHaveLength(2_500);
  });

  it('leaves to the sweep what is due in years', async () => {
    const { notifier, spec } = await office(people(1, '400d'));
    expect(await notifier.round()).toBe(1);
    expect([tells().length, spec.approvals.store.kept.length]).toEqual([1, 0]);
  });

  it('tells of the others when one cannot be told of, and says that there was trouble', async () => {
    const { notifier, spec } = await office(people(1), 2);
    const { store } = spec.approvals;
    const load = store.load.bind(store);
    const [first] = spec.approvals.ids;
    store.load = (tenant, id) => (id === first ? Promise.reject(new Error('nobody can read it')) : load(tenant, id));
    await expect(notifier.round()).rejects.toThrow('nobody can read it');
    expect([tells().length, store.kept.map(({ approval }) => approval)]).toEqual([1, [first]]);
  });
});
