import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { type ChoresServer, startChoresServer } from './chores/chores-server.ts';
import { approvalWorld, type ApprovalWorld } from './harness/approval-world.ts';
import { expectProven, settled } from './harness/history.ts';
import { newKey } from './harness/holdfast.ts';
import { OFFICIAL_CLIENTS, type ToolResult } from './harness/official-clients.ts';
import { SecondBroker } from './harness/second-broker.ts';
import { type Task, TASK_CAPABILITIES, TaskClient } from './harness/task-client.ts';
import { until } from './harness/until.ts';

const ONE_STEP = { steps: [{ name: 'anybody', approvers: { groups: ['approvers'] } }] };
const about = ({ result }: Task): Readonly<Record<string, unknown>> | undefined => result?._meta?.['dev.holdfast/call'];

const decide = async (w: ApprovalWorld, id: string, verdict: 'approve' | 'deny' = 'approve'): Promise<void> => {
  const { version } = (await w.as('grace').show(id)).body;
  expect((await w.as('grace').decide(id, verdict, version, { reason: 'looked at' })).status).toBe(200);
};
const statusOf = async (w: ApprovalWorld, id: string): Promise<string> => (await w.as('grace').show(id)).body.status;

describe('a held call of a client that follows tasks', () => {
  const [other, narrow] = [newKey({ id: 'other-key', tenant: 'acme', user: 'barbara', client: 'e2e', agent: 'bot', roles: ['agent'] }), newKey({ id: 'narrow-key', tenant: 'acme', user: 'ada', client: 'e2e', agent: 'bot', roles: ['agent'], servers: ['chores'] })];
  let w: ApprovalWorld;
  let chores: ChoresServer;
  let client: TaskClient;
  const open: { close(): Promise<void> }[] = [];
  beforeAll(async () => {
    chores = await startChoresServer();
    w = await approvalWorld({
      flow: ONE_STEP,
      config: (base) => {
        const identity = base['identity'] as { users: unknown[]; keys: unknown[] };
        return {
          ...base,
          identity: { ...identity, keys: [...identity.keys, other.entry, narrow.entry] },
          servers: [...(base['servers'] as object[]), { id: 'chores', tenant: 'acme', transport: { type: 'http', url: chores.url } }],
          policies: [...(base['policies'] as object[]), { id: 'chores', tenant: 'acme', effect: 'require_approval', match: { tools: ['confirm_delete'] }, flow: 'two' }, { id: 'answered', tenant: 'acme', effect: 'require_approval', match: { tools: ['test_tool_with_task'] }, flow: 'two', when: "context.input == 'given'" }],
        };
      },
    });
    await w.installation.start();
    client = new TaskClient(w.installation.url, w.agentToken);
  }, 90_000);
  afterAll(async () => {
    for (const one of open) await one.close();
    await client.close();
    await w.close();
    await chores.close();
  }, 60_000);

  it('is executed once people approved, though nobody polls', async () => {
    const { taskId, status } = await client.call('wit__write', { marker: 'alone' });
    expect(status).toBe('working');
    expect((await client.get(taskId)).statusMessage).toMatch(/^This call waits for the approval of people until .* \(anybody: 0 of 1\)/);
    await decide(w, taskId);
    await until('it is executed', () => w.upstream.executed.has('alone'));
    await until('it is settled', async () => (await statusOf(w, taskId)) === 'executed');
    const task = await client.get(taskId);
    expect(task).toMatchObject({ status: 'completed', result: { content: [{ text: 'done alone' }] } });
    expect(about(task)).toMatchObject({ disposition: 'approved-executed', approvalId: taskId });
    expect(w.upstream.executed.get('alone')).toBe(1);
  });

  it('is not executed when people deny', async () => {
    const { taskId } = await client.call('wit__write', { marker: 'denied' });
    await decide(w, taskId, 'deny');
    const task = await client.when(taskId, 'completed');
    expect(task.result).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(/^NOT EXECUTED: This call was denied/) as unknown }] });
    expect(w.upstream.executed.has('denied')).toBe(false);
  });

  it('is nobody else’s: another user, and a credential that does not reach the server', async () => {
    const { taskId } = await client.call('wit__write', { marker: 'mine' });
    for (const { token } of [other, narrow]) {
      const stranger = new TaskClient(w.installation.url, token);
      open.push(stranger);
      for (const method of ['get', 'update', 'cancel'] as const) {
        const [here, nowhere] = await Promise.all([taskId, '00000000-0000-7000-8000-000000000000'].map((id) => stranger.ask(method, id, { inputResponses: {} })));
        expect({ ...here!.body, id: 0 }).toEqual({ ...nowhere!.body, id: 0 });
        expect(here!.body.error).toMatchObject({ code: -32602 });
      }
    }
    expect(await statusOf(w, taskId)).toBe('held');
    expect((await client.ask('cancel', taskId)).body.result).toEqual({ resultType: 'complete' });
    expect(await client.when(taskId, 'cancelled')).toMatchObject({ statusMessage: 'This call was cancelled.' });
    expect(await statusOf(w, taskId)).toBe('cancelled');
  });

  it('that runs already is not taken back: its server is told to stop, and what is known of it is told', async () => {
    const { taskId } = await client.call('wit__write', { marker: 'late', delayMs: 2_500 });
    await decide(w, taskId);
    await until('it runs', () => w.upstream.executed.has('late'));
    expect((await client.ask('cancel', taskId)).body.result).toEqual({ resultType: 'complete' });
    const task = await client.when(taskId, 'completed');
    expect(task.result!.content[0]!.text).toMatch(/^OUTCOME UNKNOWN: The call was cancelled while it was running/);
    expect(about(task)).toMatchObject({ disposition: 'outcome-unknown' });
  });

  it('asks its client what its server wants to know, and goes on with the answer', async () => {
    const { taskId } = await client.call('chores__confirm_delete', { filename: 'report.txt' });
    await decide(w, taskId);
    const { inputRequests } = await client.when(taskId, 'input_required');
    const [[name, request]] = Object.entries(inputRequests!) as [[string, { method: string; params: object }]];
    expect(request).toMatchObject({ method: 'elicitation/create', params: { message: 'Delete report.txt?' } });
    await client.ask('update', taskId, { inputResponses: { [name]: { action: 'accept', content: { confirm: true } } } });
    expect((await client.when(taskId, 'completed')).result).toMatchObject({ content: [{ text: 'deleted report.txt' }] });
  });

  it('may be held once its server has what it asked for; people see that too', async () => {
    const { body } = await client.request('chores__test_tool_with_task', {});
    expect(body.result).toMatchObject({ resultType: 'input_required' });
    const [name] = Object.keys(body.result!['inputRequests'] as object);
    const inputResponses = { [name!]: { action: 'accept', content: { name: 'Alice' } } };
    const { taskId } = await client.call('chores__test_tool_with_task', {}, { inputResponses });
    expect((await w.as('grace').show(taskId)).body.opened).toMatchObject({ input: inputResponses });
    await decide(w, taskId);
    expect((await client.when(taskId, 'completed')).result).toMatchObject({ content: [{ text: 'Hello, Alice!' }] });
  });

  it('is followed by the official client, which takes no task for an answer yet; without tasks it waits', async () => {
    const official = new Client({ name: 'e2e', version: '1' }, { versionNegotiation: { mode: 'auto' }, capabilities: TASK_CAPABILITIES });
    await official.connect(new StreamableHTTPClientTransport(new URL(`${w.installation.url}/mcp`), { requestInit: { headers: { authorization: `Bearer ${w.agentToken}` } } }));
    open.push(official);
    expect(official.getServerCapabilities()?.extensions).toHaveProperty(['io.modelcontextprotocol/tasks']);
    await expect(official.callTool({ name: 'wit__write', arguments: { marker: 'official' } })).rejects.toMatchObject({ data: { resultType: 'task' } });
    const { id } = (await w.waiting(1))[0]!;
    await decide(w, id);
    const answer = z.looseObject({ status: z.string(), result: z.looseObject({ content: z.array(z.looseObject({ text: z.string() })) }).optional() });
    const done = await until('it is completed', async () => {
      const task = await official.request({ method: 'tasks/get', params: { taskId: id } }, answer);
      return task.status === 'completed' && task;
    });
    expect(done.result!.content[0]!.text).toBe('done official');

    const plain = await OFFICIAL_CLIENTS['v2, version negotiated']!(`${w.installation.url}/mcp`, w.agentToken);
    open.push(plain);
    const calling = plain.callTool({ name: 'wit__write', arguments: { marker: 'plain' } });
    const [held] = await w.waiting(1);
    const said: ToolResult = await plain.callTool({ name: 'holdfast__approval_status', arguments: { approvalId: held!.id } });
    expect(said.content[0]!.text).toMatch(/^This call waits for the approval of people/);
    await decide(w, held!.id);
    expect((await calling).content[0]!.text).toBe('done plain');
  });

  it('leaves a log that proves all of it', async () => {
    const calls = [...(await settled(w.installation, w.auditorToken)).values()];
    const asked = calls.find(({ events }) => events.some((event) => event.type === 'call.requested' && event.data['tool'] === 'confirm_delete'))!;
    expect(asked.types.filter((type) => type.startsWith('call.') || type === 'approval.claimed' || type === 'approval.settled')).toEqual(['call.requested', 'approval.claimed', 'call.completed', 'approval.settled']);
    expect([...w.upstream.executed.values()].every((times) => times === 1)).toBe(true);
    await expectProven(w.installation);
  });
});

