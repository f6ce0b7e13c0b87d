import { describe, expect, it } from '@jest/globals';
import { MemoryPeers, settle, TaskDesk, tenancy, tool } from '#libs/testing';

describe('a release that is refused for a reason that may pass', () => {
  it.each<[string, (desk: TaskDesk) => void, (desk: TaskDesk) => void, string]>([
    ['who approved is away', ({ spec }) => spec.approvals.without('mia'), ({ spec }) => spec.approvals.use(tenancy()), 'quorum_lost'],
    ['the credential is gone', ({ spec }) => spec.broker.use(tenancy({ identity: { users: [], keys: [] } }), 8), ({ spec }) => spec.broker.use(tenancy(), 9), 'requester_invalid'],
    ['policy forbids it', ({ spec }) => spec.broker.use(tenancy({ policies: [{ id: 'some', tenant: 'acme', effect: 'allow' }, { id: 'no', tenant: 'acme', effect: 'deny', when: 'args.now' }] }), 8), ({ spec }) => spec.broker.use(tenancy(), 9), 'policy_denied'],
    ['the tool is another one', ({ spec }) => void spec.upstreams.lists.set('billing', [{ ...tool('refund'), description: 'Other.' }]), ({ spec }) => void spec.upstreams.lists.set('billing', [tool('refund')]), 'tool_changed'],
  ])('is tried again, and noted once: %s', async (_, away, back, code) => {
    const desk = new TaskDesk();
    const { taskId } = await desk.call({ id: 1, now: true });
    desk.spec.aheadMs = 20_000;
    // Approved where no broker hears of it, so that the obstacle comes first.
    desk.spec.broker.mcp.close();
    const later = new TaskDesk();
    later.spec.approvals.store.rows.set(taskId, desk.spec.approvals.store.rows.get(taskId)!);
    await desk.approve(taskId);
    away(later);
    for (let round = 1; round <= 4; round++) {
      later.spec.aheadMs = 20_000 + round * 120_000;
      later.spec.ring();
      await settle();
    }
    expect(later.executed).toBe(0);
    expect(later.spec.recorder.log.map(({ type, data }) => [type, (data as { code?: string }).code])).toEqual([['approval.release_refused', code]]);
    expect((await later.get(taskId)).status).toBe('working');
    back(later);
    later.spec.aheadMs += 120_000;
    later.spec.ring();
    await settle();
    expect(later.executed).toBe(1);
    expect((await later.get(taskId)).status).toBe('completed');
  });

  it('waits for a log that can be written before it uses the only claim', async () => {
    const desk = new TaskDesk();
    const { taskId } = await desk.call();
    desk.spec.recorder.healthy = false;
    await desk.approve(taskId);
    await settle();
    expect([desk.statusOf(taskId), desk.executed]).toEqual(['approved', 0]);
    desk.spec.recorder.healthy = true;
    desk.spec.aheadMs = 10_000;
    desk.spec.ring();
    await settle();
    expect([desk.statusOf(taskId), desk.executed]).toEqual(['executed', 1]);
  });

  it('comes in turn where many are approved at once: no tenant has all of a broker', async () => {
    const desk = new TaskDesk();
    const waiting: (() => void)[] = [];
    desk.spec.upstreams.answer = () => new Promise((resolve) => waiting.push(() => resolve({ kind: 'result', text: '{"content":[]}' })));
    const ids: string[] = [];
    for (let id = 0; id < 20; id++) ids.push((await desk.call({ id })).taskId);
    for (const id of ids) await desk.approve(id);
    await settle();
    expect(desk.executed).toBe(16);
    for (const done of waiting.splice(0)) done();
    await settle();
    expect(desk.executed).toBe(20);
    for (const done of waiting.splice(0)) done();
    await settle();
    expect(ids.map((id) => desk.statusOf(id))).toEqual(ids.map(() => 'executed'));
  });

  it('comes later where a broker has too much to do', async () => {
    const desk = new TaskDesk({}, undefined, 1);
    let done = (): void => undefined;
    desk.spec.upstreams.answer = () => new Promise((resolve) => (done = () => resolve({ kind: 'result', text: '{"content":[]}' })));
    const [one, two] = [(await desk.call({ id: 1 })).taskId, (await desk.call({ id: 2 })).taskId];
    await desk.approve(one);
    await settle();
    await desk.approve(two);
    await settle();
    expect([desk.executed, desk.statusOf(two)]).toEqual([1, 'approved']);
    done();
    await settle();
    desk.spec.aheadMs = 60_000;
    desk.spec.ring();
    await settle();
    done();
    await settle();
    expect([desk.executed, desk.statusOf(two)]).toEqual([2, 'executed']);
    expect(desk.events).not.toContain('approval.release_refused');
  });

  it('is no more once the broker stops', async () => {
    const desk = new TaskDesk();
    const { taskId } = await desk.call();
    desk.spec.broker.stop();
    await desk.approve(taskId);
    desk.spec.ring();
    await settle();
    expect([desk.statusOf(taskId), desk.executed]).toEqual(['approved', 0]);
  });
});

