import { describe, expect, it } from '@jest/globals';
import { ada, bodyOf, type RpcBody, settle, SpecBroker, type Task, TaskDesk, TASKS, tenancy, tool } from '#libs/testing';
import type { Principal } from '#libs/ports';

describe('a held call of a client that follows tasks', () => {
  it('is a task at once, and is executed when people approved though nobody polls', async () => {
    const desk = new TaskDesk();
    const task = await desk.call();
    expect(task).toMatchObject({ resultType: 'task', status: 'working', pollIntervalMs: 5_000, statusMessage: expect.stringMatching(/waits for the approval of people until .* \(lead: 0 of 1\)/) as unknown });
    for (const member of ['result', 'error', 'inputRequests', 'requestState', 'content']) expect(task).not.toHaveProperty(member);
    expect(await desk.get(task.taskId)).toMatchObject({ resultType: 'complete', status: 'working', taskId: task.taskId });
    await desk.approve(task.taskId);
    await settle();
    expect(desk.executed).toBe(1);
    expect(desk.events).toEqual(['call.requested', 'policy.decided', 'policy.decided', 'call.completed']);
    const done = await desk.get(task.taskId);
    expect(done).toMatchObject({ status: 'completed', result: { resultType: 'complete', _meta: { 'dev.holdfast/call': { disposition: 'approved-executed', approvalId: task.taskId } } } });
    desk.spec.ring();
    await settle();
    expect(desk.executed).toBe(1);
  });

  it('joins the task of an equal call while that waits, and is a task of its own afterwards', async () => {
    const desk = new TaskDesk();
    const [one, two] = [await desk.call(), await desk.call()];
    expect(two.taskId).toBe(one.taskId);
    await desk.approve(one.taskId);
    await settle();
    const three = await desk.call();
    expect(three.taskId).not.toBe(one.taskId);
    expect(desk.executed).toBe(1);
  });

  it('that policy allows is answered as it always was', async () => {
    const desk = new TaskDesk();
    expect(await desk.call({}, { name: 'billing__list' })).toMatchObject({ resultType: 'complete', content: [] });
  });

  it('is asked about less often the older it is', async () => {
    const desk = new TaskDesk();
    const { taskId } = await desk.call();
    const intervals: number[] = [];
    for (const ahead of [1, 3, 16]) {
      desk.spec.aheadMs = ahead * 60_000;
      intervals.push((await desk.get(taskId)).pollIntervalMs);
    }
    expect(intervals).toEqual([5_000, 15_000, 60_000]);
  });

  it('is executed once where two brokers know of it, and one heard nothing', async () => {
    const desk = new TaskDesk();
    const { taskId } = await desk.call();
    const row = desk.spec.approvals.store.rows.get(taskId)!;
    const other = new SpecBroker(tenancy());
    other.upstreams.lists.set('mail', [tool('send')]);
    other.approvals.store.rows.set(taskId, row);
    await other.approvals.does(taskId, { type: 'vote', person: 'mia', verdict: 'approve', version: row.stored.state.version, via: 'api' });
    desk.spec.ring();
    await settle();
    expect(desk.executed + other.upstreams.calls.length).toBe(1);
  });
});

