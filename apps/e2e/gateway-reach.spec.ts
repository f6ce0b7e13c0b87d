import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Caller } from './harness/caller.ts';
import { expectProven, settled } from './harness/history.ts';
import { listening } from './harness/listening.ts';
import { CROSSINGS, ERAS, MANY_TOOLS, plain, subjectWorld, type SubjectWorld, textOf, tool, type UpstreamId, UPSTREAMS } from './harness/subject-world.ts';
import { until } from './harness/until.ts';
import { envelope, type Message } from './harness/wire.ts';
import { RESOURCE } from './subject/catalogue.ts';

const PROTOCOL = 'io.modelcontextprotocol/';
const VERSION = '2026-07-28';

/** What other gateways break around calls; the calls themselves are in gateway-points.spec.ts. */
describe('what reaches through Holdfast beside calls, how much of it, and what does not', () => {
  let w: SubjectWorld;
  beforeAll(async () => {
    w = await subjectWorld();
  }, 90_000);
  afterAll(() => w.close(), 30_000);

  describe('6. lists, changes, completions, logs', () => {
    it.each(ERAS)('all pages of %s clients: thousands of tools', async (era) => {
      for (const [path, prefix] of [['many', ''], [undefined, 'many__']] as const) {
        const wire = await w.through(era, path);
        const names: string[] = [];
        let cursor: string | undefined;
        do {
          const { result } = (await wire.request('tools/list', cursor === undefined ? {} : { cursor })).answer;
          names.push(...(result!['tools'] as { name: string }[]).map(({ name }) => name));
          cursor = result!['nextCursor'] as string | undefined;
        } while (cursor !== undefined);
        const expected = Array.from({ length: MANY_TOOLS }, (_, i) => `${prefix}more-${String(i).padStart(5, '0')}`);
        expect(names.filter((name) => name.startsWith(`${prefix}more-`))).toEqual(expected);
        expect(new Set(names).size).toBe(names.length);
        expect((await tool(wire, expected.at(-1)!, { n: MANY_TOOLS - 1 })).answer.error).toMatchObject({ message: `Unknown tool more-0${MANY_TOOLS - 1}` });
        expect((await tool(wire, expected[0]!, { n: 1 })).answer.result).toMatchObject({ isError: true, _meta: { 'dev.holdfast/call': { code: 'arguments_invalid' } } });
      }
    });

    it.each(CROSSINGS)('a %s client hears of changed lists and of the resources it watches at %s', async (era, upstream) => {
      const { heard, stop } = await listening(w, era, upstream, [RESOURCE]);
      const stranger = await listening(w, era, upstream, []);
      const other = await w.through(era === 'modern' ? 'legacy' : 'modern', upstream);
      const named = (from: readonly Message[], method: string): readonly Message[] => from.filter((message) => message.method === method);
      const tools = async (): Promise<string[]> => ((await other.request('tools/list')).answer.result!['tools'] as { name: string }[]).map(({ name }) => name);
      expect(await tools()).not.toContain('new');
      for (const there of [true, false]) {
        const before = heard.length;
        await tool(other, 'change', {});
        for (const list of ['tools', 'prompts', 'resources']) await until(`${list} changed`, () => named(heard.slice(before), `notifications/${list}/list_changed`).length > 0);
        expect(await until('the other list', async () => (await tools()).includes('new') === there)).toBe(true);
      }
      await tool(other, 'update', { marker: 'é' });
      const [updated] = await until('the update', () => named(heard, 'notifications/resources/updated').length > 0 && named(heard, 'notifications/resources/updated'));
      expect(updated!.params).toMatchObject({ uri: RESOURCE, title: 'é' });
      expect(named(stranger.heard, 'notifications/tools/list_changed').length).toBeGreaterThanOrEqual(2);
      expect(named(stranger.heard, 'notifications/resources/updated')).toEqual([]);
      await Promise.all([stop(), stranger.stop()]);
    });

    it.each(CROSSINGS)('a %s client is told what %s can do, completes with context, and hears as much of its log as it asked for', async (era, upstream) => {
      const [wire, direct] = [await w.through(era, upstream), await w.direct(UPSTREAMS[upstream])];
      const described = await (era === 'modern' ? wire.request('server/discover') : w.session(upstream).then((session) => session.initialized));
      expect(described.answer.result).toMatchObject({
        capabilities: { tools: { listChanged: true }, prompts: { listChanged: true }, resources: { subscribe: true, listChanged: true }, completions: {}, logging: {} },
        instructions: 'Say it as it is.',
      });
      for (const params of [
        { ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'who', value: 'A' }, context: { arguments: { how: 'kindly' } } },
        { ref: { type: 'ref/resource', uri: 'subject://of/{who}{?how*}' }, argument: { name: 'who', value: '' } },
      ])
        expect(plain((await wire.request('completion/complete', params)).answer.result)).toEqual(plain((await direct.request('completion/complete', params)).answer.result));
      if (era === 'legacy') await wire.request('logging/setLevel', { level: 'error' });
      const reply = await tool(wire, 'log', { marker: 'é' }, era === 'modern' ? { meta: { [`${PROTOCOL}logLevel`]: 'error' } } : {});
      const logged = reply.messages.filter(({ method }) => method === 'notifications/message').map(({ params }) => params);
      expect(logged).toEqual(['emergency', 'alert', 'critical', 'error'].map((level) => ({ level, logger: 'subject', data: { marker: 'é', list: [null] } })));
      const unasked = era === 'modern' ? await tool(wire, 'log', {}) : undefined;
      expect(unasked?.messages.length ?? 1).toBe(1);
    });
  });

  describe('7. large requests and results; plain JSON when nothing precedes the answer', () => {
    // Each kind of client and of server twice: these are the expensive ones.
    it.each([['modern', 'http-modern'], ['modern', 'stdio-legacy'], ['legacy', 'http-legacy'], ['legacy', 'stdio-modern']] as const)('a %s client and %s', async (era, upstream) => {
      const wire = await w.through(era, upstream);
      const taken = (4 << 20) - 2_000;
      expect(textOf(await tool(wire, 'size', { text: 'x'.repeat(taken) }))).toBe(String(taken));
      const given = await tool(wire, 'big', { bytes: 8 << 20 });
      expect([given.stream, textOf(given).length, given.messages.length]).toEqual([false, 8 << 20, 1]);
    });

    it.each(ERAS)('over 4 MiB is refused, over the limit of a result is cut off, and nobody knows how it would have ended: %s', async (era) => {
      const wire = await w.through(era, 'http-legacy');
      expect((await tool(wire, 'size', { text: 'x'.repeat(4 << 20) })).status).toBe(413);
      expect((await tool(wire, 'big', { bytes: 10_100_000 })).answer.result).toMatchObject({ isError: true, _meta: { 'dev.holdfast/call': { code: 'result_too_large', disposition: 'unknown' } } });
    });
  });

  describe('9. who may come in, and what never goes out', () => {
    const initialize = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } });
    it.each(['/mcp', '/mcp/s/http-modern'])('on %s: no credential 401, a foreign Host or Origin 4xx, in both eras', async (path) => {
      const url = `${w.installation.url}${path}`;
      const [stranger, ours] = [new Caller(url, undefined), w.caller(path)];
      for (const answer of [await stranger.raw(initialize), await stranger.call('echo', {})]) {
        expect(answer.status).toBe(401);
        expect(answer.headers['www-authenticate']).toBe(`Bearer resource_metadata="${w.installation.url}/.well-known/oauth-protected-resource${path}"`);
      }
      for (const headers of [{ origin: 'https://evil.example' }, { host: 'evil.example' }]) {
        for (const answer of [await ours.raw(initialize, headers), await ours.method('tools/list', {}, headers)]) {
          expect(answer.status).toBeGreaterThanOrEqual(400);
          expect(answer.status).toBeLessThan(500);
          expect(answer.body.result).toBeUndefined();
        }
      }
      await stranger.close();
    });

    it('no server has seen a token of a client, or any credential', async () => {
      await tool(await w.through('modern', 'http-modern'), 'echo', {});
      await tool(await w.through('legacy', 'http-legacy'), 'echo', {});
      for (const { headers } of Object.values(w.http)) {
        expect(headers.length).toBeGreaterThan(0);
        expect(JSON.stringify(headers)).not.toMatch(/hf_|bearer|authorization/i);
      }
    });
  });

  describe('10. the rules of 2026-07-28', () => {
    const call = (over: object = {}, headers: Record<string, string> = {}, path = '/mcp/s/http-modern'): ReturnType<Caller['raw']> =>
      w.caller(path).raw(JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'echo', arguments: {}, _meta: envelope() }, ...over }), { 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/call', 'mcp-name': 'echo', ...headers });
    const withVersion = (version: string): object => ({ params: { name: 'echo', arguments: {}, _meta: { ...envelope(), [`${PROTOCOL}protocolVersion`]: version } } });

    it.each(['/mcp', '/mcp/s/http-modern', '/mcp/s/stdio-legacy'])('on %s: headers that contradict the body, unknown versions and methods', async (path) => {
      for (const headers of [{ 'mcp-method': 'tools/list' }, { 'mcp-name': 'other' }, { 'mcp-protocol-version': '2026-08-01' }]) {
        expect(await call({}, headers, path)).toMatchObject({ status: 400, body: { id: 9, error: { code: -32_020 } } });
      }
      expect(await call(withVersion('2027-01-01'), { 'mcp-protocol-version': '2027-01-01' }, path)).toMatchObject({ status: 400, body: { id: 9, error: { code: -32_022, data: { supported: [VERSION], requested: '2027-01-01' } } } });
      for (const method of ['tools/none', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe', 'tasks/list']) {
        expect(await call({ method }, { 'mcp-method': method }, path)).toMatchObject({ status: 404, body: { id: 9, error: { code: -32_601 } } });
      }
    });

    it.each(Object.keys(UPSTREAMS) as UpstreamId[])('cache hints and result types with %s, and no session', async (upstream) => {
      const wire = await w.through('modern', upstream);
      for (const [method, params] of [['server/discover'], ['tools/list'], ['prompts/list'], ['resources/list'], ['resources/templates/list'], ['resources/read', { uri: RESOURCE }]] as const) {
        const { answer, headers } = await wire.request(method, params);
        expect({ method, result: answer.result }).toEqual({ method, result: expect.objectContaining({ resultType: 'complete', ttlMs: expect.any(Number), cacheScope: 'private' }) });
        expect(headers['mcp-session-id']).toBeUndefined();
      }
      expect((await tool(wire, 'echo', {})).answer.result).toMatchObject({ resultType: 'complete' });
      const old = await w.through('legacy', upstream);
      for (const reply of [await tool(old, 'echo', {}), await old.request('tools/list'), await old.request('resources/read', { uri: RESOURCE })]) {
        expect(reply.answer.result).not.toHaveProperty('resultType');
      }
    });

    it.each(['http-modern', 'stdio-modern'] as const)('%s asks for input: unchanged both ways, and -32021 for a client that cannot give it', async (upstream) => {
      const wire = await w.through('modern', upstream);
      const capabilities = { elicitation: { form: {} } };
      expect(await tool(wire, 'ask', {})).toMatchObject({ status: 400, answer: { error: { code: -32_021, data: { requiredCapabilities: { elicitation: {} } } } } });
      const direct = await w.direct('modern');
      const asked = (await tool(wire, 'ask', {}, { capabilities })).answer.result!;
      expect(plain(asked)).toEqual(plain((await tool(direct, 'ask', {}, { capabilities })).answer.result));
      expect(asked['resultType']).toBe('input_required');
      const again = { name: 'ask', arguments: {}, requestState: asked['requestState'], inputResponses: { 'the name': { action: 'accept', content: { name: 'Ädä' } } } };
      const told = JSON.parse(textOf(await wire.request('tools/call', again, { capabilities }))) as object;
      expect(told).toEqual({ inputResponses: again.inputResponses, requestState: again.requestState });
    });

    it.each(Object.keys(UPSTREAMS) as UpstreamId[])('%s asks a legacy client, which answers', async (upstream) => {
      const asked: Message[] = [];
      const answer = { action: 'accept', content: { name: 'Ädä' } };
      const wire = await w.session(upstream, { capabilities: { elicitation: {} }, onAsk: (message) => (asked.push(message), answer) });
      const told = JSON.parse(textOf(await tool(wire, 'ask', {}))) as object;
      expect(asked).toMatchObject([{ method: 'elicitation/create', params: { message: 'Your name?', requestedSchema: { properties: { name: { title: 'Näme' } } } } }]);
      expect(told).toEqual(UPSTREAMS[upstream] === 'legacy' ? answer : { inputResponses: { 'the name': answer }, requestState: '{"a": "é\\u0000", "n":1.0}' });
    });

    it.each(['http-legacy', 'stdio-legacy'] as const)('%s asks a modern client, which answers with its next request', async (upstream) => {
      const wire = await w.through('modern', upstream);
      const capabilities = { elicitation: {} };
      const asked = (await tool(wire, 'ask', {}, { capabilities })).answer.result!;
      expect(asked).toMatchObject({ resultType: 'input_required' });
      const [[name, question]] = Object.entries(asked['inputRequests'] as object) as [[string, object]];
      expect(question).toMatchObject({ method: 'elicitation/create', params: { message: 'Your name?' } });
      const answer = { action: 'accept', content: { name: 'Ädä' } };
      const again = { name: 'ask', arguments: {}, requestState: asked['requestState'], inputResponses: { [name]: answer } };
      expect(JSON.parse(textOf(await wire.request('tools/call', again, { capabilities })))).toEqual(answer);
    });

    it.each(['http-legacy', 'stdio-legacy'] as const)('%s asks a modern client that said it cannot be asked: the server is told', async (upstream) => {
      const wire = await w.through('modern', upstream);
      const told = JSON.parse(textOf(await tool(wire, 'ask', {}))) as object;
      expect(told).toEqual({ error: { code: -32_601, message: expect.any(String) } });
    });
  });

  it('the log has every call with its outcome, and proves', async () => {
    const calls = [...(await settled(w.installation, w.auditorToken)).values()];
    expect(calls.filter(({ effect, outcomes }) => effect === 'allow' && outcomes.length !== 1)).toEqual([]);
    const errors = calls.filter(({ effect, outcomes }) => effect === 'allow' && outcomes[0] !== 'succeeded').map(({ events }) => events.at(-1)!.data['errorClass']);
    // A server that asks for input, or refuses to, has not done what it was asked; of a result that was cut off nobody can tell.
    expect(new Set(errors)).toEqual(new Set(['input_required', 'upstream_error', 'result_too_large']));
    expect(calls.filter(({ events }) => events.at(-1)!.data['errorClass'] === 'result_too_large').map(({ outcomes }) => outcomes)).toEqual([['unknown'], ['unknown']]);
    await expectProven(w.installation);
  });
});