const upstreamAsks = (names: readonly string[], state?: string): string =>
  JSON.stringify({ resultType: 'input_required', inputRequests: Object.fromEntries(names.map((name) => [name, { method: 'elicitation/create', params: { message: name } }])), ...(state === undefined ? {} : { requestState: state }) });

describe('a server that asks before it does anything', () => {
  const capabilities = { elicitation: {} };
  const asking = (): TaskDesk => {
    const desk = new TaskDesk();
    desk.spec.upstreams.descriptions.set('billing', { era: 'modern' });
    desk.spec.upstreams.answer = ({ params }) => {
      const { inputResponses } = JSON.parse(params) as { inputResponses?: Record<string, { content: object }> };
      return { kind: 'result', text: inputResponses ? JSON.stringify({ resultType: 'complete', content: [{ type: 'text', text: JSON.stringify(inputResponses) }] }) : upstreamAsks(['who', 'when'], 'its own state') };
    };
    return desk;
  };
  const answer = { action: 'accept', content: { name: 'Mia' } };

  it('has its questions told by the task, and goes on when all are answered: one call with one outcome', async () => {
    const desk = asking();
    const { taskId } = await desk.call({ id: 1 }, { capabilities });
    await desk.approve(taskId);
    const asked = await desk.get(taskId);
    expect(asked.status).toBe('input_required');
    const [one, two] = Object.keys(asked.inputRequests!) as [string, string];
    expect(Object.values(asked.inputRequests!).map(({ method }) => method)).toEqual(['elicitation/create', 'elicitation/create']);
    expect((await desk.body('tasks/update', { taskId, inputResponses: { [one]: answer, other: answer, [two]: 7 } })).result).toEqual({ resultType: 'complete' });
    expect(Object.keys((await desk.get(taskId)).inputRequests!)).toEqual([two]);
    await desk.body('tasks/update', { taskId, inputResponses: { [two]: { action: 'decline' }, [one]: { action: 'cancel' } } });
    const done = await desk.get(taskId);
    expect(JSON.parse(done.result!.content[0]!.text)).toEqual({ who: answer, when: { action: 'decline' } });
    expect(desk.events).toEqual(['call.requested', 'policy.decided', 'policy.decided', 'call.completed']);
    const legs = desk.spec.upstreams.calls.map(({ call }) => JSON.parse(call.params) as Record<string, unknown>);
    expect(legs.map(({ requestState, arguments: args }) => [requestState, args])).toEqual([[undefined, { id: 1 }], ['its own state', { id: 1 }]]);
    expect(new Set(desk.spec.upstreams.calls.map(({ call }) => call.requestId)).size).toBe(2);
  });

  it('is not called again when its caller takes the call back, or the broker stops', async () => {
    for (const [end, status] of [['cancel', 'cancelled'], ['stop', 'completed']] as const) {
      const desk = asking();
      const { taskId } = await desk.call({ id: 1 }, { capabilities });
      await desk.approve(taskId);
      await settle();
      if (end === 'cancel') await desk.body('tasks/cancel', { taskId });
      else desk.spec.broker.stop();
      await settle();
      expect([desk.statusOf(taskId), desk.executed, (await desk.get(taskId)).status]).toEqual(['failed', 1, status]);
    }
  });

  it('is not called again when policy denies the call meanwhile', async () => {
    const desk = asking();
    const { taskId } = await desk.call({ id: 1, now: true }, { capabilities });
    await desk.approve(taskId);
    const names = Object.keys((await desk.get(taskId)).inputRequests!);
    desk.spec.broker.use(tenancy({ policies: [{ id: 'some', tenant: 'acme', effect: 'allow' }, { id: 'no', tenant: 'acme', effect: 'deny', when: 'args.now' }] }), 8);
    await desk.body('tasks/update', { taskId, inputResponses: Object.fromEntries(names.map((name) => [name, answer])) });
    await settle();
    expect(desk.executed).toBe(1);
    desk.spec.broker.use(tenancy(), 9);
    expect((await desk.get(taskId)).result!.content[0]!.text).toMatch(/^NOT EXECUTED: Policy does not allow/);
  });

  it('is told that nobody can be asked', async () => {
    const desk = asking();
    const { taskId } = await desk.call();
    await desk.approve(taskId);
    expect((await desk.get(taskId)).result!.content[0]!.text).toMatch(/^NOT EXECUTED: The upstream server needs elicitation\/create/);
    expect(desk.executed).toBe(1);
  });

  it('of the older era asks while it works', async () => {
    const desk = new TaskDesk();
    desk.spec.upstreams.answer = async ({ client, cancellation }) => {
      const given = await client!.ask!({ method: 'elicitation/create', params: '{"message":"sure?"}' }, cancellation);
      return { kind: 'result', text: JSON.stringify({ content: [{ type: 'text', text: JSON.stringify(given) }] }) };
    };
    const { taskId } = await desk.call({ id: 1 }, { capabilities });
    await desk.approve(taskId);
    const [name] = Object.keys((await desk.get(taskId)).inputRequests!);
    await desk.body('tasks/update', { taskId, inputResponses: { [name!]: answer } });
    expect((await desk.get(taskId)).result!.content[0]!.text).toContain('Mia');
  });

  it('is answered through any broker', async () => {
    const peers = new MemoryPeers();
    const desk = asking();
    const here = new TaskDesk({}, peers);
    const there = new TaskDesk({}, peers);
    Object.assign(here.spec.upstreams, { answer: desk.spec.upstreams.answer });
    here.spec.upstreams.descriptions.set('billing', { era: 'modern' });
    const { taskId } = await here.call({ id: 1 }, { capabilities });
    there.spec.approvals.store.rows.set(taskId, here.spec.approvals.store.rows.get(taskId)!);
    await here.approve(taskId);
    const asked = await there.get(taskId);
    expect(asked.status).toBe('input_required');
    const [one, two] = Object.keys(asked.inputRequests!) as [string, string];
    await there.body('tasks/update', { taskId, inputResponses: { [one]: answer } });
    expect(Object.keys((await there.get(taskId)).inputRequests!)).toEqual([two]);
    await there.body('tasks/update', { taskId, inputResponses: { [two]: answer } });
    await settle();
    expect((await there.get(taskId)).status).toBe('completed');
    expect([here.executed, there.executed]).toEqual([2, 0]);
  });

  it('may ask before people are: what was answered is part of the call that they are asked about', async () => {
    const desk = new TaskDesk({ policies: [{ id: 'everything', tenant: 'acme', effect: 'allow' }, { id: 'ask', tenant: 'acme', effect: 'require_approval', flow: 'leads', when: 'args.ask' }] });
    const params = { inputResponses: { who: answer }, requestState: 'its own state' };
    const [one, two] = [await desk.call({ ask: true }, { params }), await desk.call({ ask: true }, { params })];
    expect(two.taskId).not.toBe(one.taskId);
    await desk.approve(one.taskId);
    await settle();
    expect(JSON.parse(desk.spec.upstreams.calls[0]!.call.params)).toMatchObject(params);
  });
});
