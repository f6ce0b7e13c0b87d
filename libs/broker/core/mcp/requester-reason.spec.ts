import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { bodyOf, config, LegacyClient, MemoryChannel, type RpcBody, server, SpecBroker } from '#libs/testing';
import type { McpReply } from '#libs/broker/core';

const wantsReason = () =>
  config({
    servers: [server('billing', { tools: { refund: { class: 'write' } } })],
    identity: {
      users: [
        { id: 'ada', tenant: 'acme', groups: ['finance'] },
        { id: 'mia', tenant: 'acme', groups: ['leads'] },
      ],
      keys: [{ id: 'k1', tenant: 'acme', user: 'ada', client: 'cli', agent: 'bot', roles: ['agent'], sha256: '0'.repeat(64) }],
    },
    policies: [{ id: 'ask', tenant: 'acme', effect: 'require_approval', flow: 'leads', reason: 'Leads look at refunds.' }],
    flows: [{ id: 'leads', tenant: 'acme', requesterReason: 'required', steps: [{ name: 'lead', approvers: { groups: ['leads'] } }] }],
  });

const codeIn = (body: RpcBody): string | undefined => (body.result?.['_meta'] as Record<string, { code?: string }> | undefined)?.['dev.holdfast/call']?.code;

async function settle(): Promise<void> {
  for (let i = 0; i < 60; i++) await turn();
}

function modern(spec: SpecBroker, more: Record<string, unknown> = {}, capabilities: object = { elicitation: {} }): Promise<McpReply> {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': capabilities };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'billing__refund', arguments: { id: 1 }, ...more, _meta: meta } });
  return spec.http(body, { headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'billing__refund' }, channel: new MemoryChannel() });
}

describe('a flow that wants the caller’s reason', () => {
  it('asks a client of the 2026 era, and holds the call with what it says', async () => {
    const spec = new SpecBroker(wantsReason());
    const { result } = bodyOf(await modern(spec));
    expect(result).toMatchObject({ resultType: 'input_required', inputRequests: { reason: { method: 'elicitation/create', params: { message: expect.stringContaining('Leads look at refunds.') as unknown } } } });
    const waiting = modern(spec, { requestState: result!['requestState'], inputResponses: { reason: { action: 'accept', content: { reason: 'the customer is right' } } } });
    await settle();
    expect(spec.approvals.ids).toHaveLength(1);
    expect(spec.recorder.log.findLast(({ type }) => type === 'call.requested')?.seal).toMatchObject({ '/reason': 'the customer is right' });
    await spec.approvals.approve(spec.approvals.ids[0]!, 'mia');
    await waiting;
    expect(JSON.parse(spec.upstreams.calls[0]!.call.params)).toEqual({ name: 'refund', arguments: { id: 1 } });
  });

  it.each([
    ['declined', { reason: { action: 'decline' } }],
    ['left out', {}],
    ['blank', { reason: { action: 'accept', content: { reason: '  ' } } }],
  ])('refuses the call when the answer is %s, and does not ask again', async (_, inputResponses) => {
    const spec = new SpecBroker(wantsReason());
    const { result } = bodyOf(await modern(spec));
    expect(codeIn(bodyOf(await modern(spec, { requestState: result!['requestState'], inputResponses })))).toBe('reason_required');
    expect(spec.approvals.ids).toEqual([]);
  });

  it('takes no answer for another call', async () => {
    const spec = new SpecBroker(wantsReason());
    const { result } = bodyOf(await modern(spec));
    const answer = { requestState: result!['requestState'], inputResponses: { reason: { action: 'accept', content: { reason: 'x' } } } };
    expect(bodyOf(await modern(spec, { ...answer, arguments: { id: 2 } })).error).toMatchObject({ code: -32602 });
  });

  it('asks a client of the older era on its stream, and nobody who cannot be asked', async () => {
    const spec = new SpecBroker(wantsReason());
    const client = await LegacyClient.open(spec, { elicitation: {} });
    const channel = new MemoryChannel();
    const calling = client.ask('tools/call', { name: 'billing__refund', arguments: { id: 1 } }, channel);
    await settle();
    const [question] = channel.sent;
    expect(question).toMatchObject({ method: 'elicitation/create' });
    await client.send({ id: question!.id, result: { action: 'accept', content: { reason: 'because' } } });
    await settle();
    await spec.approvals.approve(spec.approvals.ids[0]!, 'mia');
    expect((await calling).result?.['isError']).toBeUndefined();

    const mute = await LegacyClient.open(spec);
    expect(codeIn(await mute.ask('tools/call', { name: 'billing__refund', arguments: { id: 2 } }))).toBe('reason_required');
    expect(codeIn(bodyOf(await modern(spec, { arguments: { id: 3 } }, {})))).toBe('reason_required');
  });
});
