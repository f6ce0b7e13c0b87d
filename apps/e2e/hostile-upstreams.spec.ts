import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectProven, settled } from './harness/history.ts';
import { OFFICIAL_CLIENTS } from './harness/official-clients.ts';
import { overHttp } from './harness/servers.ts';
import { until } from './harness/until.ts';
import { LegacyWire, ModernWire, type Reply, type Wire } from './harness/wire.ts';
import { world, type World } from './harness/world.ts';
import { type HostileServer, hostileOverHttp, HTTP_CASES, LIST_CASES } from './hostile/over-http.ts';

type Expected = readonly [name: string, outcome: 'succeeded' | 'failed' | 'unknown', errorClass: string | undefined];

const HTTP: readonly Expected[] = [
  ['fine', 'succeeded', undefined],
  ['huge body', 'unknown', 'result_too_large'],
  ['huge event', 'unknown', 'upstream_protocol'],
  ['endless event', 'unknown', 'upstream_protocol'],
  ['endless comments', 'unknown', 'upstream_protocol'],
  ['endless body', 'unknown', 'result_too_large'],
  ['dies before it answers', 'unknown', 'upstream_broken'],
  ['dies in its body', 'unknown', 'upstream_broken'],
  ['dies in its stream', 'unknown', 'upstream_broken'],
  ['ends its stream without an answer', 'unknown', 'upstream_broken'],
  ['wrong id', 'unknown', 'upstream_protocol'],
  ['wrong id in a stream', 'unknown', 'upstream_broken'],
  ['no JSON', 'unknown', 'upstream_protocol'],
  ['no JSON in a stream', 'unknown', 'upstream_broken'],
  ['no UTF-8', 'unknown', 'upstream_protocol'],
  ['a web page', 'unknown', 'upstream_protocol'],
  ['an internal error', 'unknown', 'upstream_protocol'],
  ['nothing', 'unknown', 'upstream_protocol'],
  ['a result that is no object', 'unknown', 'upstream_protocol'],
  ['result and error', 'succeeded', undefined],
  ['an error that is none', 'unknown', 'upstream_protocol'],
  ['elsewhere', 'failed', 'upstream_protocol'],
  ['never answers', 'unknown', 'upstream_timeout'],
  ['never ends its progress', 'unknown', 'upstream_timeout'],
  ['floods notifications', 'succeeded', undefined],
  ['answers twice', 'succeeded', undefined],
  ['against its schema', 'succeeded', 'result_invalid'],
  ['very deep', 'succeeded', undefined],
  ['keys twice', 'succeeded', undefined],
];
const STDIO: readonly Expected[] = [
  ['fine', 'succeeded', undefined],
  ['writes rubbish first', 'succeeded', undefined],
  ['no JSON', 'unknown', 'upstream_timeout'],
  ['wrong id', 'unknown', 'upstream_timeout'],
  ['a result that is no object', 'unknown', 'upstream_protocol'],
  ['huge line', 'succeeded', 'result_too_large'],
  ['dies in its answer', 'unknown', 'upstream_broken'],
  ['never answers', 'unknown', 'upstream_timeout'],
  ['floods notifications', 'succeeded', undefined],
  ['floods complaints', 'succeeded', undefined],
];
const DISPOSITIONS = { succeeded: 'executed', failed: 'not_executed', unknown: 'unknown' } as const;
const LIMITS = { timeoutMs: 60_000, maxResultBytes: 1_000_000 };
/** For what never ends by itself. */
const HASTY = { ...LIMITS, timeoutMs: 1_000, maxTimeoutMs: 2_500 };

