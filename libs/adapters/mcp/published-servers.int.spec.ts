import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Cancellation, type PeerRequest, type UpstreamAnswer, type UpstreamServer } from '#libs/broker/core';
import { call, client, closeAll, until, upstreams } from './spec/http-servers.ts';
import { stdioServer } from './spec/stdio-servers.ts';

/** Servers as people run them, as child processes. */
const published = (name: string, args: readonly string[] = [], env: Record<string, string> = {}): UpstreamServer =>
  stdioServer({
    command: process.execPath,
    args: [join(import.meta.dirname, '..', '..', '..', 'node_modules', '@modelcontextprotocol', `server-${name}`, 'dist', 'index.js'), ...args],
    env,
  });
const tool = (name: string, args: Record<string, unknown>): { params: string; timeoutMs: number } => ({
  params: JSON.stringify({ name, arguments: args }),
  timeoutMs: 30_000,
});
const textOf = (answer: UpstreamAnswer): string =>
  answer.kind === 'result' ? (JSON.parse(answer.text) as { content: { text: string }[] }).content[0]!.text : JSON.stringify(answer);

let directory: string;
beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-spec-')));
});
afterEach(closeAll);
afterAll(() => rm(directory, { recursive: true }));

describe('the everything server', () => {
  it('lists all there is, and answers', async () => {
    const all = upstreams();
    const server = published('everything');
    expect(await all.describe(server)).toMatchObject({ era: 'legacy', capabilities: { tools: {}, prompts: {}, resources: {} } });
    expect((await all.list(server, 'tools')).map((entry) => entry['name'])).toContain('echo');
    for (const kind of ['prompts', 'resources', 'resourceTemplates'] as const) expect(await all.list(server, kind)).not.toEqual([]);
    expect(textOf(await all.call(server, call(tool('echo', { message: 'hällo' }))))).toContain('hällo');
    expect(await all.call(server, call({ method: 'prompts/get', params: '{"name":"simple-prompt"}' }))).toMatchObject({ kind: 'result' });
    expect(await all.call(server, call({ method: 'prompts/get', params: '{"name":"none"}' }))).toMatchObject({ kind: 'error' });
  });

  it('tells how far it is', async () => {
    const all = upstreams();
    const who = client();
    const long = call({ ...tool('trigger-long-running-operation', { duration: 0.5, steps: 5 }), client: who });
    expect(textOf(await all.call(published('everything'), long))).toContain('completed');
    expect(who.told.map(([method, params]) => [method, params])).toEqual(
      [1, 2, 3, 4, 5].map((progress) => ['notifications/progress', { progress, total: 5, progressToken: long.requestId }]),
    );
  });

  it('is told that nobody waits any more', async () => {
    const all = upstreams();
    const server = published('everything');
    const cancellation = new Cancellation();
    const who = client();
    const answer = all.call(server, call({ ...tool('trigger-long-running-operation', { duration: 60, steps: 600 }), client: who, cancellation }));
    await until(() => who.told.length > 0);
    cancellation.cancel('cancelled');
    expect(await answer).toEqual({ kind: 'lost', reason: 'cancelled' });
    expect(textOf(await all.call(server, call(tool('echo', { message: 'still there' }))))).toContain('still there');
  });

  it('asks the client that it serves', async () => {
    const all = upstreams();
    const server = published('everything');
    const asked: PeerRequest[] = [];
    const ask = async (request: PeerRequest): Promise<{ result: string }> => {
      asked.push(request);
      return { result: JSON.stringify({ model: 'm', role: 'assistant', content: { type: 'text', text: 'sampled here' } }) };
    };
    await all.describe(server);
    // It offers what asks only after it knows that clients can be asked.
    let names: unknown[] = [];
    while (!names.includes('trigger-sampling-request')) names = (await all.list(server, 'tools')).map((entry) => entry['name']);
    const answer = await all.call(server, call({ ...tool('trigger-sampling-request', { prompt: 'x', maxTokens: 10 }), client: client({ ask }) }));
    expect(textOf(answer)).toContain('sampled here');
    expect(asked.map(({ method }) => method)).toEqual(['sampling/createMessage']);
  });
});

describe('the filesystem server', () => {
  it('reads what it may, and nothing else', async () => {
    await writeFile(join(directory, 'a.txt'), 'content');
    const all = upstreams();
    const server = published('filesystem', [directory]);
    expect((await all.list(server, 'tools')).map((entry) => entry['name'])).toContain('read_text_file');
    expect(textOf(await all.call(server, call(tool('read_text_file', { path: join(directory, 'a.txt') }))))).toBe('content');
    expect(textOf(await all.call(server, call(tool('read_text_file', { path: '/etc/hostname' }))))).toContain('denied');
  });
});

describe('the memory server', () => {
  it('keeps what it is told where its environment says', async () => {
    const file = join(directory, 'memory.jsonl');
    const all = upstreams();
    const server = published('memory', [], { MEMORY_FILE_PATH: file });
    const entities = [{ name: 'Ada', entityType: 'person', observations: ['counts'] }];
    expect(await all.call(server, call(tool('create_entities', { entities })))).toMatchObject({ kind: 'result' });
    expect(textOf(await all.call(server, call(tool('read_graph', {}))))).toContain('Ada');
    expect(await readFile(file, 'utf8')).toContain('Ada');
  });
});
