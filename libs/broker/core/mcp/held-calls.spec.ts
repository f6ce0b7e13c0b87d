import { describe, expect, it } from '@jest/globals';
import type { Principal } from '#libs/ports';
import { ada, bodyOf, config, MemoryChannel, MemoryPeers, type RpcBody, server, SpecBroker } from '#libs/testing';
import type { PeerAnswer } from '../upstream/upstreams.ts';

const P = 'io.modelcontextprotocol/';
const policies = [{ id: 'everything', tenant: 'acme', effect: 'allow' }];
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A server of the older era that asks once and answers with what it got. */
function asking(peers?: MemoryPeers, method = 'elicitation/create'): { spec: SpecBroker; got: PeerAnswer[] } {
  const spec = new SpecBroker(config({ policies, servers: [server('billing')] }), peers);
  const got: PeerAnswer[] = [];
  spec.upstreams.answer = async (call) => {
    got.push(await call.client!.ask!({ method, params: '{"message":"sure?" }' }, call.cancellation));
    return { kind: 'result', text: '{"content":[]}' };
  };
  return { spec, got };
}

async function call(spec: SpecBroker, more: object = {}, options: { channel?: MemoryChannel; principal?: Principal; capabilities?: object } = {}): Promise<RpcBody> {
  const _meta = { [`${P}protocolVersion`]: '2026-07-28', [`${P}clientCapabilities`]: options.capabilities ?? { elicitation: {} }, progressToken: 'p' };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'billing__refund', arguments: { a: 1 }, ...more, _meta } });
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'billing__refund' };
  return bodyOf(await spec.http(body, { headers, channel: options.channel ?? new MemoryChannel(), ...(options.principal ? { principal: options.principal } : {}) }));
}

interface Asks {
  readonly name: string;
  readonly back: { readonly inputResponses: Readonly<Record<string, unknown>>; readonly requestState: string };
}

/** The question in an answer, and what a client sends to answer it. */
function asks({ result }: RpcBody, reply: unknown = { action: 'accept' }): Asks {
  expect(result).toMatchObject({ resultType: 'input_required' });
  const [name] = Object.keys(result!['inputRequests'] as object);
  return { name: name!, back: { inputResponses: { [name!]: reply }, requestState: result!['requestState'] as string } };
}

