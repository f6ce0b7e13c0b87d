import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectProven, settled } from './harness/history.ts';
import { CROSSINGS, ERAS, happened, plain, subjectWorld, type SubjectWorld, textOf, tool, type UpstreamId, UPSTREAMS } from './harness/subject-world.ts';
import { until } from './harness/until.ts';
import { LegacyWire, type Message } from './harness/wire.ts';
import { CONTENT, PROMPT, RESOURCE, RESOURCES, SUBJECT_TOOLS, TEMPLATE } from './subject/catalogue.ts';

const LISTS = { 'tools/list': 'tools', 'prompts/list': 'prompts', 'resources/list': 'resources', 'resources/templates/list': 'resourceTemplates' };
const progressOf = (messages: readonly Message[]): unknown[] => messages.filter(({ method }) => method === 'notifications/progress').map(({ params }) => params);

/** What other gateways break in calls; the rest is in gateway-reach.spec.ts. */
describe('calls through Holdfast are the calls that a client would have made itself', () => {
  let w: SubjectWorld;
  let unique = 0;
  const marker = (): string => `m${++unique}`;
  beforeAll(async () => {
    w = await subjectWorld();
  }, 90_000);
  afterAll(() => w.close(), 30_000);

  describe('1. every kind of client reaches every kind of server', () => {
    it.each(CROSSINGS)('a %s client and %s', async (era, upstream) => {
      for (const [path, prefix] of [[upstream, ''], [undefined, `${upstream}__`]] as const) {
        const wire = await w.through(era, path);
        expect(textOf(await tool(wire, `${prefix}echo`, { a: [1, null] }))).toContain('{"a":[1,null]}');
        const { result } = (await wire.request('prompts/get', { name: `${prefix}greet`, arguments: { who: 'Ada' } })).answer;
        expect(JSON.stringify(result)).toContain('Ada');
        expect((await wire.request('resources/read', { uri: RESOURCE })).answer.result).toMatchObject({ contents: [{ text: `read ${RESOURCE}` }] });
      }
    });
  });

  describe('2. definitions and results as they are', () => {
    it.each(CROSSINGS)('a %s client and %s', async (era, upstream) => {
      const [wire, direct] = [await w.through(era, upstream), await w.direct(UPSTREAMS[upstream])];
      for (const method of Object.keys(LISTS)) expect(plain((await wire.request(method)).answer.result)).toEqual(plain((await direct.request(method)).answer.result));
      for (const [method, params] of [
        ['tools/call', { name: 'exact', arguments: {} }],
        ['tools/call', { name: 'bare' }],
        ['tools/call', { name: 'fail-tool' }],
        ['prompts/get', { name: 'greet', arguments: { who: 'x' } }],
        ['prompts/get', { name: 'greet' }],
        ['resources/read', { uri: RESOURCE }],
        ['resources/read', { uri: 'subject://of/nobody?how=listed' }],
      ] as const)
        expect(plain((await wire.request(method, params)).answer.result)).toEqual(plain((await direct.request(method, params)).answer.result));
      expect((await tool(wire, 'exact', {})).answer.result).toMatchObject(CONTENT);
    });

    it.each(CROSSINGS)('on /mcp only names differ: a %s client and %s', async (era, upstream) => {
      const wire = await w.through(era);
      const listed = async (method: keyof typeof LISTS): Promise<Record<string, unknown>[]> => {
        const found: Record<string, unknown>[] = [];
        let cursor: string | undefined;
        do {
          const { result } = (await wire.request(method, cursor === undefined ? {} : { cursor })).answer;
          found.push(...(result![LISTS[method]] as Record<string, unknown>[]));
          cursor = result!['nextCursor'] as string | undefined;
        } while (cursor !== undefined);
        return found;
      };
      const named = <T extends Readonly<Record<string, unknown>>>(definition: T): object => ({ ...definition, name: `${upstream}__${String(definition['name'])}` });
      expect(await listed('tools/list')).toEqual(expect.arrayContaining(SUBJECT_TOOLS.map(named)));
      expect(await listed('prompts/list')).toContainEqual(named(PROMPT));
      expect(await listed('resources/list')).toEqual(RESOURCES);
      expect(await listed('resources/templates/list')).toEqual([TEMPLATE]);
    });

    it.each(CROSSINGS)('absent arguments stay absent or become {}, `_meta` of others arrives: a %s client and %s', async (era, upstream) => {
      const wire = await w.through(era, upstream);
      expect(['absent', {}]).toContainEqual((JSON.parse(textOf(await tool(wire, 'echo'))) as { arguments: unknown }).arguments);
      const meta = { 'vendor/a': { deep: [null, 1.5] }, traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'dev.holdfast/reason': 'ours' };
      const seen = JSON.parse(textOf(await tool(wire, 'echo', { n: null, list: [], o: {} }, { meta }))) as object;
      expect(seen).toEqual({ arguments: { n: null, list: [], o: {} }, meta: { 'vendor/a': meta['vendor/a'], traceparent: expect.stringContaining('0af7651916cd43dd8448eb211c80319c') } });
    });
  });

  describe('3. errors stay errors, with code, message and data; failed results stay results', () => {
    it.each(CROSSINGS)('a %s client and %s', async (era, upstream) => {
      const [wire, direct] = [await w.through(era, upstream), await w.direct(UPSTREAMS[upstream])];
      for (const code of [-32_603, -32_602, -32_000, -32_042, 7]) {
        const expected = (await tool(direct, 'fail', { code, marker: 'x' })).answer.error;
        expect(expected?.code).toBe(code);
        expect((await tool(wire, 'fail', { code, marker: 'x' })).answer.error).toEqual(expected);
      }
      const failed = (await tool(wire, 'fail-tool')).answer;
      expect([failed.error, failed.result]).toEqual([undefined, expect.objectContaining({ isError: true, structuredContent: { why: 'luck' } })]);
      const missing = { uri: 'subject://missing/ü' };
      expect((await wire.request('resources/read', missing)).answer.error).toMatchObject({ message: 'No such thing', data: missing });
    });
  });

  describe('4. progress when it happens, in the name of the caller; calls side by side', () => {
    it.each(CROSSINGS)('two %s clients with equal ids and tokens at %s', async (era, upstream) => {
      const clients = await Promise.all([1, 2].map(async () => ({ wire: await w.through(era, upstream), marker: marker(), heard: [] as Message[] })));
      const replies = clients.map((one) => tool(one.wire, 'progress', { marker: one.marker }, { id: 4711, meta: { progressToken: 'the same' }, onMessage: (message) => void one.heard.push(message) }));
      // Each call goes on only after its first progress was heard: progress that is held back until the answer would hang here.
      for (const one of clients) {
        await until('the first progress', () => progressOf(one.heard).length === 1);
        await tool(one.wire, 'release', { marker: one.marker });
      }
      for (const [i, one] of clients.entries()) {
        const reply = await replies[i]!;
        expect(progressOf(reply.messages)).toEqual([0.5, 2].map((progress) => ({ progressToken: 'the same', progress, total: 2, message: one.marker })));
        expect([reply.answer.id, textOf(reply)]).toEqual([4711, one.marker]);
      }
    });

    it.each(CROSSINGS)('32 calls of one %s client, answered by %s in the opposite order', async (era, upstream) => {
      const wire = await w.through(era, upstream);
      const markers = Array.from({ length: 32 }, marker);
      const replies = markers.map(async (one) => textOf(await tool(wire, 'wait', { marker: one })));
      await until('all calls run', () => happened(wire, ...markers.map((one) => `started ${one}`)));
      // The one that began last is answered while all the others still run.
      await tool(wire, 'release', { marker: markers.at(-1)! });
      expect(await replies.at(-1)).toBe(markers.at(-1));
      await tool(wire, 'release', { markers: markers.toReversed() });
      expect(await Promise.all(replies)).toEqual(markers);
    });
  });

  describe('5. a cancelled call stops at the server, and no other does', () => {
    it.each(CROSSINGS)('a %s client and %s', async (era, upstream) => {
      const [wire, other] = [await w.through(era, upstream), await w.through(era, upstream)];
      const [mine, beside, foreign] = [marker(), marker(), marker()];
      const hangUp = new AbortController();
      const cancelled = tool(wire, 'wait', { marker: mine }, { id: 'same id', signal: hangUp.signal, meta: { 'dev.holdfast/idempotencyKey': `cancelled ${era} ${upstream}` } }).catch(() => undefined);
      const others = [tool(wire, 'wait', { marker: beside }, { id: 'another' }), tool(other, 'wait', { marker: foreign }, { id: 'same id' })];
      await until('all run', () => happened(other, ...[mine, beside, foreign].map((one) => `started ${one}`)));
      if (wire instanceof LegacyWire) await wire.cancel('same id');
      else hangUp.abort();
      await until('the server stopped', () => happened(other, `cancelled ${mine}`));
      await cancelled;
      expect(await Promise.all([beside, foreign].map((one) => happened(other, `cancelled ${one}`)))).toEqual([false, false]);
      await tool(other, 'release', { markers: [beside, foreign] });
      expect((await Promise.all(others)).map(textOf)).toEqual([beside, foreign]);
    });

    it.each(Object.keys(UPSTREAMS) as UpstreamId[])('a legacy client that hangs up has cancelled nothing at %s, and its outcome is on record', async (upstream) => {
      const [wire, other] = [await w.through('legacy', upstream), await w.through('legacy', upstream)];
      const [mine, hangUp] = [marker(), new AbortController()];
      const lost = tool(wire, 'wait', { marker: mine }, { signal: hangUp.signal, meta: { 'dev.holdfast/idempotencyKey': `hung up ${upstream}` } }).catch(() => 'gone');
      await until('it runs', () => happened(other, `started ${mine}`));
      hangUp.abort();
      expect(await lost).toBe('gone');
      await tool(other, 'release', { marker: mine });
      expect(await until('it ends', () => happened(other, `finished ${mine}`))).toBe(true);
    });
  });

  describe('8. a server that dies costs its calls an error, and is there again', () => {
    it.each(CROSSINGS)('a %s client and %s', async (era, upstream) => {
      const wire = await w.through(era, upstream);
      const neighbour = await w.through(era, upstream.startsWith('http') ? 'stdio-legacy' : 'http-modern');
      const beside = marker();
      const waiting = tool(neighbour, 'wait', { marker: beside });
      await until('the neighbour runs', () => happened(neighbour, `started ${beside}`));
      const died = await tool(wire, 'die', { marker: marker() }, { meta: { 'dev.holdfast/idempotencyKey': `died ${era} ${upstream}` } });
      expect(died.answer.result).toMatchObject({ isError: true, _meta: { 'dev.holdfast/call': { code: 'upstream_broken', disposition: 'unknown' } } });
      await until('it is there again', async () => textOf(await tool(wire, 'echo', { again: true })).startsWith('{"arguments":{"again":true}'));
      await tool(neighbour, 'release', { marker: beside });
      expect(textOf(await waiting)).toBe(beside);
    });
  });

  it('the log has every call with its outcome, and proves', async () => {
    const calls = [...(await settled(w.installation, w.auditorToken)).values()];
    expect(calls.filter(({ effect, outcomes }) => effect !== 'allow' || outcomes.length !== 1)).toEqual([]);
    const ends = (kind: string): unknown[] => calls.filter(({ key }) => key?.startsWith(kind)).map(({ outcomes, events }) => [outcomes[0], events.at(-1)!.data['errorClass']]);
    expect(ends('died')).toEqual(CROSSINGS.map(() => ['unknown', 'upstream_broken']));
    expect(ends('cancelled')).toEqual(CROSSINGS.map(() => ['unknown', 'cancelled']));
    expect(ends('hung up')).toEqual(Object.keys(UPSTREAMS).map(() => ['succeeded', undefined]));
    expect(new Set(calls.map(({ events }) => events[0]!.data['protocol']))).toEqual(new Set(ERAS.map((era) => (era === 'modern' ? '2026-07-28' : '2025-11-25'))));
    await expectProven(w.installation);
  });
});

