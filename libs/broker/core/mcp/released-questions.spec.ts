import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { config, LegacyClient, MemoryChannel, server, SpecBroker, specSha256 } from '#libs/testing';

const held = config({
  servers: [server('billing', { tools: { refund: { class: 'write' } } })],
  identity: { users: [{ id: 'ada', tenant: 'acme', groups: ['finance'] }, { id: 'mia', tenant: 'acme' }], keys: [{ id: 'k1', tenant: 'acme', user: 'ada', client: 'cli', agent: 'bot', roles: ['agent'], sha256: Buffer.from(specSha256('k1')).toString('hex') }] },
  policies: [{ id: 'ask', tenant: 'acme', effect: 'require_approval', match: { tools: ['refund'] }, flow: 'leads' }],
  flows: [{ id: 'leads', tenant: 'acme', steps: [{ name: 'lead', approvers: { users: ['mia'] } }] }],
});
const wants = '{"resultType":"input_required","inputRequests":{"why":{"method":"elicitation/create","params":{"message":"?"}}},"requestState":"s1"}';

async function settle(): Promise<void> {
  for (let i = 0; i < 60; i++) await turn();
}

it('a server that asks before it does what people approved is answered by a client of the older era, in one call with one outcome', async () => {
  const spec = new SpecBroker(held);
  spec.upstreams.answer = ({ params }) => ({ kind: 'result', text: params.includes('inputResponses') ? '{"content":[{"type":"text","text":"done"}]}' : wants });
  const client = await LegacyClient.open(spec, { elicitation: {} });
  const channel = new MemoryChannel();
  const waiting = client.ask('tools/call', { name: 'billing__refund', arguments: { id: 1 } }, channel);
  await settle();
  await spec.approvals.approve(spec.approvals.ids[0]!, 'mia');
  await settle();
  const question = channel.sent.find(({ method }) => method === 'elicitation/create');
  await client.send({ id: question!.id, result: { action: 'accept', content: {} } });
  await settle();
  spec.ring();
  expect((await waiting).result).toMatchObject({ content: [{ text: 'done' }], _meta: { 'dev.holdfast/call': { disposition: 'approved-executed' } } });
  expect(spec.upstreams.calls.map(({ call }) => JSON.parse(call.params) as unknown)).toEqual([
    { name: 'refund', arguments: { id: 1 } },
    { name: 'refund', arguments: { id: 1 }, requestState: 's1', inputResponses: { why: { action: 'accept', content: {} } } },
  ]);
  expect(spec.recorder.types().filter((type) => type === 'call.completed')).toHaveLength(1);
});
