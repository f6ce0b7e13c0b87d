import { describe, expect, it } from '@jest/globals';
import { bodyOf, config, LegacyClient, MemoryChannel, MemoryPeers, server, SpecBroker } from '#libs/testing';
import type { UpstreamCall } from '../upstream/upstreams.ts';

const policies = [{ id: 'everything', tenant: 'acme', effect: 'allow' }];
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const call = { id: 7, method: 'tools/call', params: { name: 'billing__refund' } };

/** Two brokers of one installation, and a session that was opened at the first. */
async function two(): Promise<{ peers: MemoryPeers; brokers: [SpecBroker, SpecBroker]; client: LegacyClient }> {
  const peers = new MemoryPeers();
  const broker = (): SpecBroker => {
    const spec = new SpecBroker(config({ policies, servers: [server('billing'), server('files')] }), peers);
    spec.upstreams.lists.set('files', []);
    spec.upstreams.others.set('files resources', [{ uri: 'file:///a.txt', name: 'a' }]);
    return spec;
  };
  const brokers: [SpecBroker, SpecBroker] = [broker(), broker()];
  return { peers, brokers, client: await LegacyClient.open(brokers[0], { elicitation: {} }) };
}

describe('a session over two brokers', () => {
  it('is served by either: lists, calls, and what a server asks while it works', async () => {
    const { brokers, client } = await two();
    const [first, second] = brokers;
    let answered: unknown;
    first.upstreams.answer = async (asked) => {
      answered = await asked.client!.ask!({ method: 'elicitation/create', params: '{}' }, asked.cancellation);
      return { kind: 'result', text: '{"content":[]}' };
    };
    expect(bodyOf(await client.at(second).send({ id: 1, method: 'tools/list' })).result).toHaveProperty('tools');
    const channel = new MemoryChannel();
    const asking = client.send(call, channel);
    while (channel.sent.length === 0) await tick();
    expect((await client.at(second).send({ id: channel.sent[0]!.id, result: { action: 'accept' } })).status).toBe(202);
    await asking;
    expect(answered).toEqual({ result: '{"action":"accept"}' });
  });

  it('cancels its call through the other one', async () => {
    const { brokers, client } = await two();
    const calls: UpstreamCall[] = [];
    brokers[0].upstreams.answer = (asked) => {
      calls.push(asked);
      return new Promise((resolve) => asked.cancellation.onCancel((reason) => resolve({ kind: 'lost', reason })));
    };
    const answer = client.send(call);
    while (calls.length === 0) await tick();
    await client.at(brokers[1]).send({ method: 'notifications/cancelled', params: { requestId: 7 } });
    expect(bodyOf(await answer).result).toMatchObject({ _meta: { 'dev.holdfast/call': { code: 'cancelled' } } });
  });

  it('hears on the stream at one of them what it asked for at the other one', async () => {
    const { brokers, client } = await two();
    const [first, second] = brokers;
    const channel = new MemoryChannel();
    const stream = client.http('GET', '', channel);
    while (!channel.begun) await tick();
    await client.at(second).ask('resources/subscribe', { uri: 'file:///a.txt' });
    second.upstreams.say('files', 'notifications/resources/updated', '{"uri":"file:///a.txt"}');
    while (channel.sent.length === 0) await tick();
    expect(channel.methods()).toEqual(['notifications/resources/updated']);
    // Both hear of changed lists from the server itself.
    await client.at(second).ask('tools/list');
    second.upstreams.say('billing', 'notifications/tools/list_changed');
    second.ring();
    await tick();
    await tick();
    expect(channel.sent).toHaveLength(1);
    first.broker.stop();
    await stream;
  });

  it('has one log level, and one end', async () => {
    const { brokers, client } = await two();
    const [first, second] = brokers;
    await client.ask('logging/setLevel', { level: 'error' });
    await tick();
    second.upstreams.answer = (asked) => {
      for (const level of ['info', 'error']) asked.client!.notify('notifications/message', JSON.stringify({ level }));
      return { kind: 'result', text: '{"content":[]}' };
    };
    const channel = new MemoryChannel();
    await client.at(second).send(call, channel);
    expect(channel.sent.map(({ params }) => params)).toEqual([{ level: 'error' }]);
    expect((await client.at(second).http('DELETE', '', new MemoryChannel())).status).toBe(204);
    await tick();
    expect(bodyOf(await client.at(first).send(call)).error).toMatchObject({ data: { code: 'session_unknown' } });
  });

  it('is not troubled with what is about nothing', async () => {
    const { peers, client } = await two();
    for (const requestId of [undefined, null, { a: 1 }, 1.5, 'x'.repeat(2_000)]) await client.send({ method: 'notifications/cancelled', params: { requestId } });
    await client.send({ id: 'x'.repeat(2_000), result: {} });
    expect(peers.told).toEqual([]);
  });

  it('does not fall for words that it does not know', async () => {
    const { peers, brokers, client } = await two();
    const stranger = peers.join();
    for (const word of ['1', '{}', '{"about":"end"}', '{"about":"later","session":"x"}', '{"about":"answer","session":"x","question":1}']) stranger.tell(word);
    await tick();
    expect(bodyOf(await client.at(brokers[1]).send(call)).result).toHaveProperty('content');
  });
});
