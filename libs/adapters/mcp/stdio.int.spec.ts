import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Cancellation, type PeerRequest, type UpstreamAnswer } from '#libs/broker/core';
import { McpUpstreams } from './mcp-upstreams.ts';
import { call, client, closeAll, until, upstreams } from './spec/http-servers.ts';
import { stdioServer } from './spec/stdio-servers.ts';

afterEach(closeAll);

const tool = (name: string, args: Record<string, unknown> = {}): { params: string; timeoutMs: number } => ({
  params: JSON.stringify({ name, arguments: args }),
  timeoutMs: 20_000,
});
const said = (answer: UpstreamAnswer): unknown => (answer.kind === 'result' ? (JSON.parse(answer.text) as unknown) : answer);

/** Processes that have ended stay visible until somebody asks for their exit code, which on some machines takes a while. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    try {
      process.kill(pid, 0);
      return process.platform !== 'linux';
    } catch {
      return false;
    }
  }
}

describe('a server as a child process', () => {
  it('is started once, asked for its era, and gets the arguments as text', async () => {
    const all = upstreams();
    const server = stdioServer();
    const [one, two] = await Promise.all([1, 2].map(() => all.call(server, call(tool('pid')))));
    expect(said(one!)).toEqual(said(two!));
    expect(await all.call(server, call({ params: '{"name":"echo","arguments":{"a":1.50,"é":"ü"}}', meta: { 'x/y': 1 } }))).toEqual({
      kind: 'result',
      text: '{"_meta":{"x/y":1},"name":"echo","arguments":{"a":1.5,"é":"ü"}}',
    });
    const { seen } = said(await all.call(server, call(tool('seen')))) as { seen: { method: string; params?: unknown }[] };
    expect(seen.slice(0, 3).map(({ method }) => method)).toEqual(['server/discover', 'initialize', 'notifications/initialized']);
    expect(seen[1]?.params).toMatchObject({ capabilities: { elicitation: {}, sampling: {}, roots: {} } });
    expect(await all.describe(server)).toMatchObject({ era: 'legacy', protocol: '2025-06-18', serverInfo: { name: 's' } });
    expect((await all.list(server, 'tools')).map((entry) => entry['name'])).toContain('echo');
    expect(await all.list(server, 'prompts')).toEqual([]);
  });

  it.each(['silent', 'dies', 'modern'])('is understood whichever era it is of: %s', async (era) => {
    const all = upstreams();
    const server = stdioServer({ env: { ERA: era } });
    const heard: string[] = [];
    all.listen({ notified: (_, __, method) => void heard.push(method), asked: () => Promise.reject(new Error('not asked')) });
    expect(await all.describe(server)).toMatchObject({ era: era === 'modern' ? 'modern' : 'legacy' });
    const echoed = said(await all.call(server, call(tool('echo')))) as { _meta?: unknown };
    expect(echoed._meta).toEqual(
      era === 'modern'
        ? {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientInfo': { name: 'holdfast', version: '0' },
            'io.modelcontextprotocol/clientCapabilities': {},
          }
        : undefined,
    );
    await all.call(server, call(tool('changed')));
    await until(() => heard.length > 0);
    expect(heard).toEqual(['notifications/tools/list_changed']);
  });

  it('answers many calls at once, in its own order', async () => {
    const all = upstreams();
    const server = stdioServer();
    const done: number[] = [];
    const answers = await Promise.all(
      Array.from({ length: 32 }, async (_, n) => {
        const answer = await all.call(server, call(tool('wait', { ms: 320 - n * 10 })));
        done.push(n);
        return said(answer);
      }),
    );
    expect(answers).toEqual(Array.from({ length: 32 }, (_, n) => ({ ms: 320 - n * 10 })));
    expect(done).not.toEqual([...done].sort((a, b) => a - b));
  });

  it('serves no more calls at a time than it may, and what waited in vain is never sent', async () => {
    const all = upstreams();
    const server = stdioServer({}, { concurrency: 1 });
    await all.describe(server);
    const first = all.call(server, call(tool('wait', { ms: 400 })));
    const waiting = [1, 2, 3, 4].map(() => all.call(server, call({ ...tool('echo'), timeoutMs: 50 })));
    expect(await all.call(server, call(tool('echo')))).toEqual({ kind: 'not_sent', reason: 'busy' });
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: 4 }, () => ({ kind: 'not_sent', reason: 'busy' })));
    expect(said(await first)).toEqual({ ms: 400 });
    const { seen } = said(await all.call(server, call(tool('seen')))) as { seen: { method: string }[] };
    expect(seen.filter(({ method }) => method === 'tools/call')).toHaveLength(2);
  });

  it('tells progress to whom it belongs, before the answer', async () => {
    const all = upstreams();
    const server = stdioServer();
    const [ada, grace] = [client(), client()];
    const [a, b] = [call({ ...tool('progress', { times: 3 }), client: ada }), call({ ...tool('progress', { times: 2 }), client: grace })];
    await Promise.all([all.call(server, a), all.call(server, b)]);
    expect(ada.told).toEqual([1, 2, 3].map((n) => ['notifications/progress', { progressToken: a.requestId, progress: n }]));
    expect(grace.told).toEqual([1, 2].map((n) => ['notifications/progress', { progressToken: b.requestId, progress: n }]));
  });

  it('logs for the one client whose call it works on, and for nobody when there are several', async () => {
    const all = upstreams();
    const server = stdioServer();
    const everybody: unknown[] = [];
    all.listen({ notified: (_, __, method, params) => void everybody.push([method, JSON.parse(params)]), asked: () => Promise.reject(new Error('not asked')) });
    const [alone, beside, third] = [client(), client(), client()];
    await all.call(server, call({ ...tool('log'), client: alone }));
    expect(alone.told).toEqual([['notifications/message', { level: 'info', data: 0 }]]);
    expect(everybody).toEqual([]);
    const cancellation = new Cancellation();
    const waiting = all.call(server, call({ ...tool('never'), client: beside, cancellation }));
    await all.call(server, call({ ...tool('log'), client: third }));
    cancellation.cancel('cancelled');
    await waiting;
    expect([beside.told, third.told, everybody]).toEqual([[], [], []]);
  });

  it('may ask the one client that it can mean, and nobody when it could mean several', async () => {
    const all = upstreams();
    const server = stdioServer();
    const asked: PeerRequest[] = [];
    const ask = async (request: PeerRequest): Promise<{ result: string }> => {
      asked.push(request);
      return { result: '{"action":"accept"}' };
    };
    const question = tool('ask', { method: 'elicitation/create' });
    const alone = await all.call(server, call({ ...question, client: client({ ask }) }));
    expect(said(alone)).toMatchObject({ result: { action: 'accept' } });
    expect(asked).toEqual([{ method: 'elicitation/create', params: '{"message":"Sure?"}' }]);
    const other = all.call(server, call({ ...tool('wait', { ms: 500 }), client: client({ ask }) }));
    expect(said(await all.call(server, call({ ...question, client: client({ ask }) })))).toMatchObject({ error: { code: -32601, message: expect.stringContaining('Several') } });
    await other;
    expect(said(await all.call(server, call({ ...question, client: client() })))).toMatchObject({ error: { code: -32601, message: expect.stringContaining('No client') } });
    expect(said(await all.call(server, call(tool('ask', { method: 'ping' }))))).toMatchObject({ result: {} });
    expect(asked).toHaveLength(1);
  });

  it('is told what is cancelled or late, and goes on with the rest', async () => {
    const all = upstreams();
    const server = stdioServer();
    await all.describe(server);
    const cancellation = new Cancellation();
    const [cancelled, late, fine] = [call({ ...tool('never'), cancellation }), call({ ...tool('never'), timeoutMs: 100 }), call(tool('wait', { ms: 300 }))];
    const answers = [cancelled, late, fine].map((one) => all.call(server, one));
    await new Promise((resolve) => setTimeout(resolve, 50));
    cancellation.cancel('cancelled');
    expect(await Promise.all(answers)).toEqual([
      { kind: 'lost', reason: 'cancelled' },
      { kind: 'lost', reason: 'timeout' },
      { kind: 'result', text: '{"ms":300}' },
    ]);
    const { seen } = said(await all.call(server, call(tool('seen')))) as { seen: { method: string; params: { requestId: string } }[] };
    const told = seen.filter(({ method }) => method === 'notifications/cancelled').map(({ params }) => params.requestId);
    expect(new Set(told)).toEqual(new Set([cancelled.requestId, late.requestId]));
  });

  it('has its resources watched, and again after a restart, which comes by itself', async () => {
    const all = upstreams();
    const server = stdioServer();
    const heard: unknown[] = [];
    all.listen({ notified: (_, ...what) => void heard.push(what), asked: () => Promise.reject(new Error('not asked')) });
    expect(await all.watch(server, 'x:1')).toEqual({ kind: 'result', text: '{}' });
    await until(() => heard.length === 1);
    expect(await all.call(server, call(tool('die')))).toEqual({ kind: 'lost', reason: 'broken' });
    await until(() => heard.length === 3);
    expect(heard).toEqual([
      [undefined, 'notifications/resources/updated', '{"uri":"x:1"}'],
      [undefined, 'notifications/tools/list_changed', '{}'],
      [undefined, 'notifications/resources/updated', '{"uri":"x:1"}'],
    ]);
  });
});

describe('a child that is unwell', () => {
  it('loses the calls it had when it dies, and is there again at once', async () => {
    const all = upstreams();
    const server = stdioServer();
    const before = said(await all.call(server, call(tool('pid')))) as { pid: number };
    const open = all.call(server, call(tool('never')));
    process.kill(before.pid, 'SIGKILL');
    expect(await open).toEqual({ kind: 'lost', reason: 'broken' });
    expect(said(await all.call(server, call(tool('pid'))))).not.toEqual(before);
  });

  it('is started again in growing pauses when it keeps dying', async () => {
    const all = upstreams();
    const server = stdioServer();
    const kinds: string[] = [];
    for (let i = 0; i < 3; i++) kinds.push(JSON.stringify(await all.call(server, call(tool('die')))));
    expect(kinds).toEqual([
      '{"kind":"lost","reason":"broken"}',
      '{"kind":"lost","reason":"broken"}',
      '{"kind":"not_sent","reason":"unreachable"}',
    ]);
    let back = await all.call(server, call(tool('echo')));
    while (back.kind === 'not_sent') {
      await new Promise((resolve) => setTimeout(resolve, 50));
      back = await all.call(server, call(tool('echo')));
    }
    expect(back.kind).toBe('result');
  });

  it('that cannot be started is unavailable and says so without a value', async () => {
    const all = upstreams();
    const server = stdioServer({ command: '/nowhere/at-all', args: ['hunter2'] });
    expect(await all.call(server, call(tool('echo')))).toEqual({ kind: 'not_sent', reason: 'unreachable' });
    await expect(all.list(stdioServer({ cwd: '/nowhere/at-all' }), 'tools')).rejects.toThrow(/^the server is gone \(cannot be started\)$/);
    await expect(all.list(stdioServer({ command: '/nowhere/at-all', args: ['hunter2'] }), 'tools')).rejects.toThrow(/^the server is gone \(ended with 127\)$/);
  });

  it('writes what is no message, or belongs to nobody', async () => {
    const all = upstreams();
    expect(said(await all.call(stdioServer(), call(tool('garbage'))))).toEqual({ ok: true });
  });

  it.each([
    [10_001, {}],
    [20_000_000, { cut: true }],
  ])('says more than it may (%d bytes), which is that call’s loss only', async (bytes, more) => {
    const all = upstreams();
    const server = stdioServer();
    const other = all.call(server, call(tool('wait', { ms: 200 })));
    expect(await all.call(server, call(tool('huge', { bytes })))).toEqual({ kind: 'too_large', ...more });
    expect(said(await other)).toEqual({ ms: 200 });
  });

  it('complains in bounded measure', async () => {
    const lines: string[] = [];
    const all = new McpUpstreams({ clientInfo: { name: 'holdfast', version: '0' }, resolveSecret: () => 'unused', onStderr: (_, line) => lines.push(line) });
    await all.call(stdioServer(), call(tool('stderr', { lines: 5_000 })));
    await until(() => lines.length > 0);
    await all.close();
    expect(lines[0]).toBe('line 0');
    expect(lines.length).toBeLessThanOrEqual(100);
  });
});

describe('a child’s surroundings', () => {
  it('are what its configuration says and nothing of ours but where programs are', async () => {
    process.env['HOLDFAST_SPEC_SECRET'] = 'ours';
    try {
      const all = upstreams((ref) => (ref === 'env:TOKEN' ? 's3cret' : 'wrong'));
      const server = stdioServer({ env: { A: 'a', TOKEN: { secretRef: 'env:TOKEN' } }, cwd: import.meta.dirname });
      const env = said(await all.call(server, call(tool('env')))) as Record<string, string>;
      expect(env).toMatchObject({ A: 'a', TOKEN: 's3cret', PATH: process.env['PATH'] });
      const allowed = new Set(['A', 'TOKEN', 'HOME', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'USER', 'PWD', 'OLDPWD', 'SHLVL', '_']);
      expect(Object.keys(env).filter((name) => !allowed.has(name))).toEqual([]);
    } finally {
      delete process.env['HOLDFAST_SPEC_SECRET'];
    }
  });

  it('without a secret that they need do not come to be', async () => {
    const all = upstreams(() => {
      throw new Error('s3cret');
    });
    const server = stdioServer({ env: { TOKEN: { secretRef: 'env:TOKEN' } } });
    expect(await all.call(server, call(tool('env')))).toEqual({ kind: 'not_sent', reason: 'unreachable' });
  });
});

describe('no process outlives us', () => {
  const left: number[] = [];

  afterEach(() => {
    for (const pid of left.splice(0)) if (runs(pid)) process.kill(pid, 'SIGKILL');
  });

  it.each([{}, { STUBBORN: '1' }])('when everything is closed: %j', async (env) => {
    const all = upstreams();
    const { pid, child } = said(await all.call(stdioServer({ env }), call(tool('spawn')))) as { pid: number; child: number };
    left.push(pid, child);
    expect([runs(pid), runs(child)]).toEqual([true, true]);
    await all.close();
    await until(() => !runs(pid) && !runs(child));
  });

  it('when its server leaves the configuration, after its calls', async () => {
    const all = upstreams();
    const server = stdioServer();
    const { pid } = said(await all.call(server, call(tool('pid')))) as { pid: number };
    const last = all.call(server, call(tool('wait', { ms: 200 })));
    all.retain(new Set());
    expect(said(await last)).toEqual({ ms: 200 });
    await until(() => !runs(pid));
    // What comes late does not start it again.
    expect(await all.call(server, call(tool('pid')))).toEqual({ kind: 'not_sent', reason: 'unreachable' });
    expect((await all.unwatch(server, 'x:1')).kind).toBe('not_sent');
    await expect(all.list(server, 'tools')).rejects.toThrow('not served any more');
    all.retain(new Set([server.key]));
    expect((await all.call(server, call(tool('pid')))).kind).toBe('result');
  });

  it('when its server dies and leaves others behind', async () => {
    const all = upstreams();
    const { pid, child } = said(await all.call(stdioServer(), call(tool('spawn')))) as { pid: number; child: number };
    left.push(child);
    expect(runs(child)).toBe(true);
    process.kill(pid, 'SIGKILL');
    await until(() => !runs(child));
  });

  it('when we are killed, however deaf it is', async () => {
    const host = spawn(process.execPath, ['--import', 'tsx', '--conditions', 'source', join(import.meta.dirname, 'spec', 'stdio-host.ts')], {
      cwd: join(import.meta.dirname, '..', '..', '..'),
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    const [line] = (await once(host.stdout.setEncoding('utf8'), 'data')) as [string];
    const { pid, child } = JSON.parse(line) as { pid: number; child: number };
    left.push(pid, child);
    expect([runs(pid), runs(child)]).toEqual([true, true]);
    const gone = once(host, 'exit');
    host.kill('SIGKILL');
    await gone;
    await until(() => !runs(pid) && !runs(child));
  });
});