describe('what became of it', () => {
  it.each<[string, (desk: TaskDesk, id: string) => Promise<unknown>, string]>([
    ['denied', (desk, id) => desk.spec.approvals.deny(id, 'mia'), 'approval_denied'],
    ['expired', (desk, id) => ((desk.spec.aheadMs = 61 * 60_000), desk.spec.approvals.does(id, { type: 'expire' })), 'approval_expired'],
    ['killed', (desk, id) => desk.spec.approvals.does(id, { type: 'kill', kill: 'k' }), 'approval_killed'],
  ])('is told as a result: %s', async (how, end, code) => {
    const desk = new TaskDesk();
    const { taskId } = await desk.call();
    await end(desk, taskId);
    const task = await desk.get(taskId);
    expect(task).toMatchObject({ status: 'completed', result: { isError: true, _meta: { 'dev.holdfast/call': { code, state: how, disposition: 'denied-not-executed' } } } });
    expect(task.result!.content[0]!.text).toMatch(/^NOT EXECUTED/);
    expect(desk.executed).toBe(0);
  });

  it('is told as it is: a failed tool, an error of the protocol, an unknown outcome', async () => {
    const desk = new TaskDesk();
    const told: Task[] = [];
    for (const [id, answer] of ([{ kind: 'result', text: '{"content":[{"type":"text","text":"no"}],"isError":true}' }, { kind: 'error', text: '{"code":-32099,"message":"broken"}' }, { kind: 'lost', reason: 'timeout' }] as const).entries()) {
      desk.spec.upstreams.answer = () => answer;
      const { taskId } = await desk.call({ id });
      await desk.approve(taskId);
      told.push(await desk.get(taskId));
    }
    expect(told[0]).toMatchObject({ status: 'completed', result: { isError: true, content: [{ text: 'no' }] } });
    expect(told[1]).toMatchObject({ status: 'failed', error: { code: -32099, message: 'broken' } });
    expect(told[1]).not.toHaveProperty('result');
    expect(told[2]).toMatchObject({ status: 'completed', result: { isError: true, content: [{ text: expect.stringMatching(/^OUTCOME UNKNOWN/) as unknown }] } });
  });
});

describe('tasks/cancel', () => {
  it('takes the call back while nobody has claimed it', async () => {
    const desk = new TaskDesk();
    const { taskId } = await desk.call();
    expect((await desk.body('tasks/cancel', { taskId })).result).toEqual({ resultType: 'complete' });
    expect(await desk.get(taskId)).toMatchObject({ status: 'cancelled' });
    expect((await desk.body('tasks/cancel', { taskId })).result).toEqual({ resultType: 'complete' });
    desk.spec.ring();
    await settle();
    expect(desk.executed).toBe(0);
  });

  it('tells the server of a call that runs to stop, and what is known of it then', async () => {
    const desk = new TaskDesk();
    desk.spec.upstreams.answer = (call) => new Promise((resolve) => call.cancellation.onCancel(() => resolve({ kind: 'lost', reason: 'cancelled' })));
    const { taskId } = await desk.call();
    await desk.approve(taskId);
    expect(await desk.get(taskId)).toMatchObject({ status: 'working', statusMessage: expect.stringContaining('executed right now') as unknown });
    await desk.body('tasks/cancel', { taskId });
    const task = await desk.get(taskId);
    expect(task.status).toBe('completed');
    expect(task.result!.content[0]!.text).toMatch(/^OUTCOME UNKNOWN: The call was cancelled while it was running/);
    expect(desk.statusOf(taskId)).toBe('unknown');
  });
});

