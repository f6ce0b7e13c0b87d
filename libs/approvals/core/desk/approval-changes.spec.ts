import { describe, expect, it } from '@jest/globals';
import type { StoredApproval } from './approval-store.ts';
import { ApprovalChanges } from './approval-changes.ts';

const T = 1_800_000_000_000;

/** A table of approvals of which only what counts here is real. */
function table() {
  const rows = new Map<string, StoredApproval>();
  return {
    put: (id: string, version: number, changedAt: number): void => {
      const state = { id, version, status: 'held', binding: { server: 's', tool: 't' }, flow: { steps: [{ name: 'one', need: 1 }] }, step: 0, votes: [], round: 0 };
      rows.set(id, { state, changedAt } as unknown as StoredApproval);
    },
    changedSince: (_tenant: string, { at, id }: { readonly at: number; readonly id: string | null }, limit: number): Promise<readonly StoredApproval[]> =>
      Promise.resolve(
        [...rows.values()]
          .filter((row) => row.changedAt > at || (row.changedAt === at && row.state.id > (id ?? '')))
          .sort((a, b) => a.changedAt - b.changedAt || (a.state.id < b.state.id ? -1 : 1))
          .slice(0, limit),
      ),
  };
}

describe('changes of approvals', () => {
  it('are told once for each version, also when an earlier one is stored later', async () => {
    const rows = table();
    const changes = new ApprovalChanges(rows, 'acme', T);
    const ids = async (): Promise<readonly string[]> => (await changes.next())!.map(({ id, version }) => `${id}${version}`);
    rows.put('a', 1, T + 100);
    expect(await ids()).toEqual(['a1']);
    rows.put('b', 1, T + 50);
    expect(await ids()).toEqual(['b1']);
    rows.put('a', 2, T + 20_000);
    expect(await ids()).toEqual(['a2']);
    expect(await ids()).toEqual([]);
  });

  it('of one moment are all told, over many pages', async () => {
    const rows = table();
    for (let i = 0; i < 1_234; i++) rows.put(`x${String(i).padStart(5, '0')}`, 1, T + 7);
    const changes = new ApprovalChanges(rows, 'acme', T);
    expect(new Set((await changes.next())!.map(({ id }) => id)).size).toBe(1_234);
    expect(await changes.next()).toEqual([]);
  });

  it('that are too many are not told', async () => {
    const rows = table();
    for (let i = 0; i < 6_000; i++) rows.put(`x${i}`, 1, T + i);
    expect(await new ApprovalChanges(rows, 'acme', T).next()).toBeNull();
  });
});
