import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type BareRelay, startBareRelay } from './bare-relay.ts';
import { startBareStdioRelay } from './bare-stdio-relay.ts';
import { type EchoUpstream, startEchoUpstream } from './echo-upstream.ts';
import { type Answer, runLoad } from './load.ts';

describe('runLoad', () => {
  const open: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(resource: T): T => (open.push(resource), resource);
  const upstream = async (): Promise<EchoUpstream> => keep(await startEchoUpstream({ remember: true }));
  afterEach(async () => {
    for (const resource of open.splice(0).reverse()) await resource.close();
  });

  it('gets every call answered through a relay, and tells each one exactly once', async () => {
    const echo = await upstream();
    const relay = keep(await startBareRelay(echo.url));
    const answers: Answer[] = [];
    const report = await runLoad({ target: { url: relay.url, tool: 'echo' }, sessions: 4, seconds: 0.2, warmupSeconds: 0.1, onAnswer: (answer) => answers.push(answer) });
    expect(report.calls).toBeGreaterThan(0);
    expect(report.kinds.answered).toBe(report.calls);
    expect(answers.every(({ kind }) => kind === 'answered')).toBe(true);
    expect(answers.map(({ payload }) => payload).toSorted()).toEqual(echo.executed().messages.toSorted());
  });

  it('makes exactly the planned number of calls in the open loop', async () => {
    const echo = await upstream();
    const report = await runLoad({ target: { url: echo.url, tool: 'echo' }, sessions: 2, seconds: 0.5, ratePerSecond: 200 });
    expect(report).toMatchObject({ mode: 'open', calls: 100, kinds: { answered: 100 } });
    expect(echo.executed().count).toBe(100);
  });

  it('makes large and slow calls of the modern era, which the server counts', async () => {
    const echo = keep(await startEchoUpstream({ era: 'modern' }));
    const relay = keep(await startBareRelay(echo.url));
    const target = { url: relay.url, tool: 'echo', era: 'modern', more: { delayMs: 1 } } as const;
    const answers: Answer[] = [];
    const report = await runLoad({ target, sessions: 2, seconds: 0.2, payloadLength: 100_000, onAnswer: (answer) => answers.push(answer) });
    expect(report.calls).toBeGreaterThan(0);
    expect(report.kinds.answered).toBe(report.calls);
    expect(answers.every(({ payload }) => payload.length === 100_000)).toBe(true);
    expect(echo.executed().count).toBe(report.calls);
  });

  const stdioRelay = (...args: string[]): Promise<BareRelay> => startBareStdioRelay(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'echo-stdio.ts'), ...args]);

  it.each(['legacy', 'modern'] as const)('gives each of many clients its own answers through one %s stdio server', async (era) => {
    const relay = keep(await stdioRelay(...(era === 'modern' ? ['--modern'] : [])));
    const report = await runLoad({ target: { url: relay.url, tool: 'echo', era }, sessions: 8, seconds: 0.3, payloadLength: 50_000 });
    expect(report.calls).toBeGreaterThan(8);
    expect(report.kinds.answered).toBe(report.calls);
  });

  it('says so when the stdio server is gone', async () => {
    const relay = keep(await startBareStdioRelay(process.execPath, ['-e', '']));
    await expect(runLoad({ target: { url: relay.url, tool: 'echo' }, sessions: 1, seconds: 1 })).rejects.toThrow(/HTTP 50[23]/);
  });

  it('does not take a server of one era for one of the other', async () => {
    const modern = keep(await startEchoUpstream({ era: 'modern' }));
    await expect(runLoad({ target: { url: modern.url, tool: 'echo' }, sessions: 1, seconds: 1 })).rejects.toThrow('answered initialize with HTTP 200 and no result');
  });

  it('sees answers that are swapped between sessions', async () => {
    // A server that answers each call with the result of the call before.
    let previous = 'nothing';
    const server = createServer((request, response) => {
      void (async () => {
        let text = '';
        for await (const chunk of request) text += String(chunk);
        const { id, method, params } = JSON.parse(text) as { id?: number; method: string; params?: { arguments?: { message: string } } };
        const results: Record<string, unknown> = {
          initialize: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'swap', version: '1' } },
          'tools/list': { tools: [{ name: 'echo' }] },
          'tools/call': { content: [{ type: 'text', text: previous }] },
        };
        if (params?.arguments) previous = params.arguments.message;
        response.writeHead(id === undefined ? 202 : 200, { 'content-type': 'application/json' }).end(id === undefined ? '' : JSON.stringify({ jsonrpc: '2.0', id, result: results[method] }));
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    keep({ close: () => new Promise<void>((resolve) => (server.closeAllConnections(), server.close(() => resolve()))) });
    const report = await runLoad({ target: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, tool: 'echo' }, sessions: 2, seconds: 0.1 });
    expect(report.calls).toBeGreaterThan(0);
    expect(report.kinds).toMatchObject({ answered: 0, mismatched: report.calls });
    expect(report.rps).toBe(0);
  });

  it('goes on through a restart of the server when it is patient', async () => {
    let echo = await startEchoUpstream({ remember: true });
    const { port } = echo;
    const stop = new AbortController();
    const answers: Answer[] = [];
    const load = runLoad({ target: { url: echo.url, tool: 'echo' }, sessions: 3, seconds: 20, patienceMs: 20_000, signal: stop.signal, onAnswer: (answer) => answers.push(answer) });
    const count = async (wanted: number): Promise<void> => {
      while (answers.filter(({ kind }) => kind === 'answered').length < wanted) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await count(20);
    await echo.close();
    const before = new Set(echo.executed().messages);
    const answered = answers.filter(({ kind }) => kind === 'answered').length;
    echo = keep(await startEchoUpstream({ port, remember: true }));
    await count(answered + 20);
    stop.abort();
    await load;
    // What was answered before and after was executed by the server that answered, and nothing was sent twice.
    const after = echo.executed().messages;
    expect(after.filter((message) => before.has(message))).toEqual([]);
    expect(new Set(after).size).toBe(after.length);
    const executed = new Set([...before, ...after]);
    expect(answers.filter(({ payload, kind }) => kind === 'answered' && !executed.has(payload))).toEqual([]);
  }, 30_000);

  it('fails when there is no such tool, or nobody', async () => {
    const echo = await upstream();
    await expect(runLoad({ target: { url: echo.url, tool: 'nothing' }, sessions: 1, seconds: 1 })).rejects.toThrow('has no tool nothing, but echo');
    await echo.close();
    await expect(runLoad({ target: { url: echo.url, tool: 'echo' }, sessions: 1, seconds: 1 })).rejects.toThrow('ECONNREFUSED');
  });
});
