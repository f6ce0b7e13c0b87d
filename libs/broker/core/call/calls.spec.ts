import { describe, expect, it } from '@jest/globals';
import { type EventDraft, Refusal } from '#libs/contracts';
import { codeOf, config, type RecorderFailure, SpecBroker, specDigest } from '#libs/testing';
import type { UpstreamAnswer } from '../upstream/upstreams.ts';

type Of<T extends EventDraft['type']> = Extract<EventDraft, { type: T }>;
const find = <T extends EventDraft['type']>(spec: SpecBroker, type: T): Of<T> =>
  spec.recorder.log.find((event) => event.type === type) as Of<T>;
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the life of a call', () => {
  it('is recorded before it is sent, and again before it is answered', async () => {
    const spec = new SpecBroker();
    const seen: string[][] = [];
    spec.upstreams.answer = () => {
      seen.push(spec.recorder.types());
      return { kind: 'result', text: '{"content":[]}' };
    };
    const release = spec.recorder.holdOn('call.completed');
    let answered = false;
    const call = spec.call('billing__refund', { amount: 5 }).then((answer) => ((answered = true), answer));
    while (seen.length === 0) await tick();
    for (let i = 0; i < 20; i++) await tick();
    expect(seen).toEqual([['call.requested', 'policy.decided']]);
    expect(answered).toBe(false);
    release();
    expect((await call).result?.isError).toBeUndefined();
    expect(spec.recorder.types()).toEqual(['call.requested', 'policy.decided', 'call.completed']);
  });

  it('waits for the records of its admission before anything is sent', async () => {
    const spec = new SpecBroker();
    await spec.names();
    const release = spec.recorder.holdOn('policy.decided');
    const call = spec.call('billing__refund', {});
    for (let i = 0; i < 20; i++) await tick();
    expect(spec.upstreams.calls).toEqual([]);
    release();
    await call;
    expect(spec.upstreams.calls).toHaveLength(1);
  });

  it('sends nothing when the broker lost touch while it waited for the journal, and says so', async () => {
    const spec = new SpecBroker();
    await spec.names();
    const release = spec.recorder.holdOn('policy.decided');
    const call = spec.call('billing__refund', {});
    for (let i = 0; i < 20; i++) await tick();
    spec.stale = new Refusal('state_stale');
    release();
    expect(codeOf(await call)).toBe('state_stale');
    expect(spec.upstreams.calls).toEqual([]);
    expect(spec.recorder.types()).toEqual(['call.requested', 'policy.decided', 'call.abandoned']);
    expect(find(spec, 'call.abandoned').data).toEqual({ reason: 'state_stale' });
  });

  it('says who, what, why and how it ended; values stand sealed beside it', async () => {
    const spec = new SpecBroker();
    spec.upstreams.answer = () => ({ kind: 'result', text: '{"content":[{"type":"text","text":"s3cret"}]}' });
    const args = { b: 'pri vate', a: 1 };
    const _meta = {
      'dev.holdfast/reason': 'because of Grace',
      'dev.holdfast/run': 'run-1',
      'dev.holdfast/idempotencyKey': 'key-1',
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    };
    await spec.call('billing__refund', args, { _meta });
    const [requested, decided, completed] = [find(spec, 'call.requested'), find(spec, 'policy.decided'), find(spec, 'call.completed')];
    expect(requested).toMatchObject({
      tenant: 'acme',
      actor: { user: 'ada', client: 'cli', agent: 'bot', via: 'mcp', ip: '192.0.2.1' },
      links: { run: 'run-1', trace: _meta.traceparent },
      data: {
        server: 'billing',
        tool: 'refund',
        exposed: 'billing__refund',
        class: 'write',
        argsDigest: specDigest('{"a":1,"b":"pri vate"}'),
        argsBytes: JSON.stringify(args).length,
        argsAbsent: false,
        protocol: '2026-07-28',
        endpoint: '/mcp',
        idempotencyKey: 'key-1',
      },
      seal: { '/args': args, '/reason': 'because of Grace' },
    });
    expect(decided).toMatchObject({
      cause: requested.id,
      data: { effect: 'allow', stage: 'policy', rule: 'everything', policyVersion: 7 },
    });
    expect(completed).toMatchObject({
      cause: decided.id,
      data: { outcome: 'succeeded', class: 'write', upstream: { server: 'billing', requestId: requested.corr }, rollback: 'none-declared' },
      seal: { '/result': { content: [{ type: 'text', text: 's3cret' }] } },
    });
    for (const event of [requested, decided, completed]) {
      expect([event.corr, event.links.call]).toEqual([requested.corr, requested.corr]);
      const { seal: _, ...open } = event;
      expect(JSON.stringify(open)).not.toMatch(/s3cret|pri vate|Grace/);
    }
  });

  it('sends the arguments upstream as they came in, and nothing of ours or of the protocol', async () => {
    const spec = new SpecBroker();
    const text = '{ "amount" : 1.50e1, "note":"\\u0061" }';
    const meta =
      '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"dev.holdfast/run":"r","progressToken":1,"vendor/x":{"__proto__":1}';
    await spec.http(
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":${text},"name":"billing__refund","_meta":{${meta}}}}`,
      {
        headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'billing__refund' },
      },
    );
    const { call } = spec.upstreams.calls[0]!;
    expect(call.params).toBe(`{"arguments":${text},"name":"refund"}`);
    expect(JSON.stringify(call.meta)).toBe('{"vendor/x":{"__proto__":1}}');
    await spec.call('billing__refund');
    expect(spec.upstreams.calls[1]?.call.params).toBe('{"name":"refund"}');
    expect(find(spec, 'call.requested').data.argsAbsent).toBe(false);
    expect(spec.recorder.log.filter((event) => event.type === 'call.requested')[1]).toMatchObject({
      data: { argsAbsent: true, argsBytes: 0 },
      seal: { '/args': {} },
    });
  });
});