describe('servers that mean harm: a clear error, a true record, and nobody else notices', () => {
  let w: World;
  const servers: HostileServer[] = [];
  const wires: Wire[] = [];
  /** A call that waits for a server which says nothing, and what others got done before it was told so. */
  let silent: Promise<Reply>;
  let silentIsPending = true;
  let servedMeanwhile = 0;
  beforeAll(async () => {
    const start = async (list?: string): Promise<string> => {
      servers.push(await hostileOverHttp(list));
      return servers.at(-1)!.url;
    };
    const script = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'e2e', 'hostile', 'over-stdio.js');
    const stdio = (id: string, limits: object): object => ({ id, tenant: 'acme', transport: { type: 'stdio', command: process.execPath, args: [script] }, limits });
    const url = await start();
    const own = [
      overHttp('http', url, LIMITS),
      overHttp('hasty-http', url, HASTY),
      stdio('stdio', LIMITS),
      stdio('hasty-stdio', HASTY),
      overHttp('silent', await start('silent'), LIMITS),
      ...(await Promise.all(LIST_CASES.map(async (list) => overHttp(idOf(list), await start(list), LIMITS)))),
    ];
    w = await world({ config: (base) => ({ ...base, servers: [...(base['servers'] as object[]), ...own] }) });
    await w.installation.start();
    silent = call(opened(new ModernWire(`${w.installation.url}/mcp/s/silent`, w.agentToken)), 'fine', 'modern silent').finally(() => (silentIsPending = false));
  }, 90_000);
  afterAll(async () => {
    await Promise.all(wires.map((wire) => wire.close()));
    await w.close();
    await Promise.all(servers.map((server) => server.close()));
  }, 30_000);

  const idOf = (list: string): string => list.replaceAll(/[^a-z0-9]+/gi, '-');
  const opened = <T extends Wire>(wire: T): T => {
    wires.push(wire);
    return wire;
  };
  const both = async (server: string): Promise<Wire[]> => {
    const url = `${w.installation.url}/mcp/s/${server}`;
    return [opened(new ModernWire(url, w.agentToken)), opened(await LegacyWire.open(url, w.agentToken))];
  };
  const call = (wire: Wire, name: string, key?: string): Promise<Reply> =>
    wire.request('tools/call', { name, arguments: { marker: 'm' } }, { meta: { progressToken: 1, ...(key !== undefined && { 'dev.holdfast/idempotencyKey': key }) } });
  const isFine = (reply: Reply): boolean => JSON.stringify(reply.answer.result ?? {}).includes('fine');
  /** Another server, and another session of the same one. */
  const othersWork = async (server: string): Promise<void> => {
    const neighbour = await w.caller('/mcp/s/wit').call('read', { marker: 'neighbour' });
    expect(neighbour.body.result?.content?.[0]?.text).toBe('done neighbour');
    for (const wire of await both(server)) {
      // A process that has ended is started again; until then a call is told so.
      expect(await until(`${server} works`, async () => isFine(await call(wire, 'fine')))).toBe(true);
    }
    if (silentIsPending) servedMeanwhile++;
  };

  it('nothing that a server does here is left out', () => {
    expect(HTTP.map(([name]) => name)).toEqual(HTTP_CASES);
  });

  describe.each([['http', HTTP], ['stdio', STDIO]] as const)('calls over %s', (transport, cases) => {
    it.each(cases)('%s: %s %s', async (name, outcome, errorClass) => {
      const server = errorClass === 'upstream_timeout' ? `hasty-${transport}` : transport;
      const clients = await both(server);
      const [replies] = await Promise.all([Promise.all(clients.map((wire) => call(wire, name, `${wire.era} ${transport} ${name}`))), w.caller('/mcp/s/wit').call('read', { marker: 'meanwhile' })]);
      const told = replies.map(({ answer }) => {
        const ours = (answer.result?.['_meta'] as Record<string, { code: string; disposition: string }> | undefined)?.['dev.holdfast/call'];
        return [answer.error, ours?.code, ours?.disposition];
      });
      expect(told).toEqual(clients.map(() => [undefined, errorClass, errorClass && DISPOSITIONS[outcome]]));
      expect(replies.map(({ answer }) => answer.result?.['isError'])).toEqual(clients.map(() => (errorClass === undefined ? undefined : true)));
      await othersWork(server);
    });
  });

  it('a result against its own schema is told as executed, also to an official client that would throw', async () => {
    for (const wire of await both('http')) expect(JSON.stringify((await call(wire, 'against its schema')).answer.result)).toMatch(/EXECUTED: .*output schema/);
    for (const connect of Object.values(OFFICIAL_CLIENTS)) {
      const client = await connect(`${w.installation.url}/mcp/s/http`, w.agentToken);
      await client.listTools();
      expect(await client.callTool({ name: 'against its schema', arguments: {} })).toMatchObject({ isError: true });
      await client.close();
    }
  });

  it('a flood is cut short for the client, and its answer arrives', async () => {
    const [, legacy] = await both('http');
    const { messages } = await call(legacy!, 'floods notifications');
    expect(messages.length).toBeGreaterThan(1_000);
    expect(messages.length).toBeLessThan(20_000);
  });

  describe('lists', () => {
    const names = async (wire: Wire): Promise<{ name: string; title?: string }[]> => {
      const all: { name: string }[] = [];
      let cursor: string | undefined;
      do {
        const { result } = (await wire.request('tools/list', cursor === undefined ? {} : { cursor })).answer;
        all.push(...(result!['tools'] as { name: string }[]));
        cursor = result!['nextCursor'] as string | undefined;
      } while (cursor !== undefined);
      return all;
    };

    it('10,000 tools are all there', async () => {
      for (const wire of await both(idOf('10,000 tools'))) expect(new Set((await names(wire)).map(({ name }) => name)).size).toBe(10_000);
      await othersWork(idOf('10,000 tools'));
    });

    it('a name that comes twice means its first tool', async () => {
      for (const wire of await both(idOf('a name twice'))) expect((await names(wire)).map(({ name, title }) => [name, title])).toEqual([['fine', 'first'], ['other', undefined]]);
      await othersWork(idOf('a name twice'));
    });

    it('what is no tool is left out, and the others are there', async () => {
      for (const wire of await both(idOf('things that are no tools'))) expect((await names(wire)).map(({ name }) => name)).toContain('fine');
      await othersWork(idOf('things that are no tools'));
    });

    it.each(['more tools than anybody needs', 'pages without end', 'no JSON'])('%s: nothing is offered, and a call is refused with a reason and on record', async (list) => {
      for (const wire of await both(idOf(list))) {
        expect((await wire.request('tools/list')).answer.result).toMatchObject({ tools: [] });
        expect((await call(wire, 't1', `${wire.era} list ${list}`)).answer.result).toMatchObject({ isError: true, _meta: { 'dev.holdfast/call': { code: 'upstream_unreachable', disposition: 'not_executed' } } });
      }
      await othersWork('http');
    });

    it('a server that accepts and says nothing has delayed nobody but its own caller', async () => {
      expect((await silent).answer.result).toMatchObject({ isError: true, _meta: { 'dev.holdfast/call': { code: 'upstream_unreachable', disposition: 'not_executed' } } });
      expect(servedMeanwhile).toBeGreaterThan(2);
    });

    it('on /mcp the tools of the good ones are there', async () => {
      const wire = opened(new ModernWire(`${w.installation.url}/mcp`, w.agentToken));
      const listed = new Set((await names(wire)).map(({ name }) => name));
      for (const name of ['wit__read', 'http__fine', 'stdio__fine', 'a-name-twice__fine', '10-000-tools__t9999']) expect(listed).toContain(name);
      for (const name of listed) expect(name).not.toMatch(/^(silent|no-JSON|pages|more)/);
    });
  });

  it('every case is in the log with the outcome that is true, and the log proves', async () => {
    const calls = [...(await settled(w.installation, w.auditorToken)).values()];
    const recorded = Object.fromEntries(calls.filter(({ key }) => key !== undefined).map(({ key, outcomes, events }) => [key, [...outcomes, events.at(-1)!.data['errorClass'] ?? events.at(-1)!.data['code']]]));
    const expected = (era: string): [string, unknown[]][] => [
      ...HTTP.map(([name, outcome, errorClass]): [string, unknown[]] => [`${era} http ${name}`, [outcome, errorClass]]),
      ...STDIO.map(([name, outcome, errorClass]): [string, unknown[]] => [`${era} stdio ${name}`, [outcome, errorClass]]),
      ...['more tools than anybody needs', 'pages without end', 'no JSON'].map((list): [string, unknown[]] => [`${era} list ${list}`, ['upstream_unreachable']]),
    ];
    expect(recorded).toEqual(Object.fromEntries([...expected('modern'), ...expected('legacy'), ['modern silent', ['upstream_unreachable']]]));
    await expectProven(w.installation);
  });
});
