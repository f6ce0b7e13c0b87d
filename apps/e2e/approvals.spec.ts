import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { approvalWorld, type ApprovalWorld } from './harness/approval-world.ts';
import { expectProven, settled } from './harness/history.ts';

describe('a call that people have to approve', () => {
  let w: ApprovalWorld;
  beforeAll(async () => {
    w = await approvalWorld();
    await w.installation.start();
  });
  afterAll(() => w.close());

  it('waits, is executed once enough people approved, and its answer says so', async () => {
    const calling = w.caller().call('wit__write', { marker: 'first' });
    const [held] = await w.waiting(1);
    expect(held).toMatchObject({ status: 'held', tool: 'write', server: 'wit', caller: { user: 'ada', agent: 'bot' }, progress: 'first: 0 of 1 (step 1 of 2)' });
    expect(w.upstream.executed.has('first')).toBe(false);
    expect((await w.as('grace').decide(held!.id, 'approve', held!.version)).body).toMatchObject({ verdict: 'approve', person: 'grace', status: 'held' });
    await sleep(100);
    expect(w.upstream.executed.has('first')).toBe(false);
    const { version } = (await w.as('edsger').show(held!.id)).body;
    expect((await w.as('edsger').decide(held!.id, 'approve', version)).body).toMatchObject({ status: 'approved' });
    const { body } = await calling;
    expect(body.result).toMatchObject({ content: [{ text: 'done first' }], _meta: { 'dev.holdfast/call': { approvalId: held!.id, disposition: 'approved-executed' } } });
    expect(w.upstream.executed.get('first')).toBe(1);
  });

  it('is not executed when somebody denies, and says what was decided', async () => {
    const calling = w.caller().call('wit__write', { marker: 'denied' });
    const [held] = await w.waiting(1);
    expect((await w.as('grace').decide(held!.id, 'deny', held!.version)).body).toMatchObject({ code: 'reason_required' });
    expect((await w.as('grace').decide(held!.id, 'deny', held!.version, { reason: 'not today' })).body).toMatchObject({ status: 'denied' });
    const { body } = await calling;
    expect(body.result?.content?.[0]?.text).toMatch(/^NOT EXECUTED: This call was denied/);
    expect(body.result?._meta?.['dev.holdfast/call']).toMatchObject({ disposition: 'denied-not-executed', state: 'denied' });
    expect(w.upstream.executed.has('denied')).toBe(false);
  });

  it('never counts who asked, nor who is not meant', async () => {
    const calling = w.caller().call('wit__write', { marker: 'own' });
    const [held] = await w.waiting(1);
    expect((await w.as('ada').decide(held!.id, 'approve', held!.version)).body).toMatchObject({ code: 'never_counts' });
    expect((await w.as('barbara').decide(held!.id, 'approve', held!.version)).body).toMatchObject({ code: 'not_eligible' });
    await w.as('grace').decide(held!.id, 'deny', held!.version, { reason: 'done' });
    await calling;
  });

  it('leaves a log that proves all of it, in the order in which it had to be', async () => {
    const calls = [...(await settled(w.installation, w.auditorToken)).values()];
    expect(calls.map(({ types }) => types.filter((type) => !type.endsWith('arguments_shown')))).toEqual([
      ['call.requested', 'policy.decided', 'approval.requested', 'approval.step_opened', 'approval.voted', 'approval.step_opened', 'approval.voted', 'approval.granted', 'approval.claimed', 'policy.decided', 'call.completed', 'approval.settled'],
      ['call.requested', 'policy.decided', 'approval.requested', 'approval.step_opened', 'approval.voted', 'approval.denied'],
      ['call.requested', 'policy.decided', 'approval.requested', 'approval.step_opened', 'approval.voted', 'approval.denied'],
    ]);
    await expectProven(w.installation);
  });
});