describe('a refused call', () => {
  const cases: [string, string, (spec: SpecBroker) => [string, Record<string, unknown>], Record<string, unknown>][] = [
    ['an unknown name', 'tool_not_found', () => ['billing__nothing', {}], { stage: 'resolve', rule: null }],
    ['a hidden tool', 'tool_not_found', () => ['billing__purge', {}], { stage: 'resolve', rule: null }],
    [
      'arguments that do not fit',
      'arguments_invalid',
      () => ['billing__refund', { invalid: 1 }],
      { stage: 'arguments', reason: 'type at #/properties/id/type' },
    ],
    [
      'a rule that denies',
      'policy_denied',
      () => ['billing__refund', { bad: true }],
      { stage: 'policy', rule: 'not-so', reason: 'Bad refunds are not made.' },
    ],
    [
      'a state that is not fresh',
      'state_stale',
      (spec) => ((spec.stale = new Refusal('state_stale')), ['billing__refund', {}]),
      { stage: 'policy', rule: null },
    ],
  ];

  it.each(cases)('for %s leaves the same two records and is never sent', async (_, code, make, decision) => {
    const spec = new SpecBroker();
    const [name, args] = make(spec);
    const answer = await spec.call(name, args);
    expect(codeOf(answer)).toBe(code);
    expect(answer.result?.isError).toBe(true);
    expect(answer.result?.content?.[0]?.text).toMatch(/^NOT EXECUTED: .+\n/);
    expect(spec.recorder.types()).toEqual(['call.requested', 'policy.decided']);
    expect(find(spec, 'policy.decided').data).toMatchObject({ effect: 'deny', code, ...decision });
    expect(spec.upstreams.calls).toEqual([]);
  });

  it('records the attempt under the name it used, and tells nothing of a hidden tool in the fields a reader might share', async () => {
    const spec = new SpecBroker();
    await spec.call('billing__purge', {});
    expect(find(spec, 'call.requested').data).toMatchObject({
      server: null,
      toolHash: null,
      class: null,
      tool: 'billing__purge',
      exposed: 'billing__purge',
    });
  });

  it('for a rule that asks for approval, says that nobody can give it', async () => {
    const spec = new SpecBroker(config({ policies: [{ id: 'hold', tenant: 'acme', effect: 'require_approval', flow: 'one' }] }));
    expect(codeOf(await spec.call('billing__refund', {}))).toBe('approval_unavailable');
    expect(find(spec, 'policy.decided').data).toMatchObject({
      effect: 'require_approval',
      stage: 'approval',
      flow: 'one',
      rule: 'hold',
    });
    expect(spec.upstreams.calls).toEqual([]);
  });

  it('for a condition that cannot be evaluated, is denied and recorded as such', async () => {
    const spec = new SpecBroker(
      config({
        policies: [
          { id: 'a', tenant: 'acme', effect: 'allow' },
          { id: 'b', tenant: 'acme', effect: 'allow', when: 'boom' },
        ],
      }),
    );
    expect(codeOf(await spec.call('billing__refund', {}))).toBe('policy_error');
    expect(find(spec, 'policy.decided').data).toMatchObject({ effect: 'deny', code: 'policy_error', rule: 'b' });
    expect(spec.upstreams.calls).toEqual([]);
  });

  it('with a name of megabytes still fits into an event', async () => {
    const spec = new SpecBroker();
    expect(codeOf(await spec.call(`billing__${'é😀'.repeat(300_000)}`, {}))).toBe('tool_not_found');
    const { data } = find(spec, 'call.requested');
    expect(data.exposed.length).toBeLessThanOrEqual(200);
    expect(data.exposed.isWellFormed()).toBe(true);
  });
});