describe('a task is its caller’s', () => {
  it.each<[string, Parameters<TaskDesk['ask']>[2]]>([
    ['another user', { principal: { ...ada, user: 'ben', key: 'k2' } }],
    ['another client', { principal: { ...ada, client: 'web' } }],
    ['no agent', { principal: { tenant: 'acme', user: 'ada', client: 'cli', roles: ['agent'], groups: [], key: 'k3' } }],
    ['another tenant', { principal: { ...ada, tenant: 'globex' } }],
    ['a credential that does not reach the server', { principal: { ...ada, servers: ['mail'] } }],
    ['the path of another server', { server: 'mail' }],
  ])('and is not there for %s', async (_, as) => {
    const desk = new TaskDesk({ policies: [{ id: 'ask', tenant: 'acme', effect: 'require_approval', flow: 'leads' }, { id: 'ask-too', tenant: 'globex', effect: 'require_approval', flow: 'leads' }] });
    const { taskId } = await desk.call();
    const unknown = '00000000-0000-4000-8000-000000000000';
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const [here, nowhere] = await Promise.all([taskId, unknown].map((id) => desk.body(method, { taskId: id, inputResponses: {} }, as)));
      expect(here!.error).toMatchObject({ code: -32602 });
      expect({ ...here, id: 0 }).toEqual({ ...nowhere, id: 0 });
    }
    expect(desk.statusOf(taskId)).toBe('held');
  });

  it('is followed only by requests that say they can', async () => {
    const desk = new TaskDesk();
    const { taskId } = await desk.call();
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const reply = await desk.ask(method, { taskId, inputResponses: {} }, { declares: false });
      expect(reply.status).toBe(400);
      expect(bodyOf(reply).error).toMatchObject({ code: -32021, data: { requiredCapabilities: { extensions: { [TASKS]: {} } } } });
    }
    expect((await desk.body('subscriptions/listen', { notifications: { taskIds: [taskId] } }, { declares: false })).error).toMatchObject({ code: -32021 });
    expect((await desk.body('tasks/get', { taskId: 'no id' })).error).toMatchObject({ code: -32602 });
    expect((await desk.body('tasks/list', {})).error).toMatchObject({ code: -32601 });
  });

  it('is announced where policy may hold a call of this caller, and only there', async () => {
    const desk = new TaskDesk();
    const announced = async (more: Parameters<TaskDesk['ask']>[2]): Promise<boolean> => {
      const { result } = await desk.body('server/discover', {}, more);
      return TASKS in ((result!['capabilities'] as { extensions?: object }).extensions ?? {});
    };
    expect([await announced({}), await announced({ server: 'billing' }), await announced({ server: 'mail' }), await announced({ principal: { ...ada, tenant: 'globex' } })]).toEqual([true, true, false, false]);
    expect((await desk.body('tasks/get', { taskId: 'x' }, { server: 'mail' })).error).toMatchObject({ code: -32601 });
  });

  it('policy can insist on it', async () => {
    const desk = new TaskDesk({ policies: [{ id: 'ask', tenant: 'acme', effect: 'require_approval', flow: 'leads', tasks: 'required' }] });
    const reply = await desk.ask('tools/call', { name: 'billing__refund', arguments: {} }, { declares: false });
    expect(reply.status).toBe(400);
    expect(bodyOf(reply).error).toMatchObject({ code: -32021, data: { requiredCapabilities: { extensions: { [TASKS]: {} } } } });
    expect(desk.events).toEqual(['call.requested', 'policy.decided', 'approval.refused']);
    expect((await desk.call()).resultType).toBe('task');
  });
});

describe('the tools of Holdfast itself', () => {
  const text = (body: RpcBody): string => (body.result!['content'] as { text: string }[])[0]!.text;

  it('are listed where calls may be held, and reach no server', async () => {
    const desk = new TaskDesk();
    const names = await desk.spec.names();
    expect(names.slice(0, 2)).toEqual(['holdfast__approval_status', 'holdfast__approval_wait']);
    expect(await desk.spec.names({ server: 'billing' })).not.toContain('holdfast__approval_status');
    expect(await new SpecBroker().names()).not.toContain('holdfast__approval_status');
  });

  it('tell its caller how a held call stands, and nobody else', async () => {
    const desk = new TaskDesk();
    const { taskId } = await desk.call();
    const ask = (name: string, principal?: Principal): Promise<RpcBody> => desk.body('tools/call', { name, arguments: { approvalId: taskId } }, principal ? { principal } : {});
    expect(text(await ask('holdfast__approval_status'))).toMatch(/waits for the approval of people/);
    expect((await ask('holdfast__approval_status', { ...ada, user: 'ben', key: 'k2' })).result).toMatchObject({ isError: true, content: [{ text: 'There is no such approval.' }] });
    const waiting = ask('holdfast__approval_wait');
    await settle();
    await desk.spec.approvals.deny(taskId, 'mia');
    expect(text(await waiting)).toBe('This call was denied.');
    expect(desk.executed).toBe(0);
    expect(desk.events).toEqual(['call.requested', 'policy.decided']);
  });
});
