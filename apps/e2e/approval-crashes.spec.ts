import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { approvalWorld, type ApprovalWorld } from './harness/approval-world.ts';
import { expectProven, settled } from './harness/history.ts';
import { until } from './harness/until.ts';

const ONE_STEP = { steps: [{ name: 'anybody', approvers: { groups: ['approvers'] } }] };

async function withWorld(work: (w: ApprovalWorld) => Promise<void>): Promise<void> {
  const w = await approvalWorld({ flow: ONE_STEP });
  try {
    await w.installation.start();
    await work(w);
  } finally {
    await w.close();
  }
}

describe('a crash between a decision and its consequences', () => {
  it.each(['broker', 'tree'] as const)('SIGKILL (%s) while an approved call runs: unknown, told as such, and never done again', (kill) =>
    withWorld(async (w) => {
      const caller = w.caller();
      const calling = caller.call('wit__write', { marker: 'once', delayMs: 5_000 }).catch(() => undefined);
      const [held] = await w.waiting(1);
      await w.as('grace').decide(held!.id, 'approve', held!.version);
      await until('it runs', () => w.upstream.executed.has('once'));
      await (kill === 'tree' ? w.installation.killTree() : w.installation.killBroker());
      await calling;
      await w.installation.start();
      await until('it is settled', async () => (await w.as('grace').show(held!.id)).body.status === 'unknown');
      const again = await w.caller().call('wit__write', { marker: 'once', delayMs: 5_000 });
      expect(again.body.result?._meta?.['dev.holdfast/call']).toMatchObject({ disposition: 'outcome-unknown', approvalId: held!.id });
      expect(again.body.result?.content?.[0]?.text).toMatch(/^OUTCOME UNKNOWN/);
      expect(w.upstream.executed.get('once')).toBe(1);
      await settled(w.installation, w.auditorToken);
      await expectProven(w.installation);
    }), 120_000);

  it('SIGKILL while a call waits: it still waits, is approved, and the repeated call collects it', () =>
    withWorld(async (w) => {
      const calling = w.caller().call('wit__write', { marker: 'waits' }).catch(() => undefined);
      const [held] = await w.waiting(1);
      await w.installation.killBroker();
      await calling;
      await w.installation.start();
      expect((await w.as('grace').decide(held!.id, 'approve', held!.version)).body).toMatchObject({ status: 'approved' });
      expect(w.upstream.executed.has('waits')).toBe(false);
      const collected = await w.caller().call('wit__write', { marker: 'waits' });
      expect(collected.body.result).toMatchObject({ content: [{ text: 'done waits' }] });
      expect(w.upstream.executed.get('waits')).toBe(1);
      await settled(w.installation, w.auditorToken);
      await expectProven(w.installation);
    }), 120_000);

  it('SIGKILL again and again while people decide: no decision is lost, nothing is executed twice or without its approval', () =>
    withWorld(async (w) => {
      const decided = new Map<string, 'approve' | 'deny'>();
      for (let round = 1; round <= 6; round++) {
        let running = true;
        const callers = Array.from({ length: 6 }, async () => {
          const caller = w.caller();
          while (running) await caller.call('wit__write', { marker: randomUUID() }).catch(() => sleep(10));
        });
        const people = ['grace', 'edsger'].map(async (user) => {
          while (running) {
            try {
              for (const { id, version } of (await w.as(user).list('mine=true&limit=20')).body.items) {
                const verdict = id.charCodeAt(id.length - 1) % 3 === 0 ? 'deny' : 'approve';
                const { status } = await w.as(user).decide(id, verdict, version, { reason: 'looked at' });
                if (status === 200) decided.set(`${id} ${user}`, verdict);
              }
            } catch {
              await sleep(10);
            }
          }
        });
        // At a moment that nobody chose, but not before there is something to lose.
        await until('people decide', () => decided.size >= round * 4, 60_000);
        await sleep(Math.random() * 500);
        await (round % 2 === 0 ? w.installation.killTree() : w.installation.killBroker());
        running = false;
        await Promise.all([...callers, ...people]);
        await w.installation.start();

        for (const [key, verdict] of decided) {
          const [id, user] = key.split(' ') as [string, string];
          const { votes } = (await w.as('oscar').show(id)).body;
          expect({ key, votes: votes.filter(({ person }) => person === user).map((vote) => vote.verdict) }).toEqual({ key, votes: [verdict] });
        }
        expect([...w.upstream.executed].filter(([, times]) => times !== 1)).toEqual([]);
        const unsettled = async (): Promise<number> => (await w.as('oscar').list('state=claimed&limit=500')).body.items.length;
        await until('claimed calls are settled', async () => (await unsettled()) === 0);
        // What waited for a client that is gone goes on waiting; it is taken back so that the next round begins without it.
        for (const { id } of (await w.as('oscar').list('state=held&limit=500')).body.items) await w.as('oscar').request('POST', `/approvals/${id}/cancel`, {});
        await settled(w.installation, w.auditorToken);
        await expectProven(w.installation);
      }
      expect(decided.size).toBeGreaterThan(20);
      expect(w.upstream.executed.size).toBeGreaterThan(5);
    }), 600_000);
});
