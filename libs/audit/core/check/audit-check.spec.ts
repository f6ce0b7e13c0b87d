import { describe, expect, it } from '@jest/globals';
import { EventWriter } from '#libs/testing';
import type { JournalRecord } from '#libs/ports';
import { auditCheck, type CheckOptions, type CheckReport } from './audit-check.ts';

async function check(records: readonly JournalRecord[], options: CheckOptions = {}): Promise<CheckReport> {
  async function* pages(): AsyncGenerator<{ index: number; bytes: Uint8Array }[]> {
    for (const [index, record] of records.entries()) yield [{ index, bytes: record.event }];
  }
  return auditCheck(pages(), options);
}

const failed = (report: CheckReport): string[] => report.properties.filter((property) => property.status === 'FAIL').map((property) => property.property.slice(0, 2));

/** A script by one broker: what was written, in order. */
type Script = (broker: EventWriter, other: EventWriter) => JournalRecord[];

describe('auditCheck', () => {
  it.each<[string, Script]>([
    ['allowed calls that were completed', (b) => [b.started('acme'), ...b.call('acme', 'a'), ...b.call('acme', 'b', 'failed'), ...b.call('acme', 'c', 'unknown')]],
    ['calls that overlap', (b) => [b.requested('acme', 'a'), b.requested('acme', 'b'), b.decided('acme', 'b'), b.decided('acme', 'a'), b.completed('acme', 'a'), b.completed('acme', 'b')]],
    ['a denied call', (b) => [b.requested('acme', 'a'), b.decided('acme', 'a', 'deny')]],
    ['an allowed call that was abandoned', (b) => [b.requested('acme', 'a'), b.decided('acme', 'a'), b.abandoned('acme', 'a')]],
    ['a call whose broker was lost', (b, o) => [b.requested('acme', 'a'), b.decided('acme', 'a'), o.outcomeUnknown('acme', 'a', b.producer)]],
    ['a call whose broker came back with the truth', (b, o) => [b.requested('acme', 'a'), b.decided('acme', 'a'), o.outcomeUnknown('acme', 'a', b.producer), b.completed('acme', 'a')]],
  ])('finds nothing wrong with %s', async (_, script) => {
    const report = await check(script(new EventWriter('broker'), new EventWriter('reaper')), { closed: true });
    expect(report.violations).toEqual([]);
    expect(report.verdict).toBe('PASS');
  });

  it.each<[string, string[], Script]>([
    ['completed without an allow', ['I1'], (b) => [b.requested('acme', 'a'), b.completed('acme', 'a')]],
    ['completed after a denial', ['I1'], (b) => [b.requested('acme', 'a'), b.decided('acme', 'a', 'deny'), b.completed('acme', 'a')]],
    ['completed without any record before it', ['I1'], (b) => [b.completed('acme', 'a')]],
    ['completed before it was allowed', ['I1'], (b) => [b.requested('acme', 'a'), b.completed('acme', 'a'), b.decided('acme', 'a')]],
    ['allowed without a request', ['I1'], (b) => [b.decided('acme', 'a'), b.completed('acme', 'a')]],
    ['allowed after it was denied', ['I1'], (b) => [b.requested('acme', 'a'), b.decided('acme', 'a', 'deny'), b.decided('acme', 'a'), b.completed('acme', 'a')]],
    ['allowed and then nothing', ['I2'], (b) => [b.requested('acme', 'a'), b.decided('acme', 'a')]],
    ['abandoned and never allowed', ['I2'], (b) => [b.requested('acme', 'a'), b.abandoned('acme', 'a')]],
    ['completed twice', ['I3'], (b) => [...b.call('acme', 'a'), b.completed('acme', 'a')]],
    ['abandoned and completed all the same', ['I3'], (b) => [b.requested('acme', 'a'), b.decided('acme', 'a'), b.abandoned('acme', 'a'), b.completed('acme', 'a')]],
    ['allowed twice', ['I3'], (b) => [b.requested('acme', 'a'), b.decided('acme', 'a'), b.decided('acme', 'a'), b.completed('acme', 'a')]],
    ['requested twice', ['I3'], (b) => [...b.call('acme', 'a'), b.requested('acme', 'a')]],
    ['completed by a broker that did not allow it', ['I3'], (b, o) => [b.requested('acme', 'a'), b.decided('acme', 'a'), o.completed('acme', 'a')]],
    ['given up and then completed by somebody else', ['I3'], (b, o) => [b.requested('acme', 'a'), b.decided('acme', 'a'), o.outcomeUnknown('acme', 'a', b.producer), o.completed('acme', 'a')]],
    ['held and allowed later, by nobody', ['I4'], (b) => [b.requested('acme', 'a'), b.decided('acme', 'a', 'require_approval'), b.decided('acme', 'a'), b.completed('acme', 'a')]],
    ['missing an event of its producer', ['I7'], (b) => [b.started('acme'), ...b.call('acme', 'a'), b.requested('acme', 'lost'), ...b.call('acme', 'b')].filter((_, i) => i !== 4)],
    ['swapped with another', ['I7'], (b) => [b.requested('acme', 'a'), b.requested('acme', 'b'), b.requested('acme', 'a2')].with(2, new EventWriter('broker').requested('acme', 'x'))],
  ])('finds a call that was %s', async (_, invariants, script) => {
    const report = await check(script(new EventWriter('broker'), new EventWriter('reaper')), { closed: true });
    expect(failed(report)).toEqual(invariants);
    expect(report.verdict).toBe('FAIL');
    expect(report.violations[0]!.index).toBeLessThan(10);
  });

  it('counts calls under way as not checked while brokers may be running, and names them', async () => {
    const broker = new EventWriter('broker');
    const records = [...broker.call('acme', 'a'), broker.requested('acme', 'b'), broker.decided('acme', 'b')];
    const open = await check(records);
    expect(open).toMatchObject({ verdict: 'INCOMPLETE', open: { count: 1, calls: ['b'] }, violations: [] });
    expect((await check(records, { closed: true })).violations.map((violation) => violation.call)).toEqual(['b']);
  });

  it('says of a late truth that it is one', async () => {
    const [broker, reaper] = [new EventWriter('broker'), new EventWriter('reaper')];
    const report = await check([broker.requested('acme', 'a'), broker.decided('acme', 'a'), broker.completed('acme', 'a'), reaper.outcomeUnknown('acme', 'a', broker.producer)]);
    expect(report.notes).toEqual(['call a had been completed at 2 when its broker was given up at 3']);
  });

  it('finds bytes that are no event', async () => {
    expect(failed(await check([{ tenant: 'acme', event: Buffer.from('{}'), sealed: null }]))).toEqual(['I7']);
  });

  it('calls an empty log empty', async () => {
    expect((await check([])).verdict).toBe('NO ENTRIES');
  });

  it('lists a bounded number of violations and counts them all', async () => {
    const broker = new EventWriter('broker');
    const report = await check(Array.from({ length: 150 }, (_, i) => broker.completed('acme', `c${i}`)));
    expect(report.violations).toHaveLength(100);
    expect(report.properties[0]!.sentence).toContain('(and 149 more)');
  });
});
