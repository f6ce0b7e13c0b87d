import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { approvalWorld, type ApprovalWorld } from './harness/approval-world.ts';
import { expectProven, settled } from './harness/history.ts';
import { OFFICIAL_CLIENTS, type OfficialClient, type ToolResult } from './harness/official-clients.ts';
import { RoundRobin, SecondBroker } from './harness/second-broker.ts';

const LONGER_THAN_A_LEG_MS = 47_000;

interface Told {
  readonly state: string;
  readonly code?: string;
  readonly disposition: string;
}

const told = (result: ToolResult): Told => (result as unknown as { _meta: Record<string, Told> })._meta['dev.holdfast/call']!;

describe('official clients whose calls wait for people, at two brokers in turn', () => {
  let w: ApprovalWorld;
  const second = new SecondBroker();
  let balanced: RoundRobin;
  const clients: OfficialClient[] = [];
  beforeAll(async () => {
    w = await approvalWorld();
    await w.installation.start();
    await second.start(w.installation);
    balanced = await new RoundRobin([w.installation.url, second.url]).start();
  }, 90_000);
  afterAll(async () => {
    for (const client of clients) await client.close();
    await balanced.close();
    await second.close();
    await w.close();
  });

  it('each waits as long as it can: legs in the 2026 era, progress in the older one, and otherwise the repeated call collects the result', async () => {
    const connect = async (name: string): Promise<OfficialClient> => {
      const client = await OFFICIAL_CLIENTS[name]!(`${balanced.url}/mcp`, w.agentToken);
      clients.push(client);
      return client;
    };
    const [modern, legacy, patient] = [await connect('v2, version negotiated'), await connect('v1'), await connect('v1')];
    const call = (marker: string): { name: string; arguments: { marker: string } } => ({ name: 'wit__write', arguments: { marker } });
    const progress: unknown[] = [];
    const waiting = [modern.callTool(call('modern')), patient.callTool(call('patient'), (one) => progress.push(one))];
    const pending = legacy.callTool(call('legacy'));
    const held = await w.waiting(3);
    // Nobody decides during a whole leg.
    await sleep(LONGER_THAN_A_LEG_MS);
    const answer = await pending;
    expect(told(answer)).toMatchObject({ state: 'held', code: 'approval_pending' });
    expect(answer.content[0]?.text).toMatch(/^NOT EXECUTED: This call waits for the approval of people/);
    expect(w.upstream.executed.size).toBe(0);
    for (const { id } of held) await w.approve(id);
    expect((await Promise.all(waiting)).map(({ content }) => content[0]?.text)).toEqual(['done modern', 'done patient']);
    expect(progress.length).toBeGreaterThanOrEqual(4);
    expect(w.upstream.executed.has('legacy')).toBe(false);
    expect((await legacy.callTool(call('legacy'))).content[0]?.text).toBe('done legacy');
    // And once more: the outcome is told again, the tool is not called again.
    expect(told(await legacy.callTool(call('legacy')))).toMatchObject({ disposition: 'approved-executed' });
    expect(Math.min(...balanced.counts.values())).toBeGreaterThan(3);
    expect(Object.fromEntries(w.upstream.executed)).toEqual({ modern: 1, patient: 1, legacy: 1 });
  }, 120_000);

  it('leaves a log that proves all of it: legs are no calls, repeats are', async () => {
    const calls = [...(await settled(w.installation, w.auditorToken)).values()];
    expect(calls.filter(({ outcomes }) => outcomes.length > 0)).toHaveLength(3);
    expect(calls.filter(({ types }) => types.includes('approval.joined'))).toHaveLength(2);
    expect(calls).toHaveLength(5);
    await expectProven(w.installation);
  });
});
