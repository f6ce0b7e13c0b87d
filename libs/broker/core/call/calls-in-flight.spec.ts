import { describe, expect, it } from '@jest/globals';
import type { EventDraft } from '#libs/contracts';
import { ada, codeOf, config, SpecBroker } from '#libs/testing';

type Of<T extends EventDraft['type']> = Extract<EventDraft, { type: T }>;
const find = <T extends EventDraft['type']>(spec: SpecBroker, type: T): Of<T> =>
  spec.recorder.log.find((event) => event.type === type) as Of<T>;
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('calls in flight', () => {
  it('are bounded: one too many is refused before anything is recorded', async () => {
    const spec = new SpecBroker();
    await spec.names();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    spec.upstreams.answer = async () => (await held, { kind: 'result', text: '{}' });
    const running = [1, 2, 3, 4].map(() => spec.call('billing__refund', {}));
    while (spec.upstreams.calls.length < 4) await tick();
    expect(codeOf(await spec.call('billing__refund', {}))).toBe('overloaded');
    expect(spec.broker.inFlight.list()).toHaveLength(4);
    release();
    await Promise.all(running);
    expect(spec.broker.inFlight.list()).toEqual([]);
    expect(spec.recorder.types().filter((type) => type === 'call.requested')).toHaveLength(4);
  });

  it('end in order when the broker stops: no new ones, the others are answered', async () => {
    const spec = new SpecBroker();
    await spec.names();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    spec.upstreams.answer = async () => (await held, { kind: 'result', text: '{}' });
    const running = spec.call('billing__refund', {});
    while (spec.upstreams.calls.length < 1) await tick();
    spec.broker.stop();
    expect(codeOf(await spec.call('billing__refund', {}))).toBe('stopping');
    const idle = spec.broker.inFlight.idle();
    release();
    await idle;
    expect(codeOf(await running)).toBeUndefined();
    expect(spec.recorder.types()).toEqual(['call.requested', 'policy.decided', 'call.completed']);
  });

  it('that will not end are given up with an unknown outcome', async () => {
    const spec = new SpecBroker();
    await spec.names();
    spec.upstreams.answer = (call) =>
      new Promise((resolve) => call.cancellation.onCancel(() => resolve({ kind: 'lost', reason: 'stopped' })));
    const running = spec.call('billing__refund', {});
    while (spec.upstreams.calls.length < 1) await tick();
    spec.broker.stop();
    spec.broker.inFlight.abort();
    await spec.broker.inFlight.idle();
    expect(codeOf(await running)).toBe('stopping');
    expect(find(spec, 'call.completed').data.outcome).toBe('unknown');
  });

  it('calls of a former configuration end under it', async () => {
    const spec = new SpecBroker();
    await spec.names();
    const release = spec.recorder.holdOn('policy.decided');
    const running = spec.call('billing__refund', {});
    await tick();
    spec.broker.use(config({ policies: [] }), 8);
    release();
    expect(codeOf(await running)).toBeUndefined();
    expect(find(spec, 'policy.decided').data.policyVersion).toBe(7);
    expect(codeOf(await spec.call('billing__refund', {}, { principal: ada }))).toBe('tool_not_found');
  });
});
