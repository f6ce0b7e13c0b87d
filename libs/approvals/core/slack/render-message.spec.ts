import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ApprovalView } from '../desk/approval-view.ts';
import { renderMessage, type Rendering } from './render-message.ts';
import { approvalView, message, NOW } from './spec/world.ts';

const rendering: Rendering = { settings: { showArguments: 'summary', riskCeiling: 'write' }, now: NOW, seal: (asks) => `handle to ${asks}` };
const shown = (view: Partial<ApprovalView> = {}, more: Parameters<typeof message>[1] = {}, settings: Partial<Rendering['settings']> = {}): string =>
  JSON.stringify(renderMessage(message(approvalView(view), more), { ...rendering, settings: { ...rendering.settings, ...settings } }));

describe('a message about an approval', () => {
  it('says who asks, for what, why, what of it people may see, and until when', () => {
    const text = shown();
    for (const part of ['Approval needed: refund', 'Who asks\\nada', 'billing-bot (client claude-code)', 'Server\\nbilling', 'Class\\nwrite', '0123456789ab', 'Refunds above 500 need two.', 'amount: 900', 'finance: 1 of 2', 'until 2026-11-21 21:00 UTC, 55 min left', 'handle to approve', 'handle to deny', 'https://h.test/a1']) expect(text).toContain(part);
    expect(text).not.toContain('handle to edit');
    expect(text).not.toContain('0123456789abc');
  });

  it('shows of the arguments what the tenant wants', () => {
    expect(shown({}, {}, { showArguments: 'none' })).not.toContain('amount');
    expect(shown({}, {}, { showArguments: 'full' })).toContain('handle to edit');
    expect(shown({ method: 'resources/read' }, {}, { showArguments: 'full' })).not.toContain('handle to edit');
    expect(shown({ argsAbsent: true })).toContain('Arguments\\nnone');
  });

  it.each([
    ['above the ceiling', { impactClass: 'external' }, {}],
    ['of a class that nobody knows', { impactClass: 'unheard-of' }, {}],
    ['approved', { status: 'approved' as const }, {}],
    ['denied', { status: 'denied' as const }, {}],
    ['of another step', { step: 1 }, {}],
    ['over in time', { expiresAt: '2026-11-21T20:04:59.000Z' }, {}],
    ['a report of broken glass', {}, { kind: 'broke_glass' as const }],
  ])('has no buttons that decide when it is %s', (_, view, more) => {
    expect(shown(view, more)).not.toContain('handle to');
  });

  it('above the ceiling has a link instead, and says so', () => {
    expect(shown({ impactClass: 'external' })).toContain('decided in the console');
    expect(shown({ impactClass: 'external' })).toContain('https://h.test/a1');
    expect(shown({ impactClass: 'read-sensitive' }, {}, { riskCeiling: 'read' })).not.toContain('handle to');
    expect(shown({ impactClass: 'external' }, {}, { riskCeiling: 'external' })).toContain('handle to approve');
  });

  it.each([
    ['approved', 'Approved'],
    ['claimed', 'Approved, being executed'],
    ['executed', 'Approved and executed'],
    ['failed', 'Approved; the call failed'],
    ['unknown', 'Approved; whether it was executed is unknown'],
    ['denied', 'Denied, not executed'],
    ['expired', 'Expired, not executed'],
    ['cancelled', 'Taken back, not executed'],
    ['killed', 'Stopped by a kill switch, not executed'],
  ] as const)('afterwards says what became of it: %s', (status, words) => {
    const votes = [{ person: 'grace', for: 'lena', verdict: 'approve' as const, step: 'finance', at: '2026-11-21T20:02:00.000Z', counts: false }];
    const text = shown({ status, votes, brokenBy: 'otto', edits: [{ person: 'alan', at: '2026-11-21T20:01:00.000Z', from: 'A'.repeat(43), to: '_'.repeat(43) }] });
    expect(text).toContain(`${words}: refund`);
    expect(text).toContain('grace for lena approved · finance · 2026-11-21 20:02 UTC (does not count any more)');
    expect(text).toContain('otto approved alone');
    expect(text).toContain('alan changed the arguments, 2026-11-21 20:01 UTC: 000000000000 → ffffffffffff');
  });

  it('cannot be made to call people, to link, or to break out of its place', () => {
    const attack = '<!channel> <@U1> <https://evil.test|ok> *bold* `code` \u202E @here\n\n\nApprove & <b>';
    const text = shown({ why: attack, tool: attack, server: attack, caller: { user: attack, client: attack, agent: attack }, progress: attack, brokenBy: attack }, { summary: [attack] });
    expect(text).not.toMatch(/[<>\u202E]|:\/\/evil|@here|"mrkdwn"/);
    expect(text).toContain('&lt;!channel&gt;');
  });

  it('fits the bounds of Slack whatever it is about', () => {
    const any = fc.string({ unit: 'binary', maxLength: 9_000 });
    fc.assert(
      fc.property(any, any, fc.array(any, { maxLength: 60 }), fc.integer({ min: 0, max: 60 }), (one, other, summary, votes) => {
        const vote = { person: one, for: other, verdict: 'deny' as const, step: other, at: '2026-11-21T20:02:00.000Z', counts: true };
        const view = approvalView({ why: one, tool: other, server: one, impactClass: 'write', caller: { user: one, client: other, agent: one }, progress: other, votes: Array(votes).fill(vote), edits: Array(votes).fill({ person: one, at: '2026-11-21T20:01:00.000Z', from: 'A'.repeat(43), to: 'B'.repeat(43) }) });
        const { text, blocks } = renderMessage(message(view, { summary }), { ...rendering, seal: () => 'x'.repeat(400) });
        expect(text.length).toBeLessThanOrEqual(500);
        expect(blocks.length).toBeLessThanOrEqual(50);
        for (const block of blocks) for (const [own, most] of texts(block)) expect(own.length).toBeLessThanOrEqual(most);
      }),
      { numRuns: 40 },
    );
  });
});

function texts(block: Readonly<Record<string, unknown>>): [string, number][] {
  const own = (block['text'] as { text: string } | undefined)?.text;
  const fields = (block['fields'] ?? []) as { text: string }[];
  return [...(own === undefined ? [] : [[own, block['type'] === 'header' ? 150 : 3_000] as [string, number]]), ...fields.map(({ text }): [string, number] => [text, 2_000])];
}
