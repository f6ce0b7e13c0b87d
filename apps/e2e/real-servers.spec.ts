import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import { type EverythingServer, startEverythingServer } from './everything/everything-server.ts';
import { expectProven, settled } from './harness/history.ts';
import { OFFICIAL_CLIENTS, type OfficialClient } from './harness/official-clients.ts';
import { officialPython, runPython } from './harness/python.ts';
import { overHttp, published } from './harness/servers.ts';
import { until } from './harness/until.ts';
import { LegacyWire } from './harness/wire.ts';
import { world, type World } from './harness/world.ts';

const FIXTURES = ['both', 'modern', 'legacy'] as const;
const ONE_ERA = ['modern', 'legacy'] as const;
const digest = (value: unknown): string => createHash('sha256').update(canonicalize(value)!).digest('base64url');

describe('real servers, real clients', () => {
  let w: World;
  let directory: string;
  const fixtures: EverythingServer[] = [];
  beforeAll(async () => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-files-')));
    for (const eras of FIXTURES) fixtures.push(await startEverythingServer(0, eras));
    const servers = [
      published('everything'),
      { ...published('filesystem', [directory]), tools: { write_file: { class: 'write' } } },
      published('memory', [], { MEMORY_FILE_PATH: join(directory, 'memory.jsonl') }),
      ...FIXTURES.map((id, i) => overHttp(id, fixtures[i]!.url)),
    ];
    w = await world({ config: (base) => ({ ...base, servers }) });
    await w.installation.start();
  }, 90_000);
  afterAll(async () => {
    await w.close();
    await Promise.all(fixtures.map((fixture) => fixture.close()));
    rmSync(directory, { recursive: true, force: true });
  }, 30_000);

  /** A client on `/mcp`, where tools have a prefix, or on the path of one server. */
  const through = async (client: string, path: '/mcp' | '/mcp/s', server: string): Promise<{ client: OfficialClient; name: (own: string) => string }> => ({
    client: await OFFICIAL_CLIENTS[client]!(`${w.installation.url}${path === '/mcp' ? path : `${path}/${server}`}`, w.agentToken),
    name: (own) => (path === '/mcp' ? `${server}__${own}` : own),
  });
  const everyTool = async (client: OfficialClient): Promise<string[]> => {
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.listTools(cursor === undefined ? {} : { cursor });
      names.push(...page.tools.map((tool) => tool.name));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return names;
  };

  describe.each(Object.keys(OFFICIAL_CLIENTS))('client %s', (kind) => {
    it.each(['/mcp', '/mcp/s'] as const)('on %s: filesystem writes and reads, and nothing outside of its directory', async (path) => {
      const { client, name } = await through(kind, path, 'filesystem');
      const file = join(directory, `${kind}-${path}.txt`.replaceAll(/[^a-z0-9.]/g, '-'));
      const content = `written by ${kind} on ${path}: ünïcödé\n`;
      expect((await client.callTool({ name: name('write_file'), arguments: { path: file, content } })).isError).toBeFalsy();
      expect(readFileSync(file, 'utf8')).toBe(content);
      expect((await client.callTool({ name: name('read_text_file'), arguments: { path: file } })).content[0]!.text).toBe(content);
      const outside = join(tmpdir(), 'holdfast-outside.txt');
      expect((await client.callTool({ name: name('write_file'), arguments: { path: outside, content } })).isError).toBe(true);
      expect(existsSync(outside)).toBe(false);
      await client.close();
    });

    it.each(['/mcp', '/mcp/s'] as const)('on %s: memory keeps what it is told', async (path) => {
      const { client, name } = await through(kind, path, 'memory');
      const entity = `${kind} ${path}`;
      await client.callTool({ name: name('create_entities'), arguments: { entities: [{ name: entity, entityType: 'client', observations: ['was here'] }] } });
      expect(readFileSync(join(directory, 'memory.jsonl'), 'utf8')).toContain(entity);
      expect(JSON.stringify(await client.callTool({ name: name('read_graph'), arguments: {} }))).toContain(entity);
      await client.close();
    });

    it.each(['/mcp', '/mcp/s'] as const)('on %s: everything lists, answers in every form, reports progress', async (path) => {
      const { client, name } = await through(kind, path, 'everything');
      expect(await everyTool(client)).toEqual(expect.arrayContaining(['echo', 'get-sum', 'get-tiny-image', 'get-structured-content'].map(name)));
      expect((await client.callTool({ name: name('echo'), arguments: { message: 'hällo' } })).content[0]!.text).toContain('hällo');
      expect((await client.callTool({ name: name('get-sum'), arguments: { a: 2, b: 40 } })).content[0]!.text).toContain('42');
      expect((await client.callTool({ name: name('get-tiny-image') })).content.map(({ type }) => type)).toContain('image');
      expect((await client.callTool({ name: name('get-structured-content'), arguments: { location: 'New York' } })).structuredContent).toMatchObject({ temperature: expect.any(Number) });
      const progress: number[] = [];
      await client.callTool({ name: name('trigger-long-running-operation'), arguments: { duration: 0.3, steps: 3 } }, (step) => void progress.push(step.progress));
      expect(progress).toEqual([1, 2, 3]);
      const { uri } = (await client.listResources()).resources.find((resource) => resource.uri.startsWith('demo://'))!;
      expect((await client.readResource({ uri })).contents[0]!.uri).toBe(uri);
      expect((await client.listPrompts()).prompts.map((prompt) => prompt.name)).toContain(name('simple-prompt'));
      expect((await client.getPrompt({ name: name('args-prompt'), arguments: { city: 'Bern' } })).messages[0]!.content).toMatchObject({ text: expect.stringContaining('Bern') });
      await client.close();
    });

    it.each(ONE_ERA.flatMap((server) => (['/mcp', '/mcp/s'] as const).map((path) => [server, path] as const)))('the %s-only server of our own on %s', async (server, path) => {
      const { client, name } = await through(kind, path, server);
      expect(await everyTool(client)).toContain(name('test_simple_text'));
      expect((await client.callTool({ name: name('test_simple_text') })).content[0]!.text).toBe('This is a simple text response for testing.');
      expect((await client.callTool({ name: name('test_error_handling') })).isError).toBe(true);
      const progress: number[] = [];
      await client.callTool({ name: name('test_tool_with_progress') }, (step) => void progress.push(step.progress));
      expect(progress).toEqual([0, 50, 100]);
      expect((await client.readResource({ uri: 'test://static-text' })).contents[0]!.text).toBe('This is the content of the static text resource.');
      expect((await client.getPrompt({ name: name('test_simple_prompt') })).messages).toHaveLength(1);
      await client.close();
    });
  });

  it('memory is there again after its process was killed, and remembers', async () => {
    const { client, name } = await through('v1', '/mcp', 'memory');
    const killed = memoryProcess();
    process.kill(killed!, 'SIGKILL');
    const remembered = await until('another process of the memory server', async () => {
      const graph = JSON.stringify(await client.callTool({ name: name('read_graph'), arguments: {} }));
      return memoryProcess() !== killed && graph.includes('was here') && graph;
    });
    for (const kind of Object.keys(OFFICIAL_CLIENTS)) expect(remembered).toContain(`${kind} /mcp/s`);
    await client.close();
  });

  const found = officialPython();
  if ('missing' in found) {
    process.stderr.write(`skipped: the official Python client, because ${found.missing}\n`);
    // oxlint-disable-next-line jest/no-disabled-tests, jest/expect-expect -- not every machine has Python, and then says so
    it.skip(`the official Python client: ${found.missing}`, () => undefined);
  } else {
    it('the official Python client, in both ways, on both endpoints', async () => {
      const endpoints = [
        { url: `${w.installation.url}/mcp`, prefix: 'both__' },
        { url: `${w.installation.url}/mcp/s/both`, prefix: '' },
      ];
      const seen = await runPython(found.python, join(import.meta.dirname, 'python-client.py'), { token: w.agentToken, endpoints });
      expect(seen).toEqual(
        endpoints.flatMap(({ prefix }) =>
          ['2026-07-28', '2025-11-25'].map((protocol) => ({
            protocol,
            tools: expect.arrayContaining([`${prefix}test_simple_text`]),
            prompts: expect.arrayContaining([`${prefix}test_simple_prompt`]),
            text: 'This is a simple text response for testing.',
            error: [true, expect.stringContaining('intentionally')],
            image: 'image/png',
            progress: [0, 50, 100],
            resource: 'This is the content of the static text resource.',
            prompt: "Prompt with arguments: arg1='one', arg2='two'",
          })),
        ),
      );
    });
  }

  it('the log says of a written file who asked for it, why it was allowed, what was sent and what came back', async () => {
    const wire = await LegacyWire.open(`${w.installation.url}/mcp/s/filesystem`, w.agentToken);
    const args = { path: join(directory, 'on-record.txt'), content: 'on record' };
    const { result } = (await wire.request('tools/call', { name: 'write_file', arguments: args }, { meta: { 'dev.holdfast/idempotencyKey': 'on-record' } })).answer;
    await wire.close();
    expect(readFileSync(args.path, 'utf8')).toBe('on record');
    const call = [...(await settled(w.installation, w.auditorToken)).values()].find(({ key }) => key === 'on-record')!;
    expect(call.types).toEqual(['call.requested', 'policy.decided', 'call.completed']);
    const [requested, decided, completed] = call.events;
    expect(requested).toMatchObject({ actor: { user: 'ada', client: 'e2e', agent: 'bot' }, data: { server: 'filesystem', tool: 'write_file', class: 'write', endpoint: '/mcp/s/filesystem', argsDigest: digest(args), argsAbsent: false } });
    expect(decided).toMatchObject({ data: { effect: 'allow', rule: 'all' } });
    expect(completed).toMatchObject({ data: { outcome: 'succeeded', upstream: { server: 'filesystem' }, resultDigest: digest(result) } });
    expect(JSON.stringify(call.events)).not.toContain('on record');
    const shown = await w.installation.cli('calls', 'show', call.call);
    expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining('write_file')]);
  });

  it('every call is in the log with its outcome, and the log proves', async () => {
    const calls = [...(await settled(w.installation, w.auditorToken)).values()];
    expect(calls.length).toBeGreaterThan(100);
    expect(calls.filter(({ effect, outcomes }) => effect !== 'allow' || outcomes.length !== 1)).toEqual([]);
    const ends = (outcome: string): Set<unknown> => new Set(calls.filter(({ outcomes }) => outcomes[0] === outcome).map(({ events }) => events[0]!.data['tool']));
    // Beside what the servers themselves refuse, only a killed process may have cost a call.
    expect(['read_graph', 'test_error_handling', 'write_file']).toEqual(expect.arrayContaining([...ends('failed')]));
    expect(['read_graph']).toEqual(expect.arrayContaining([...ends('unknown')]));
    expect([...ends('succeeded')]).toEqual(expect.arrayContaining(['write_file', 'create_entities', 'echo', 'test_simple_text', 'test://static-text', 'test_simple_prompt']));
    await expectProven(w.installation);
  });

  /** The process id of the memory server that Holdfast runs. */
  function memoryProcess(): number | undefined {
    const ours = new Set(w.installation.children());
    const lines = execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' }).trim().split('\n');
    const found = lines.map((line) => line.trim().split(' ')).find(([pid, command, ...rest]) => ours.has(Number(pid)) && command === process.execPath && rest.some((arg) => arg.includes('server-memory')));
    return found && Number(found[0]);
  }
});
