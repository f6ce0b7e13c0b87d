import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ApiPerson } from './harness/approval-world.ts';
import { Installation } from './harness/holdfast.ts';
import { expectProven, settled } from './harness/history.ts';
import { until } from './harness/until.ts';

interface CallResult {
  readonly isError?: boolean;
  readonly content: readonly { readonly text?: string }[];
  readonly structuredContent?: unknown;
}

interface AnyClient {
  listTools(): Promise<{ tools: { name: string }[] }>;
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
  close(): Promise<void>;
}

describe('the demo, with the official clients', () => {
  let installation: Installation;
  let tokens: Record<string, string>;
  beforeAll(async () => {
    installation = await new Installation().start();
    tokens = (JSON.parse(readFileSync(join(installation.data, 'demo-tokens.json'), 'utf8')) as { tokens: Record<string, string> }).tokens;
  }, 90_000);
  afterAll(() => installation.close(), 30_000);

  const connect: Record<string, (path: string) => Promise<AnyClient>> = {
    'v2, version negotiated': (path) => v2(path, { versionNegotiation: { mode: 'auto' } }),
    'v2, legacy': (path) => v2(path, {}),
    v1: async (path) => {
      const client = new ClientV1({ name: 'e2e-v1', version: '1' });
      await client.connect(new TransportV1(new URL(`${installation.url}${path}`), { requestInit: { headers: { authorization: `Bearer ${tokens['agent']}` } } }) as never);
      return client as unknown as AnyClient;
    },
  };
  async function v2(path: string, options: object): Promise<AnyClient> {
    const client = new ClientV2({ name: 'e2e-v2', version: '1' }, options);
    await client.connect(new TransportV2(new URL(`${installation.url}${path}`), { requestInit: { headers: { authorization: `Bearer ${tokens['agent']}` } } }));
    return client as unknown as AnyClient;
  }

  describe.each(Object.keys(connect))('%s', (name) => {
    it.each([
      ['/mcp', 'office__'],
      ['/mcp/s/office', ''],
    ])('on %s: lists, calls what is allowed, and is told why the rest is not', async (path, prefix) => {
      const client = await connect[name]!(path);
      const call = async (tool: string, args: Record<string, unknown>): Promise<CallResult> => (await client.callTool({ name: `${prefix}${tool}`, arguments: args })) as CallResult;
      const names = (await client.listTools()).tools.map((tool) => tool.name);
      expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(names);
      expect(names).toEqual(expect.arrayContaining(['notes_list', 'notes_add', 'invoice_get', 'send_email'].map((tool) => `${prefix}${tool}`)));

      const text = `note of ${name} on ${path}`;
      expect((await call('notes_add', { text })).isError).toBeFalsy();
      expect(JSON.stringify(await call('notes_list', {}))).toContain(text);

      const tooLong = await call('notes_add', { text: 'x'.repeat(201) });
      expect(tooLong.isError).toBe(true);
      expect(tooLong.content[0]!.text).toMatch(/^NOT EXECUTED: /);
      const outside = await call('send_email', { to: 'somebody@elsewhere.test', subject: 's', body: 'b' });
      expect(outside.content[0]!.text).toMatch(/^NOT EXECUTED: .*outside demo\.test/s);
      // Another mail each time: the same one would be answered by what was decided a moment ago.
      const held = call('send_email', { to: 'ada@demo.test', subject: text, body: 'b' });
      const grace = new ApiPerson(installation, tokens['approver']!);
      const asked = await until('people are asked', async () => (await grace.list('state=held')).body.items[0]);
      await grace.decide(asked.id, 'deny', asked.version, { reason: 'nobody needs this mail' });
      expect((await held).content[0]!.text).toMatch(/^NOT EXECUTED: This call was denied/);
      await client.close();
    }, 30_000);
  });

  it('the log has each call with its decision, rule and outcome, and proves', async () => {
    const calls = [...(await settled(installation, tokens['auditor']!)).values()];
    const decided = (effect: string): number => calls.filter((call) => call.effect === effect).length;
    expect({ allow: decided('allow'), deny: decided('deny'), held: decided('require_approval') }).toEqual({ allow: 12, deny: 12, held: 6 });
    expect(calls.filter((call) => call.effect === 'allow').every((call) => call.outcomes.join() === 'succeeded')).toBe(true);
    expect(calls.filter((call) => call.effect !== 'allow').every((call) => call.outcomes.length === 0)).toBe(true);
    const requested = calls[0]!.events.find((event) => event.type === 'call.requested')!;
    expect(requested.actor).toMatchObject({ user: 'ada', client: 'demo-client', agent: 'notes-bot', via: 'mcp' });
    expect(JSON.stringify(calls.map((call) => call.events))).not.toContain('note of');
    await expectProven(installation);
  }, 60_000);

  it('the command line lists and shows calls', async () => {
    const list = await installation.cli('calls', 'list', '--json');
    expect(list.code).toBe(0);
    const { items } = JSON.parse(list.stdout) as { items: { call: string; tool: string; decision: string }[] };
    expect(items.length).toBeGreaterThan(0);
    const shown = await installation.cli('calls', 'show', items[0]!.call);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain('call.requested');
    expect((await installation.cli('calls', 'show', 'nothing')).code).toBe(1);
    expect((await installation.cli('nonsense')).code).toBe(2);
    const status = await installation.cli('status');
    expect([status.code, status.stdout.includes('ready')]).toEqual([0, true]);
  }, 60_000);
});