describe('the failure table: records of the admission', () => {
  const table: [RecorderFailure, string, string[]][] = [
    // Before persist: nothing happened, nothing is on record.
    ['down', 'journal_unavailable', []],
    ['full', 'overloaded', []],
    ['stopped', 'stopping', []],
    ['fault', 'journal_unavailable', []],
    // After persist, too late: the decision will be in the log, so the log also says that it was not acted upon.
    ['late', 'journal_unavailable', ['call.requested', 'policy.decided', 'call.abandoned']],
  ];

  it.each(table)('%s: the agent is told %s and nothing is sent', async (failure, code, records) => {
    const spec = new SpecBroker();
    spec.recorder.failOn('policy.decided', failure);
    const answer = await spec.call('billing__refund', {});
    await tick();
    expect(codeOf(answer)).toBe(code);
    expect(answer.result?._meta?.['dev.holdfast/call']).toMatchObject({ disposition: 'not_executed', retryAfterMs: expect.any(Number) });
    expect(spec.upstreams.calls).toEqual([]);
    expect(spec.recorder.types()).toEqual(records);
  });

  it('an abandoned call names its decision and why', async () => {
    const spec = new SpecBroker();
    spec.recorder.failOn('policy.decided', 'late');
    await spec.call('billing__refund', {});
    await tick();
    expect(find(spec, 'call.abandoned')).toMatchObject({ cause: find(spec, 'policy.decided').id, data: { reason: 'journal_late' } });
  });

  it('late records of a denial are not abandoned: there was nothing to do', async () => {
    const spec = new SpecBroker();
    spec.recorder.failOn('policy.decided', 'late');
    expect(codeOf(await spec.call('billing__refund', { bad: true }))).toBe('journal_unavailable');
    await tick();
    expect(spec.recorder.types()).toEqual(['call.requested', 'policy.decided']);
  });
});

