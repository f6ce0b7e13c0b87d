import { describe, expect, it } from '@jest/globals';
import { ada, bodyOf, LegacyClient, MemoryChannel, tool } from '#libs/testing';
import type { McpReply } from '#libs/broker/core';
import { approvals, Office, settle, text, told } from './spec/office.ts';

describe('a held call in the 2026 era', () => {
  it('sends what was judged and shown, and nothing that stands beside it', async () => {
    const office = new Office();
    // A server that does not tell upper case from lower case would take the second one.
    const params = `{"name":"billing__refund","arguments":{"id":1},"Arguments":{"id":2},"ARGUMENT\\u0053":{"id":3},"Name":"purge","more":1,"task":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}`;
    const waiting = office.spec.http(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`, {
      headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'billing__refund' },
      channel: new MemoryChannel(),
    });
    await settle();
    await office.spec.approvals.approve(office.approval, 'mia');
    await waiting;
    expect(office.spec.upstreams.calls.map(({ call }) => JSON.parse(call.params) as unknown)).toEqual([{ name: 'refund', arguments: { id: 1 } }]);
  });

  it('waits on its request and is executed when people approve', async () => {
    const office = new Office();
    const waiting = office.call();
    await settle();
    expect(office.executed).toBe(0);
    await office.spec.approvals.approve(office.approval, 'mia');
    const body = bodyOf(await waiting);
    expect(told(body)).toMatchObject({ disposition: 'approved-executed', approvalId: office.approval });
    expect(office.executed).toBe(1);
    expect(office.events).toEqual(['call.requested', 'policy.decided', 'policy.decided', 'call.completed']);
    expect(office.spec.approvals.store.rows.get(office.approval)!.stored.state.status).toBe('executed');
  });

  it('is told to come back, ten times, and the eleventh leg says that it is pending', async () => {
    const office = new Office();
    let state: unknown;
    for (let leg = 1; leg <= 10; leg++) {
      const { result } = await office.leg(office.call({ id: 1 }, { state }));
      expect(result).toEqual({ resultType: 'input_required', requestState: expect.any(String) as unknown });
      state = result!['requestState'];
    }
    const last = await office.leg(office.call({ id: 1 }, { state }));
    expect(text(last)).toMatch(/^NOT EXECUTED: This call waits for the approval of people until .* \(lead: 0 of 1\)/);
    expect(told(last)).toMatchObject({ code: 'approval_pending', state: 'held' });
    expect(office.spec.approvals.ids).toHaveLength(1);
    // Legs are no calls of their own.
    expect(office.events).toEqual(['call.requested', 'policy.decided']);
  });

  it('is collected by a later leg', async () => {
    const office = new Office();
    const { result } = await office.leg(office.call());
    const second = office.call({ id: 1 }, { state: result!['requestState'] });
    await settle();
    await office.spec.approvals.approve(office.approval, 'mia');
    expect(told(bodyOf(await second)).disposition).toBe('approved-executed');
    expect(office.executed).toBe(1);
  });

  it('is never executed for nobody: an approval after the client hung up is a grant, which the same call redeems', async () => {
    const office = new Office();
    const channel = new MemoryChannel();
    const first = office.call({ id: 1 }, { channel });
    await settle();
    channel.leave();
    await first;
    await office.spec.approvals.approve(office.approval, 'mia');
    await settle();
    expect(office.executed).toBe(0);
    expect(told(bodyOf(await office.call())).disposition).toBe('approved-executed');
    expect(office.executed).toBe(1);
    expect(office.events.filter((type) => type === 'approval.joined')).toHaveLength(1);
  });

  it.each<[string, (office: Office, state: unknown) => Promise<McpReply>]>([
    ['other arguments', (office, state) => office.call({ id: 2 }, { state })],
    ['another tool', (office, state) => office.call({ id: 1 }, { state, name: 'billing__list' })],
    ['another caller', (office, state) => office.call({ id: 1 }, { state, principal: { ...ada, user: 'ben', key: 'k2' } })],
    ['a changed state', (office, state) => office.call({ id: 1 }, { state: `holdfast-approval.${String(state).slice(30)}` })],
  ])('does not take its state back with %s', async (_, again) => {
    const office = new Office();
    const { result } = await office.leg(office.call());
    expect(bodyOf(await again(office, result!['requestState'])).error).toMatchObject({ code: -32602 });
    expect(office.executed).toBe(0);
  });

  it('does not take its state back when it is older than ten minutes', async () => {
    const office = new Office();
    const { result } = await office.leg(office.call());
    office.spec.aheadMs = 11 * 60_000;
    expect(bodyOf(await office.call({ id: 1 }, { state: result!['requestState'] })).error).toMatchObject({ code: -32602 });
  });

  it('hears of progress when it asked to', async () => {
    const office = new Office();
    const channel = new MemoryChannel();
    const waiting = office.call({ id: 1 }, { channel, meta: { progressToken: 'p' } });
    await settle();
    expect(channel.begun).toBe(true);
    await office.leg(waiting);
    expect(channel.sent[0]).toMatchObject({ method: 'notifications/progress', params: { progressToken: 'p', progress: 10, message: 'waiting for approval: lead: 0 of 1' } });
  });
});

describe('what people decided', () => {
  it.each(['denied', 'expired', 'cancelled'])('is told to who waits: %s', async (how) => {
    const office = new Office();
    const waiting = office.call();
    await settle();
    if (how === 'denied') await office.spec.approvals.deny(office.approval, 'mia');
    if (how === 'cancelled') await office.spec.approvals.does(office.approval, { type: 'cancel', person: 'ada', operator: false, via: 'api' });
    if (how === 'expired') {
      office.spec.aheadMs = 61 * 60_000;
      await office.spec.approvals.does(office.approval, { type: 'expire' });
    }
    const body = bodyOf(await waiting);
    expect(text(body)).toMatch(/^NOT EXECUTED/);
    expect(told(body)).toMatchObject({ state: how, code: `approval_${how}`, disposition: 'denied-not-executed' });
    expect(office.executed).toBe(0);
  });

  it('answers the same call again for a quarter of an hour, and then another one is asked for', async () => {
    const office = new Office();
    const first = office.call();
    await settle();
    await office.spec.approvals.approve(office.approval, 'mia');
    await first;
    expect(told(bodyOf(await office.call())).disposition).toBe('approved-executed');
    expect(office.executed).toBe(1);
    office.spec.aheadMs = 16 * 60_000;
    const later = office.call();
    await settle();
    expect(office.spec.approvals.ids).toHaveLength(2);
    await office.leg(later);
  });

  it('joins equal calls to one approval and one execution, and answers both', async () => {
    const office = new Office();
    const both = [office.call(), office.call()];
    await settle();
    expect(office.spec.approvals.ids).toHaveLength(1);
    await office.spec.approvals.approve(office.approval, 'mia');
    const answers = await Promise.all(both);
    expect(answers.map((reply) => told(bodyOf(reply)).disposition)).toEqual(['approved-executed', 'approved-executed']);
    expect(office.executed).toBe(1);
  });

  it.each<[string, Record<string, unknown>, { id: number; key?: string }[]]>([
    ['other arguments', {}, [{ id: 1 }, { id: 2 }]],
    ['another idempotency key', {}, [{ id: 1, key: 'a' }, { id: 1, key: 'b' }]],
  ])('does not join calls with %s', async (_, more, calls) => {
    const office = new Office(more);
    const waiting = calls.map(({ id, key: name }) => office.call({ id }, name === undefined ? {} : { meta: { 'dev.holdfast/idempotencyKey': name } }));
    await settle();
    expect(office.spec.approvals.ids).toHaveLength(2);
    for (const reply of waiting) void office.leg(reply);
    await Promise.all(waiting);
  });

  it('does not join calls where policy says that each is asked about', async () => {
    const office = new Office({ policies: [{ id: 'ask', tenant: 'acme', effect: 'require_approval', flow: 'leads', repeats: 'ask' }] });
    const waiting = [office.call(), office.call()];
    await settle();
    expect(office.spec.approvals.ids).toHaveLength(2);
    for (const reply of waiting) void office.leg(reply);
    await Promise.all(waiting);
  });

  it('tells of arguments that people put in place of the agent’s, and sends theirs', async () => {
    const office = new Office();
    const waiting = office.call({ id: 1 });
    await settle();
    await office.spec.approvals.edit(office.approval, 'mia', { id: 7 });
    const body = bodyOf(await waiting);
    expect(JSON.parse(office.spec.upstreams.calls[0]!.call.params)).toMatchObject({ arguments: { id: 7 } });
    expect(told(body)).toMatchObject({ argumentsEdited: true });
    expect((body.result!['content'] as { text: string }[]).at(-1)!.text).toMatch(/other arguments/);
  });
});

describe('between approval and execution', () => {
  const approved = async (office: Office): Promise<void> => {
    const channel = new MemoryChannel();
    const first = office.call({ id: 1 }, { channel });
    await settle();
    channel.leave();
    await first;
    await office.spec.approvals.approve(office.approval, 'mia');
  };

  it.each<[string, (office: Office) => void, string]>([
    ['who approved has left', ({ spec }) => spec.approvals.without('mia'), 'quorum_lost'],
    ['the credential is revoked', ({ spec }) => spec.broker.use(approvals({ identity: { users: [{ id: 'ada', tenant: 'acme', groups: ['finance'] }], keys: [] } }), 7), 'requester_invalid'],
  ])('is checked again: %s', async (_, change, code) => {
    const office = new Office();
    await approved(office);
    change(office);
    office.spec.aheadMs = 10_000;
    const again = bodyOf(await office.call());
    expect(told(again).code).toBe(code);
    expect(office.executed).toBe(0);
    expect(office.events).toContain('approval.release_refused');
  });

  it('a tool that is not the one people saw is not called', async () => {
    const office = new Office();
    const waiting = office.call();
    await settle();
    office.spec.upstreams.lists.set('billing', [{ ...tool('refund'), description: 'Refunds everything.' }, tool('list')]);
    office.spec.aheadMs = 5 * 60_000;
    await office.spec.approvals.approve(office.approval, 'mia');
    expect(told(bodyOf(await waiting)).code).toBe('tool_changed');
    expect(office.executed).toBe(0);
    expect(office.events).toContain('approval.release_refused');
  });

  it('policy is asked anew, and a denial by it stands', async () => {
    const office = new Office();
    await approved(office);
    const stricter = approvals({ policies: [{ id: 'ask', tenant: 'acme', effect: 'require_approval', flow: 'leads' }, { id: 'no', tenant: 'acme', effect: 'deny', when: 'args.never' }] });
    office.spec.broker.use(stricter, 7);
    expect(told(bodyOf(await office.call())).disposition).toBe('approved-executed');
    const refusing = new Office();
    await approved(refusing);
    refusing.spec.broker.use(approvals({ policies: [{ id: 'no', tenant: 'acme', effect: 'deny' }] }), 7);
    expect(told(bodyOf(await refusing.call())).code).toBe('tool_not_found');
    expect(refusing.executed).toBe(0);
  });

  it('a broker that cannot write the log does not send, and the approval is used up', async () => {
    const office = new Office();
    const waiting = office.call();
    await settle();
    office.spec.recorder.failOn('policy.decided', 'late');
    await office.spec.approvals.approve(office.approval, 'mia');
    expect(told(bodyOf(await waiting)).code).toBe('journal_unavailable');
    expect(office.executed).toBe(0);
    expect(office.spec.approvals.store.rows.get(office.approval)!.stored.state.status).toBe('failed');
  });
});

describe('while the database is away', () => {
  it('waiting requests go on waiting, and are told how things stood when their time is over', async () => {
    const office = new Office();
    const { store } = office.spec.approvals;
    const load = store.load.bind(store);
    const waiting = office.call();
    await settle();
    store.load = () => Promise.reject(new Error('the database is away'));
    await store.change('acme', office.approval, (found) => ({ result: null, next: found, events: [{ type: 'approval.arguments_shown' } as never] }));
    await settle();
    store.load = load;
    await office.spec.approvals.approve(office.approval, 'mia');
    expect(told(bodyOf(await waiting)).disposition).toBe('approved-executed');
    const second = office.call({ id: 2 });
    await settle();
    store.load = () => Promise.reject(new Error('the database is away'));
    expect((await office.leg(second)).result).toMatchObject({ resultType: 'input_required' });
  });
});

describe('a held call in the older era', () => {
  const params = { name: 'billing__refund', arguments: { id: 1 } };

  it('is executed on the request that waits', async () => {
    const office = new Office();
    const client = await LegacyClient.open(office.spec);
    const waiting = client.ask('tools/call', params);
    await settle();
    await office.spec.approvals.approve(office.approval, 'mia');
    expect(told(await waiting).disposition).toBe('approved-executed');
  });

  it('is pending when its time is over; the repeated call collects what people decided meanwhile', async () => {
    const office = new Office();
    const client = await LegacyClient.open(office.spec);
    const pending = client.ask('tools/call', params);
    await settle();
    office.spec.ring();
    expect(told(await pending)).toMatchObject({ code: 'approval_pending', state: 'held' });
    await office.spec.approvals.approve(office.approval, 'mia');
    expect(office.executed).toBe(0);
    expect(told(await client.ask('tools/call', params)).disposition).toBe('approved-executed');
    expect(told(await client.ask('tools/call', params)).disposition).toBe('approved-executed');
    expect(office.executed).toBe(1);
  });
});

describe('a call that cannot be held', () => {
  it('is over when its grant is, also while nobody has said so yet', async () => {
    const office = new Office({ flows: [{ id: 'leads', tenant: 'acme', grantFor: '1m', steps: [{ name: 'lead', approvers: { groups: ['leads'] } }] }] });
    const { result } = await office.leg(office.call());
    await office.spec.approvals.approve(office.approval, 'mia');
    office.spec.aheadMs = 2 * 60_000;
    expect(told(bodyOf(await office.call({ id: 1 }, { state: result!['requestState'] }))).code).toBe('approval_expired');
    expect(office.executed).toBe(0);
  });

  it('is refused, and nothing is said of it that nobody knows, when the state cannot be reached', async () => {
    const office = new Office();
    office.spec.approvals.store.open = () => Promise.reject(new Error('the connection broke'));
    expect(told(bodyOf(await office.call())).code).toBe('database_unavailable');
    expect(office.events).toEqual(['call.requested', 'policy.decided']);
    expect(office.spec.faults).toHaveLength(1);
  });

  it('does not join without a record of it, and is not called refused', async () => {
    const office = new Office();
    const first = office.call();
    await settle();
    office.spec.recorder.failOn('approval.joined', 'down');
    expect(told(bodyOf(await office.call())).code).toBe('journal_unavailable');
    expect(office.events).not.toContain('approval.refused');
    await office.leg(first);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['nobody may approve', { flows: [{ id: 'leads', tenant: 'acme', steps: [{ name: 'lead', approvers: { groups: ['nobody'] } }] }] }, 'approval_unavailable'],
    ['only the caller could', { flows: [{ id: 'leads', tenant: 'acme', steps: [{ name: 'lead', approvers: { users: ['ada'] } }] }] }, 'approval_unavailable'],
    ['a reason is missing', { flows: [{ id: 'leads', tenant: 'acme', requesterReason: 'required', steps: [{ name: 'lead', approvers: { groups: ['leads'] } }] }] }, 'reason_required'],
    ['there is no such flow', { flows: [] }, 'approval_unavailable'],
  ])('is refused at once, on record: %s', async (_, more, code) => {
    const office = new Office(more);
    const body = bodyOf(await office.call());
    expect(told(body).code).toBe(code);
    expect(office.events).toEqual(['call.requested', 'policy.decided', 'approval.refused']);
    expect(office.spec.approvals.ids).toEqual([]);
  });

  it('is refused when too many wait already', async () => {
    const office = new Office({ limits: [{ tenant: 'acme', per: 'agent', held: 1 }] });
    const first = office.call({ id: 1 });
    await settle();
    expect(told(bodyOf(await office.call({ id: 2 }))).code).toBe('too_many_held');
    await office.leg(first);
  });
});
