import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Answer } from './harness/caller.ts';
import { expectProven, settled } from './harness/history.ts';
import { world, type World } from './harness/world.ts';

const codeOf = (answer: Answer): unknown => (answer.body.result?._meta?.['dev.holdfast/call'] as { code?: string } | undefined)?.code;

describe('when the journal cannot be written', () => {
  let w: World;
  afterEach(() => w.close(), 30_000);

  /** Freezes or wakes the whole database server, backends included. */
  const signalDatabase = (signal: 'SIGSTOP' | 'SIGCONT'): void => {
    for (const pid of w.installation.databaseProcesses()) process.kill(pid, signal);
  };

  it('calls are refused and nothing is executed; afterwards everything goes on', async () => {
    w = await world();
    await w.installation.start();
    const caller = w.caller();
    await caller.call('wit__read', { marker: 'before' });
    signalDatabase('SIGSTOP');
    const refused = await Promise.all([1, 2, 3].map((n) => caller.call('wit__write', { marker: `during-${n}` })));
    expect(refused.map((answer) => [answer.body.result?.isError, ['journal_unavailable', 'state_stale'].includes(String(codeOf(answer)))])).toEqual([1, 2, 3].map(() => [true, true]));
    signalDatabase('SIGCONT');
    let after = await caller.call('wit__read', { marker: 'after' });
    for (let tries = 0; after.body.result?.isError && tries < 50; tries++) {
      await sleep(100);
      after = await caller.call('wit__read', { marker: 'after' });
    }
    expect(after.body.result?.content?.[0]?.text).toBe('done after');
    expect([...w.upstream.executed.keys()].sort()).toEqual(['after', 'before']);
    const calls = await settled(w.installation, w.auditorToken);
    expect([...calls.values()].filter((call) => call.outcomes.includes('succeeded'))).toHaveLength(2);
    await expectProven(w.installation);
  }, 120_000);

  it('a call that was executed before the journal went away is told as executed, kept on the local disk, and recorded later, even over a kill', async () => {
    w = await world();
    await w.installation.start();
    const caller = w.caller();
    const answering = caller.call('wit__write', { marker: 'spooled', delayMs: 400 }, { 'dev.holdfast/idempotencyKey': 'spooled' });
    while (!w.upstream.executed.has('spooled')) await sleep(5);
    signalDatabase('SIGSTOP');
    const answer = await answering;
    expect([answer.body.result?.isError, codeOf(answer)]).toEqual([true, 'outcome_being_recorded']);
    expect(readdirSync(join(w.installation.data, 'spool'))).toHaveLength(1);
    await w.installation.killBroker();
    signalDatabase('SIGCONT');
    await w.installation.start();
    const calls = await settled(w.installation, w.auditorToken);
    const call = [...calls.values()].find((one) => one.key === 'spooled')!;
    expect(call.outcomes).toEqual(['succeeded']);
    expect(w.upstream.executed.get('spooled')).toBe(1);
    expect(readdirSync(join(w.installation.data, 'spool'))).toEqual([]);
    await expectProven(w.installation);
  }, 120_000);
});

describe('what an upstream can do to a call', () => {
  let w: World;
  afterEach(() => w.close(), 30_000);

  const held = (code: string): object => ({ result: { isError: true, _meta: { 'dev.holdfast/call': { code } } } });
  it.each([
    ['drop the connection', 'unknown', held('upstream_broken')],
    ['never answer', 'unknown', held('upstream_timeout')],
    ['answer isError', 'failed', { result: { isError: true, content: [{ type: 'text', text: 'failed x' }] } }],
    ['answer rpc error', 'failed', { error: { code: -32099, message: 'upstream said no', data: { marker: 'x' } } }],
  ] as const)('%s: outcome %s, and it is executed once', async (behaviour, outcome, expected) => {
    w = await world();
    await w.installation.start();
    w.upstream.behaviour = behaviour;
    const answer = await w.caller().call('wit__write', { marker: 'x' });
    expect(answer.body).toMatchObject(expected);
    expect(w.upstream.executed.get('x')).toBe(1);
    const calls = await settled(w.installation, w.auditorToken);
    expect([...calls.values()].map((call) => call.outcomes)).toEqual([[outcome]]);
    await expectProven(w.installation);
  }, 60_000);

  it('is not there at all: the call failed, was not executed, and the next one works when it is back', async () => {
    w = await world();
    await w.installation.start();
    const caller = w.caller();
    await caller.call('wit__read', { marker: 'first' });
    const { port } = w.upstream;
    await w.upstream.stop();
    const answer = await caller.call('wit__write', { marker: 'gone' });
    expect(codeOf(answer)).toBe('upstream_unreachable');
    await w.upstream.start(port);
    const back = await caller.call('wit__write', { marker: 'back' });
    expect(back.body.result?.content?.[0]?.text).toBe('done back');
    expect(w.upstream.executed.has('gone')).toBe(false);
    const calls = await settled(w.installation, w.auditorToken);
    expect([...calls.values()].map((call) => call.outcomes.join()).sort()).toEqual(['failed', 'succeeded', 'succeeded']);
    await expectProven(w.installation);
  }, 60_000);
});