describe('the failure table: dispatch and the upstream answer', () => {
  const table: [UpstreamAnswer, string, string | undefined, string | undefined, string][] = [
    [{ kind: 'result', text: '{"content":[]}' }, 'succeeded', undefined, undefined, ''],
    [{ kind: 'result', text: '{"content":[],"isError":true}' }, 'failed', 'tool_error', undefined, ''],
    [{ kind: 'result', text: '{"resultType":"input_required","requestState":"s"}' }, 'failed', 'input_required', undefined, ''],
    [{ kind: 'result', text: '{"resultType":"task","taskId":"t"}' }, 'unknown', 'upstream_protocol', undefined, ''],
    [{ kind: 'result', text: '{"resultType":null,"content":[]}' }, 'unknown', 'upstream_protocol', undefined, ''],
    [{ kind: 'error', text: '{"code":-32602,"message":"no"}' }, 'failed', 'upstream_error', undefined, ''],
    [{ kind: 'too_large' }, 'succeeded', 'result_too_large', 'result_too_large', 'EXECUTED: '],
    [{ kind: 'too_large', isError: true }, 'failed', 'result_too_large', 'result_too_large', 'EXECUTED: '],
    [{ kind: 'too_large', cut: true }, 'unknown', 'result_too_large', 'result_too_large', 'OUTCOME UNKNOWN: '],
    [{ kind: 'not_sent', reason: 'unreachable' }, 'failed', 'upstream_unreachable', 'upstream_unreachable', 'NOT EXECUTED: '],
    [{ kind: 'not_sent', reason: 'busy' }, 'failed', 'overloaded', 'overloaded', 'NOT EXECUTED: '],
    [{ kind: 'rejected', status: 401 }, 'failed', 'upstream_protocol', 'upstream_protocol', 'NOT EXECUTED: '],
    [{ kind: 'lost', reason: 'timeout' }, 'unknown', 'upstream_timeout', 'upstream_timeout', 'OUTCOME UNKNOWN: '],
    [{ kind: 'lost', reason: 'broken' }, 'unknown', 'upstream_broken', 'upstream_broken', 'OUTCOME UNKNOWN: '],
    [{ kind: 'lost', reason: 'protocol' }, 'unknown', 'upstream_protocol', 'upstream_protocol', 'OUTCOME UNKNOWN: '],
    [{ kind: 'lost', reason: 'stopped' }, 'unknown', 'stopping', 'stopping', 'OUTCOME UNKNOWN: '],
  ];

  it.each(table)('%j is recorded as %s (%s)', async (upstream, outcome, errorClass, code, words) => {
    for (const name of ['billing__refund', 'billing__list']) {
      const spec = new SpecBroker();
      spec.upstreams.answer = () => upstream;
      const answer = await spec.call(name, {});
      expect(codeOf(answer)).toBe(code);
      expect(answer.result?.content?.[0]?.text ?? '').toMatch(new RegExp(`^${words}`));
      expect(spec.upstreams.calls).toHaveLength(1);
      const { data } = find(spec, 'call.completed');
      expect([data.outcome, data.errorClass]).toEqual([outcome, errorClass]);
      expect(spec.recorder.types()).toEqual(['call.requested', 'policy.decided', 'call.completed']);
    }
  });

  it('an adapter that throws leaves an unknown outcome, not a repeated call', async () => {
    const spec = new SpecBroker();
    spec.upstreams.answer = () => Promise.reject(new Error('a bug'));
    expect(codeOf(await spec.call('billing__refund', {}))).toBe('upstream_broken');
    expect(find(spec, 'call.completed').data.outcome).toBe('unknown');
    expect([spec.upstreams.calls.length, spec.faults.length]).toEqual([1, 1]);
  });

  it('passes protocol errors on with code, message and data', async () => {
    const spec = new SpecBroker();
    spec.upstreams.answer = () => ({ kind: 'error', text: '{"code":-32042,"message":"m","data":{"deep":[1.0]}}' });
    const reply = await spec.modern('tools/call', { name: 'billing__refund' });
    expect(reply.status).toBe(200);
    expect(reply.body).toContain('"error":{"code":-32042,"message":"m","data":{"deep":[1.0]}}');
  });

  it.each([
    ['numbers beyond a double', '{"content":[],"structuredContent":{"n":12345678901234567890}}'],
    ['duplicate keys', '{"content":[],"x":1,"x":2}'],
    ['lone surrogates', '{"content":[],"x":"\\ud800"}'],
    ['odd but exact spelling', '{ "content" : [ ] , "n" : 1.50 , "e":"\\u00e9" }'],
  ])('passes results on unchanged: %s', async (_, text) => {
    const spec = new SpecBroker();
    spec.upstreams.answer = () => ({ kind: 'result', text });
    const { body } = await spec.modern('tools/call', { name: 'billing__refund' });
    expect(body.endsWith(`"result":{"resultType":"complete",${text.slice(1)}}`)).toBe(true);
    const { seal, data } = find(spec, 'call.completed');
    const canonical = /n" : 1/.test(text);
    expect(seal?.['/result']).toEqual(canonical ? JSON.parse(text) : text);
    expect(data.resultDigest).toBe(specDigest(canonical ? '{"content":[],"e":"é","n":1.5}' : JSON.stringify(text)));
    expect(data.resultBytes).toBe(Buffer.byteLength(text));
  });

  it('a server that asks for more input has not succeeded; what it asks for is passed on', async () => {
    const spec = new SpecBroker();
    spec.upstreams.answer = () => ({ kind: 'result', text: '{"resultType":"input_required","inputRequests":{}}' });
    expect((await spec.call('billing__refund', {})).result).toEqual({ resultType: 'input_required', inputRequests: {} });
    expect(find(spec, 'call.completed').data).toMatchObject({ outcome: 'failed', errorClass: 'input_required' });
  });
});