describe('a server of the older era that asks a client of the 2026 era', () => {
  it('is answered by the next request of the client; it is one call, and it runs once', async () => {
    const { spec, got } = asking();
    const first = await call(spec);
    const { name, back } = asks(first);
    expect(first.result!['inputRequests']).toEqual({ [name]: { method: 'elicitation/create', params: { message: 'sure?' } } });
    expect(spec.recorder.types()).toEqual(['call.requested', 'policy.decided']);
    expect((await call(spec, back)).result).toEqual({ resultType: 'complete', content: [] });
    expect(got).toEqual([{ result: '{"action":"accept"}' }]);
    expect(spec.upstreams.calls).toHaveLength(1);
    expect(spec.recorder.types()).toEqual(['call.requested', 'policy.decided', 'call.completed']);
    const gone = { 'dev.holdfast/call': { code: 'no_longer_waiting', disposition: 'unknown', callId: spec.upstreams.calls[0]!.call.requestId } };
    expect((await call(spec, back)).result).toMatchObject({ isError: true, _meta: gone });
    expect(spec.upstreams.calls).toHaveLength(1);
  });

  it('is asked for in the session of the credential, with what the client can do', async () => {
    const { spec } = asking();
    await call(spec);
    expect(spec.upstreams.calls[0]?.call.client).toMatchObject({ conversation: 'stateless acme k1 {"elicitation":{}}', capabilities: { elicitation: {} } });
    await call(spec, {}, { capabilities: { elicitation: {}, extensions: { x: { y: 'z'.repeat(10_000) } } } });
    expect(spec.upstreams.calls[1]?.call.client?.conversation).toMatch(/^stateless acme k1 .{20,50}$/);
  });

  it('asks again when the client comes back without the answer', async () => {
    const { spec, got } = asking();
    const { name, back } = asks(await call(spec));
    const again = asks(await call(spec, { requestState: back.requestState, inputResponses: { other: {} } }));
    expect([again.name, got]).toEqual([name, []]);
    await call(spec, again.back);
    expect(got).toHaveLength(1);
  });

  it.each([
    ['another credential', {}, { principal: { ...ada, key: 'k2' } }],
    ['other arguments', { arguments: { a: 2 } }, {}],
    ['a changed state', { requestState: 'holdfast.sealed.e30' }, {}],
  ])('does not hear %s', async (_, more, options) => {
    const { spec, got } = asking();
    const { back } = asks(await call(spec));
    expect((await call(spec, { ...back, ...more }, options)).error).toMatchObject({ code: -32602 });
    expect(got).toEqual([]);
    await call(spec, back);
    expect(got).toHaveLength(1);
  });

  it('is told when the client does not come back, cannot be asked that, or the broker stops', async () => {
    const { spec, got } = asking();
    await call(spec);
    spec.ring();
    await tick();
    expect(got).toEqual([{ error: expect.stringContaining('did not come back') }]);
    await tick();
    expect(spec.recorder.types().at(-1)).toBe('call.completed');
    const other = asking(undefined, 'sampling/createMessage');
    expect((await call(other.spec)).result).toEqual({ resultType: 'complete', content: [] });
    expect(other.got).toEqual([{ error: expect.stringContaining('did not declare') }]);
    const stopped = asking();
    await call(stopped.spec);
    stopped.spec.broker.stop();
    await tick();
    expect(stopped.got).toEqual([{ error: expect.stringContaining('stopping') }]);
  });

  it('a client that hangs up while it waits has cancelled, one that thinks about its answer has not', async () => {
    const spec = new SpecBroker(config({ policies, servers: [server('billing')] }));
    spec.upstreams.answer = async (running) => {
      await running.client!.ask!({ method: 'elicitation/create', params: '{}' }, running.cancellation);
      running.client!.notify('notifications/progress', '{"progressToken":"x","progress":2}');
      return new Promise((resolve) => running.cancellation.onCancel((reason) => resolve({ kind: 'lost', reason })));
    };
    const [first, second] = [new MemoryChannel(), new MemoryChannel()];
    const { back } = asks(await call(spec, {}, { channel: first }));
    first.leave();
    const waiting = call(spec, back, { channel: second });
    while (second.sent.length === 0) await tick();
    expect(second.sent[0]?.params).toEqual({ progressToken: 'p', progress: 2 });
    expect(spec.upstreams.calls[0]?.call.cancellation.reason).toBeUndefined();
    second.leave();
    expect((await waiting).result).toMatchObject({ _meta: { 'dev.holdfast/call': { code: 'cancelled' } } });
  });

  it('answers everybody who comes back with the same state, and the last one counts', async () => {
    const spec = new SpecBroker(config({ policies, servers: [server('billing')] }));
    const got: PeerAnswer[] = [];
    let finish = (): void => undefined;
    spec.upstreams.answer = async (running) => {
      got.push(await running.client!.ask!({ method: 'elicitation/create', params: '{}' }, running.cancellation));
      await new Promise<void>((resolve) => (finish = resolve));
      return running.cancellation.reason ? { kind: 'lost', reason: 'cancelled' } : { kind: 'result', text: '{"content":[]}' };
    };
    const { back } = asks(await call(spec));
    const [lost, repeated] = [new MemoryChannel(), new MemoryChannel()];
    const answers = [call(spec, back, { channel: lost }), call(spec, back, { channel: repeated })];
    await tick();
    lost.leave();
    finish();
    for (const answer of answers) expect((await answer).result).toEqual({ resultType: 'complete', content: [] });
    expect([got.length, spec.upstreams.calls.length, repeated.heeded]).toEqual([1, 1, false]);
  });

  it('is held for one credential so often that others have room too', async () => {
    const spec = new SpecBroker(config({ policies, servers: [server('billing')] }), undefined, { maxInFlight: 1_000 });
    const got: PeerAnswer[] = [];
    spec.upstreams.answer = async (running) => {
      if (running.client?.ask) got.push(await running.client.ask({ method: 'elicitation/create', params: '{}' }, running.cancellation));
      return { kind: 'result', text: '{"content":[]}' };
    };
    for (let i = 0; i < 100; i++) asks(await call(spec));
    expect((await call(spec)).result).toEqual({ resultType: 'complete', content: [] });
    asks(await call(spec, {}, { principal: { ...ada, key: 'k2' } }));
    spec.ring();
    await tick();
    expect(got).toHaveLength(101);
    asks(await call(spec));
  });

  it('is not held for clients that can be asked nothing, and not for servers of the 2026 era', async () => {
    const spec = new SpecBroker(config({ policies, servers: [server('billing')] }));
    await call(spec, {}, { capabilities: {} });
    spec.upstreams.descriptions.set('billing', { era: 'modern' });
    spec.aheadMs = 120_000;
    await call(spec, { requestState: 'the-servers-own' });
    expect(spec.upstreams.calls.map(({ call: sent }) => sent.client?.ask)).toEqual([undefined, undefined]);
    expect(spec.upstreams.calls[1]?.call.params).toContain('the-servers-own');
    // The server may be another Holdfast.
    await call(spec, { requestState: 'holdfast.of.another' });
    expect(spec.upstreams.calls[2]?.call.params).toContain('holdfast.of.another');
  });

  it('gets the answer also when the client comes back to another broker first', async () => {
    const peers = new MemoryPeers();
    const { spec, got } = asking(peers);
    const other = new SpecBroker(config({ policies, servers: [server('billing')] }), peers);
    const { back } = asks(await call(spec));
    const strayed = await call(other, back);
    expect(strayed.result).toEqual({ resultType: 'input_required', requestState: expect.stringMatching(/^holdfast\./) });
    expect(other.upstreams.calls).toEqual([]);
    expect((await call(spec, { requestState: strayed.result!['requestState'] })).result).toEqual({ resultType: 'complete', content: [] });
    expect(got).toEqual([{ result: '{"action":"accept"}' }]);
    let state = back.requestState;
    for (let i = 0; i < 32; i++) state = (await call(other, { requestState: state })).result!['requestState'] as string;
    expect((await call(other, { requestState: state })).result).toMatchObject({ _meta: { 'dev.holdfast/call': { code: 'no_longer_waiting' } } });
  });
});
