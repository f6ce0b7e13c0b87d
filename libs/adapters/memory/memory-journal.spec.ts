import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { batch, journalContract } from '../../testing/contract-suites/journal.contract.ts';
import { MemoryJournal } from './memory-journal.ts';

journalContract('memory', () => Promise.resolve({ journal: new MemoryJournal(() => 1), close: () => Promise.resolve() }));

describe('MemoryJournal failures', () => {
  it.each([
    ['before persist', 0],
    ['after persist', 1],
  ] as const)('a failure %s leaves %i records, and sending again leaves exactly one', async (failure, left) => {
    const journal = new MemoryJournal();
    const once = batch(randomUUID(), 1, ['acme', 'x']);
    journal.failNext(failure);
    await expect(journal.append(once)).rejects.toThrow('connection lost');
    expect(journal.records).toHaveLength(left);
    await journal.append(once);
    expect(journal.records).toHaveLength(1);
  });
});
