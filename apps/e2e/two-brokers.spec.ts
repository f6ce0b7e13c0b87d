import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { type EverythingServer, startEverythingServer } from './everything/everything-server.ts';
import { expectProven, settled } from './harness/history.ts';
import { RoundRobin, SecondBroker } from './harness/second-broker.ts';
import { world, type World } from './harness/world.ts';

interface Answer {
  readonly isError?: boolean;
  readonly content: readonly { readonly text?: string }[];
}

describe('two broker processes behind a round robin', () => {
  let w: World;
  let everything: EverythingServer;
  const second = new SecondBroker();
  let balanced: RoundRobin;
  beforeAll(async () => {
    everything = await startEverythingServer(0, 'legacy');
    w = await world({
      config: (base) => ({ ...base, servers: [...(base['servers'] as object[]), { id: 'all', tenant: 'acme', transport: { type: 'http', url: everything.url } }] }),
    });
    await w.installation.start();
    await second.start(w.installation);
    balanced = await new RoundRobin([w.installation.url, second.url]).start();
  }, 90_000);
  afterAll(async () => {
    await balanced.close();
    await second.close();
    await w.close();
    await everything.close();
  }, 60_000);

  const open: { close(): Promise<void> }[] = [];
  async function session(path: string): Promise<Client> {
    const client = new Client({ name: 'e2e', version: '1' }, { capabilities: { elicitation: {} } });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${balanced.url}${path}`), { requestInit: { headers: { authorization: `Bearer ${w.agentToken}` } } }) as never);
    open.push(client);
    return client;
  }
  afterAll(async () => {
    for (const client of open) await client.close();
  });

  it('serve one session between them: lists, calls in parallel, questions, a changed list', async () => {
    const client = await session('/mcp');
    let asked = 0;
    client.setRequestHandler(ElicitRequestSchema, () => {
      asked++;
      return { action: 'accept', content: { username: 'ada', email: 'ada@acme.test' } };
    });
    let changed = 0;
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => void changed++);
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['wit__read', 'all__test_elicitation']));
    const answers = (await Promise.all(Array.from({ length: 20 }, (_, i) => client.callTool({ name: 'wit__write', arguments: { marker: `m${i}` } })))) as Answer[];
    expect(answers.map(({ content }) => content[0]?.text)).toEqual(Array.from({ length: 20 }, (_, i) => `done m${i}`));
    // The answer to each question arrives at one broker or the other; the call waits at one of them.
    for (let round = 0; round < 4; round++) {
      const answer = (await client.callTool({ name: 'all__test_elicitation', arguments: { message: 'who?' } })) as Answer;
      expect(JSON.stringify(answer)).toContain('ada');
    }
    expect(asked).toBe(4);
    await client.callTool({ name: 'all__test_trigger_tool_change', arguments: {} });
    while (changed === 0) await sleep(20);
    expect(Math.min(...balanced.counts.values())).toBeGreaterThan(5);
  }, 60_000);

  it('cancel a call of either through either', async () => {
    const client = await session('/mcp/s/wit');
    for (let round = 0; round < 4; round++) {
      const marker = `slow ${round}`;
      const abort = new AbortController();
      const call = client.callTool({ name: 'write', arguments: { marker, delayMs: 2500 } }, undefined, { signal: abort.signal });
      while (!w.upstream.executed.has(marker)) await sleep(10);
      abort.abort('enough');
      await expect(call).rejects.toThrow();
    }
    const calls = [...(await settled(w.installation, w.auditorToken)).values()];
    const cancelled = calls.filter(({ events }) => events.some((event) => event.type === 'call.completed' && event.data['errorClass'] === 'cancelled'));
    expect(cancelled.map(({ outcomes }) => outcomes)).toEqual([['unknown'], ['unknown'], ['unknown'], ['unknown']]);
  }, 60_000);

  it('serve modern clients, each request on its own', async () => {
    const client = new ModernClient({ name: 'e2e', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new ModernTransport(new URL(`${balanced.url}/mcp`), { requestInit: { headers: { authorization: `Bearer ${w.agentToken}` } } }));
    for (let i = 0; i < 6; i++) expect(((await client.callTool({ name: 'wit__read', arguments: { marker: `modern ${i}` } })) as Answer).isError).toBeFalsy();
    await client.close();
  }, 30_000);

  it('one that is killed costs its own requests and nothing else: the session goes on at the other', async () => {
    const client = await session('/mcp');
    await client.listTools();
    await second.stop('SIGKILL');
    balanced.targets = [w.installation.url];
    const answer = (await client.callTool({ name: 'wit__write', arguments: { marker: 'after' } })) as Answer;
    expect(answer.content[0]?.text).toBe('done after');
    await second.start(w.installation);
    balanced.targets = [w.installation.url, second.url];
    for (let i = 0; i < 4; i++) expect((await client.callTool({ name: 'wit__read', arguments: { marker: `again ${i}` } }) as Answer).isError).toBeFalsy();
  }, 60_000);

  it('stop in order, and leave a log that is proven', async () => {
    expect(await second.stop()).toEqual({ code: 0, stderr: '' });
    await settled(w.installation, w.auditorToken);
    await expectProven(w.installation);
  }, 60_000);
});