describe('tasks over two brokers', () => {
  it('held on one, told and executed by the other when the first was killed: once', async () => {
    const w = await approvalWorld({ flow: ONE_STEP });
    const second = new SecondBroker();
    const clients: TaskClient[] = [];
    try {
      await w.installation.start();
      await second.start(w.installation);
      const [there, here] = [new TaskClient(second.url, w.agentToken), new TaskClient(w.installation.url, w.agentToken)];
      clients.push(there, here);
      const together: string[] = [];
      for (let i = 0; i < 5; i++) together.push((await there.call('wit__write', { marker: `both ${i}` })).taskId);
      for (const id of together) await decide(w, id);
      for (const [i, id] of together.entries()) expect((await here.when(id, 'completed')).result).toMatchObject({ content: [{ text: `done both ${i}` }] });

      const { taskId } = await there.call('wit__write', { marker: 'orphan' });
      expect(await here.get(taskId)).toMatchObject({ status: 'working' });
      await second.stop('SIGKILL');
      await decide(w, taskId);
      expect((await here.when(taskId, 'completed')).result).toMatchObject({ content: [{ text: 'done orphan' }] });
      expect(Object.fromEntries(w.upstream.executed)).toEqual({ 'both 0': 1, 'both 1': 1, 'both 2': 1, 'both 3': 1, 'both 4': 1, orphan: 1 });
      await settled(w.installation, w.auditorToken);
      await expectProven(w.installation);
    } finally {
      for (const client of clients) await client.close();
      await second.close();
      await w.close();
    }
  }, 120_000);
});

