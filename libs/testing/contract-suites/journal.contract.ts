import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Journal, type JournalBatch, type JournalEntry, JournalRefusal } from '#libs/ports';

export interface JournalUnderTest {
  readonly journal: Journal;
  close(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

export function batch(producer: string, number: number, ...records: readonly (readonly [tenant: string, event: string, sealed?: string])[]): JournalBatch {
  return { producer, number, records: records.map(([tenant, event, sealed]) => ({ tenant, event: bytes(event), sealed: sealed === undefined ? null : bytes(sealed) })) };
}

/** Reads `count` records from `next` on, then stops following. */
export async function read(journal: Journal, next: bigint, count: number, maxRecords = 500, maxBytes = 1_000_000): Promise<JournalEntry[]> {
  const stop = new AbortController();
  const seen: JournalEntry[] = [];
  if (count === 0) return seen;
  const [source] = await journal.sources();
  await journal.follow({ source: source!, next, maxRecords, maxBytes, signal: stop.signal }, (records) => {
    expect(records.length).toBeLessThanOrEqual(maxRecords);
    seen.push(...records);
    if (seen.length >= count) stop.abort();
    return Promise.resolve();
  });
  return seen;
}

/** What {@link Journal} promises, on each of its adapters. */
export function journalContract(name: string, open: () => Promise<JournalUnderTest>): void {
  describe(`Journal: ${name}`, () => {
    let under: JournalUnderTest;
    let journal: Journal;
    let start: bigint;

    beforeAll(async () => {
      under = await open();
      journal = under.journal;
    });
    afterAll(() => under.close());
    const markStart = async (): Promise<void> => {
      start = await journal.end((await journal.sources())[0]!);
    };
    beforeAll(markStart);
    afterEach(markStart);

    it('gives back the same bytes in the order of appending, with dense positions', async () => {
      const producer = randomUUID();
      const last = await journal.append(batch(producer, 1, ['acme', '{"a":"é\\u0000"}', 'sealed'], ['globex', 'two']));
      expect(last).toBe(start + 1n);
      expect(await journal.append(batch(producer, 2, ['acme', 'three']))).toBe(start + 2n);
      const seen = await read(journal, start, 3);
      expect(seen.map((entry) => [entry.position, entry.tenant, text(entry.event), entry.sealed && text(entry.sealed)])).toEqual([
        [start, 'acme', '{"a":"é\\u0000"}', 'sealed'],
        [start + 1n, 'globex', 'two', null],
        [start + 2n, 'acme', 'three', null],
      ]);
      expect(seen.every((entry) => Number.isSafeInteger(entry.at))).toBe(true);
    });

    it('stores a batch that is sent again once, and answers with the same position', async () => {
      const producer = randomUUID();
      const first = await journal.append(batch(producer, 1, ['acme', 'once']));
      expect(await journal.append(batch(producer, 1, ['acme', 'once']))).toBe(first);
      expect(await journal.end((await journal.sources())[0]!)).toBe(start + 1n);
    });

    it('refuses a batch older than the last one of its producer, and writes nothing', async () => {
      const producer = randomUUID();
      await journal.append(batch(producer, 1, ['acme', 'one']));
      await journal.append(batch(producer, 2, ['acme', 'two']));
      await expect(journal.append(batch(producer, 1, ['acme', 'one']))).rejects.toThrow(JournalRefusal);
      expect(await journal.end((await journal.sources())[0]!)).toBe(start + 2n);
    });

    it('refuses an empty batch', async () => {
      await expect(journal.append({ producer: randomUUID(), number: 1, records: [] })).rejects.toThrow(JournalRefusal);
    });

    it('keeps the order of each of two concurrent writers and loses nothing', async () => {
      const writers = [randomUUID(), randomUUID()];
      const each = 40;
      await Promise.all(
        writers.map(async (producer, w) => {
          for (let n = 1; n <= each; n++) await journal.append(batch(producer, n, [`t${w}`, `${n}a`], [`t${w}`, `${n}b`]));
        }),
      );
      const seen = await read(journal, start, 4 * each);
      expect(seen.map((entry) => entry.position)).toEqual(seen.map((_, i) => start + BigInt(i)));
      for (const w of [0, 1]) {
        const expected = Array.from({ length: each }, (_, i) => [`${i + 1}a`, `${i + 1}b`]).flat();
        expect(seen.filter((entry) => entry.tenant === `t${w}`).map((entry) => text(entry.event))).toEqual(expected);
      }
    });

    it('never skips a record while writers race with a follower', async () => {
      const total = 120;
      const reading = read(journal, start, total, 7);
      await Promise.all(
        [0, 1, 2].map(async (w) => {
          const producer = randomUUID();
          for (let n = 1; n <= total / 3; n++) await journal.append(batch(producer, n, ['acme', `${w}:${n}`]));
        }),
      );
      const seen = await reading;
      expect(seen.map((entry) => entry.position)).toEqual(Array.from({ length: total }, (_, i) => start + BigInt(i)));
    });

    it('resumes from a cursor without gap or repetition', async () => {
      const producer = randomUUID();
      await journal.append(batch(producer, 1, ...Array.from({ length: 10 }, (_, i) => ['acme', String(i)] as const)));
      const first = await read(journal, start, 4, 4);
      const rest = await read(journal, start + BigInt(first.length), 10 - first.length, 3);
      expect([...first, ...rest].map((entry) => text(entry.event))).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    });

    it('delivers a record larger than the byte limit alone rather than never', async () => {
      const producer = randomUUID();
      await journal.append(batch(producer, 1, ['acme', 'small'], ['acme', 'x'.repeat(5000)], ['acme', 'after']));
      const seen = await read(journal, start, 3, 500, 100);
      expect(seen.map((entry) => entry.event.length)).toEqual([5, 5000, 5]);
    });

    it('wakes a follower that waits at the end', async () => {
      const reading = read(journal, start, 1);
      await journal.append(batch(randomUUID(), 1, ['acme', 'late']));
      expect((await reading).map((entry) => text(entry.event))).toEqual(['late']);
    });

    it('delivers the next batch only after the last one was taken, and ends with the reason of one that was not', async () => {
      const producer = randomUUID();
      await journal.append(batch(producer, 1, ['acme', '1'], ['acme', '2']));
      const [source] = await journal.sources();
      const seen: string[] = [];
      const following = journal.follow({ source: source!, next: start, maxRecords: 1, maxBytes: 1000, signal: new AbortController().signal }, (records) => {
        seen.push(text(records[0]!.event));
        return Promise.reject(new Error('projector said no'));
      });
      await expect(following).rejects.toThrow('projector said no');
      expect(seen).toEqual(['1']);
    });

    it('says so when the cursor lies beyond the end or names another journal', async () => {
      const [source] = await journal.sources();
      const options = { next: start + 1000n, maxRecords: 1, maxBytes: 1000, signal: new AbortController().signal };
      await expect(journal.follow({ ...options, source: source! }, () => Promise.resolve())).rejects.toThrow(JournalRefusal);
      await expect(journal.follow({ ...options, next: 0n, source: 'elsewhere' }, () => Promise.resolve())).rejects.toThrow(JournalRefusal);
    });
  });
}
