import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectProven, settled } from './harness/history.ts';
import { happened, subjectWorld, type SubjectWorld, textOf, tool, type UpstreamId, UPSTREAMS } from './harness/subject-world.ts';
import { until } from './harness/until.ts';
import type { LegacyWire, Message } from './harness/wire.ts';

const SESSIONS = 64;
const CALLS = 4;
const IDS = Object.keys(UPSTREAMS) as UpstreamId[];

describe('64 sessions at once', () => {
  let w: SubjectWorld;
  const sessions: { readonly wire: LegacyWire; readonly upstream: UpstreamId; readonly own: string; readonly listens: boolean }[] = [];
  beforeAll(async () => {
    w = await subjectWorld();
    const opening = Array.from({ length: SESSIONS }, async (_, i) => ({ wire: await w.session(IDS[i % IDS.length]), upstream: IDS[i % IDS.length]!, own: `session-${i}`, listens: Math.floor(i / IDS.length) % 2 === 0 }));
    sessions.push(...(await Promise.all(opening)));
    await Promise.all(sessions.filter(({ listens }) => listens).map(({ wire }) => wire.listen()));
  }, 90_000);
  afterAll(() => w.close(), 30_000);

  it('each has an id of its own', () => {
    expect(new Set(sessions.map(({ wire }) => wire.initialized.headers['mcp-session-id'])).size).toBe(SESSIONS);
  });

  it('every answer and every progress belongs to its call, though all use the same ids and tokens', async () => {
    const asker = new Map(await Promise.all(IDS.map(async (upstream) => [upstream, await w.session(upstream)] as const)));
    const heard = new Map<string, Message[]>();
    const running = sessions.flatMap(({ wire, own }) =>
      Array.from({ length: CALLS }, async (_, n) => {
        const marker = `${own}-${n}`;
        const mine: Message[] = [];
        heard.set(marker, mine);
        const reply = await tool(wire, 'progress', { marker }, { id: n, meta: { progressToken: `token-${n}` }, onMessage: (message) => void mine.push(message) });
        return { marker, id: reply.answer.id, text: textOf(reply) };
      }),
    );
    // All 256 are under way at the same time before the first one may end.
    for (const upstream of IDS) {
      const markers = sessions.filter((one) => one.upstream === upstream).flatMap(({ own }) => Array.from({ length: CALLS }, (_, n) => `${own}-${n}`));
      await until(`all calls run at ${upstream}`, () => happened(asker.get(upstream)!, ...markers.map((marker) => `started ${marker}`)));
    }
    for (const [upstream, wire] of asker) {
      const markers = sessions.filter((one) => one.upstream === upstream).flatMap(({ own }) => Array.from({ length: CALLS }, (_, n) => `${own}-${n}`));
      await tool(wire, 'release', { markers: markers.toReversed() });
    }
    const answers = await Promise.all(running);
    expect(answers).toEqual(sessions.flatMap(({ own }) => Array.from({ length: CALLS }, (_, n) => ({ marker: `${own}-${n}`, id: n, text: `${own}-${n}` }))));
    for (const [marker, messages] of heard) {
      const progress = messages.filter(({ method }) => method === 'notifications/progress').map(({ params }) => params);
      expect(progress).toEqual([0.5, 2].map((step) => ({ progressToken: `token-${marker.split('-')[2]}`, progress: step, total: 2, message: marker })));
    }
  });

  it('a change reaches every one that listens, and no stream carries an answer', async () => {
    for (const upstream of IDS) await tool(sessions.find((one) => one.upstream === upstream)!.wire, 'change', {});
    const listening = sessions.filter(({ listens }) => listens);
    await until('everybody heard', () => listening.every(({ wire }) => wire.heard.some(({ method }) => method === 'notifications/tools/list_changed')));
    expect(listening.flatMap(({ wire }) => wire.heard.filter(({ id }) => id !== undefined))).toEqual([]);
    expect(sessions.filter(({ listens, wire }) => !listens && wire.heard.length > 0)).toEqual([]);
  });

  it('one that has ended is unknown, and the others go on', async () => {
    const [gone, ...rest] = sessions;
    await gone!.wire.close();
    expect((await tool(gone!.wire, 'echo', {})).status).toBe(404);
    expect((await Promise.all(rest.map(async ({ wire, own }) => textOf(await tool(wire, 'echo', { own }))))).map((text, i) => text.includes(`"${rest[i]!.own}"`))).toEqual(rest.map(() => true));
  });

  it('the log has every call, each in its own session, and proves', async () => {
    const calls = [...(await settled(w.installation, w.auditorToken)).values()];
    expect(calls.filter(({ effect, outcomes }) => effect !== 'allow' || outcomes[0] !== 'succeeded' || outcomes.length !== 1)).toEqual([]);
    expect(calls.filter(({ events }) => events[0]!.data['tool'] === 'progress')).toHaveLength(SESSIONS * CALLS);
    await expectProven(w.installation);
  });
});