describe('tasks through a crash of the only broker', () => {
  it('while it runs: unknown, told as such, and never done again; while it waits: executed when the broker is back', async () => {
    const w = await approvalWorld({ flow: ONE_STEP });
    const clients: TaskClient[] = [];
    const client = (): TaskClient => {
      clients.push(new TaskClient(w.installation.url, w.agentToken));
      return clients.at(-1)!;
    };
    try {
      await w.installation.start();
      const before = client();
      const running = await before.call('wit__write', { marker: 'once', delayMs: 5_000 });
      const waiting = await before.call('wit__write', { marker: 'waits' });
      await decide(w, running.taskId);
      await until('it runs', () => w.upstream.executed.has('once'));
      await w.installation.killBroker();
      await w.installation.start();
      const after = client();
      await decide(w, waiting.taskId);
      expect((await after.when(waiting.taskId, 'completed')).result).toMatchObject({ content: [{ text: 'done waits' }] });
      await until('it is settled', async () => (await statusOf(w, running.taskId)) === 'unknown');
      const task = await after.get(running.taskId);
      expect(task).toMatchObject({ status: 'completed', result: { isError: true } });
      expect(task.result!.content[0]!.text).toMatch(/^OUTCOME UNKNOWN/);
      expect(about(task)).toMatchObject({ disposition: 'outcome-unknown' });
      expect(Object.fromEntries(w.upstream.executed)).toEqual({ once: 1, waits: 1 });
      await settled(w.installation, w.auditorToken);
      await expectProven(w.installation);
    } finally {
      for (const one of clients) await one.close();
      await w.close();
    }
  }, 120_000);
});