describe('the failure table: the record of the outcome', () => {
  it.each<[RecorderFailure, string[]]>([
    ['late', ['call.requested', 'policy.decided', 'call.completed']],
    ['stopped', ['call.requested', 'policy.decided']],
  ])('%s: the agent is told that the call was executed, and gets no result', async (failure, records) => {
    const spec = new SpecBroker();
    spec.upstreams.answer = () => ({ kind: 'result', text: '{"content":[{"type":"text","text":"the result"}]}' });
    spec.recorder.failOn('call.completed', failure);
    const answer = await spec.call('billing__refund', {});
    expect(codeOf(answer)).toBe('outcome_being_recorded');
    expect(answer.result?.content?.[0]?.text).toMatch(/^EXECUTED: /);
    expect(answer.result?._meta?.['dev.holdfast/call']).toMatchObject({ disposition: 'executed' });
    expect(JSON.stringify(answer)).not.toContain('the result');
    expect(spec.upstreams.calls).toHaveLength(1);
    expect(spec.recorder.types()).toEqual(records);
  });

  it.each<RecorderFailure>(['full', 'down'])('a recorder that is %s takes outcomes all the same', async (failure) => {
    const spec = new SpecBroker();
    spec.recorder.failOn('call.completed', failure);
    expect(codeOf(await spec.call('billing__refund', {}))).toBeUndefined();
    expect(spec.recorder.types()).toEqual(['call.requested', 'policy.decided', 'call.completed']);
  });

  it('a value that cannot be sealed does not cost the record', async () => {
    const spec = new SpecBroker();
    spec.recorder.failOn('call.completed', 'fault');
    expect(codeOf(await spec.call('billing__refund', {}))).toBeUndefined();
    expect(find(spec, 'call.completed')).toMatchObject({ seal: {}, data: { outcome: 'succeeded' } });
    expect(spec.faults).toHaveLength(1);
  });

  it('an unknown outcome stays unknown while it is being recorded', async () => {
    const spec = new SpecBroker();
    spec.upstreams.answer = () => ({ kind: 'lost', reason: 'timeout' });
    spec.recorder.failOn('call.completed', 'late');
    expect(codeOf(await spec.call('billing__refund', {}))).toBe('upstream_timeout');
  });
});

describe('rollback markers', () => {
  it.each([
    [{ class: 'read' }, 'not-needed'],
    [{ class: 'read-sensitive' }, 'not-needed'],
    [{ class: 'write' }, 'none-declared'],
    [{ class: 'external' }, 'none-declared'],
    [{ class: 'write', compensate: { tool: 'undo', args: {} } }, 'available'],
  ])('%j: %s', async (settings, rollback) => {
    const spec = new SpecBroker(
      config({
        servers: [{ id: 'billing', tenant: 'acme', transport: { type: 'http', url: 'http://127.0.0.1:9' }, tools: { refund: settings } }],
      }),
    );
    await spec.call('billing__refund', {});
    expect(find(spec, 'call.completed').data.rollback).toBe(rollback);
  });
});
