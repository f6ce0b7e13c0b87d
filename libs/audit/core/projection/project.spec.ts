import { describe, expect, it } from '@jest/globals';
import type { JournalRecord } from '#libs/ports';
import { asEntries, EventWriter } from '#libs/testing';
import type { CallRow } from '../calls/call-row.ts';
import { readEvent } from '../event/read-event.ts';
import { PROJECTOR_PRODUCER } from '../event/rejection.ts';
import type { LogState, ProjectedBatch } from './audit-store.ts';
import type { ProducerState } from './producer-sequence.ts';
import { project, seqsInDoubt } from './project.ts';
import { callKey, producerKey, readRecord, seqKey } from './read-records.ts';

/** Projects records in batches of this size the way the projector does, with everything remembered. */
class World {
  readonly logs = new Map<string, LogState>();
  readonly producers = new Map<string, ProducerState>();
  readonly calls = new Map<string, CallRow>();
  readonly entries: { tenant: string; bytes: Uint8Array; leaf: Uint8Array; producer: string; seq: number }[] = [];
  readonly batches: ProjectedBatch[] = [];
  private position = 0n;

  take(records: readonly JournalRecord[], size = 500): this {
    for (let i = 0; i < records.length; i += size) {
      const read = asEntries(records.slice(i, i + size), this.position).map(readRecord);
      const leaves = new Map(
        seqsInDoubt(read, this.producers).flatMap((key) => this.entries.filter((entry) => entry.tenant === key.tenant && entry.producer === key.producer && entry.seq === key.seq).map((entry) => [seqKey(key.tenant, key.producer, key.seq), entry.leaf] as const)),
      );
      const batch = project({ logs: this.logs, producers: this.producers, calls: this.calls, leaves }, { source: 'memory', from: this.position }, read);
      this.position = batch.to;
      this.batches.push(batch);
      for (const log of batch.logs) {
        this.logs.set(log.tenant, log.after);
        this.entries.push(...log.entries.map((entry) => ({ ...entry, tenant: log.tenant })));
      }
      for (const producer of batch.producers) this.producers.set(producerKey(producer.tenant, producer.producer), producer);
      for (const call of batch.calls) this.calls.set(callKey(call.tenant, call.call), call);
    }
    return this;
  }

  get findings(): string[] {
    return this.batches.flatMap((batch) => batch.findings.map((finding) => finding.kind));
  }

  types(tenant: string): string[] {
    return this.entries.filter((entry) => entry.tenant === tenant).map(({ bytes }) => {
      const reading = readEvent(bytes);
      return 'rejected' in reading ? reading.rejected : reading.event.type;
    });
  }
}

const raw = (tenant: string, event: string): JournalRecord => ({ tenant, event: Buffer.from(event), sealed: null });

describe('project', () => {
  it('makes an entry of each event, in the log of its tenant, with what was sealed beside it', () => {
    const broker = new EventWriter('broker');
    const world = new World().take([...broker.call('acme', 'a'), ...broker.call('globex', 'g')]);
    expect(world.types('acme')).toEqual(['call.requested', 'policy.decided', 'call.completed']);
    expect(world.logs.get('globex')!.tree.size).toBe(3);
    expect(world.batches[0]!.logs[0]!.entries[0]!.sealed.map((field) => field.path)).toEqual(['/args']);
    expect(world.findings).toEqual([]);
    expect(world.calls.get(callKey('acme', 'a'))).toMatchObject({ state: 'completed', outcome: 'succeeded', events: [0, 1, 2], firstIndex: 0, effect: 'allow', policyVersion: 3, broker: broker.producer, totalUs: 1000, upstreamRequest: 'r-a', requestedAt: '2026-01-01T00:00:00.000Z' });
  });

  it.each([1, 2, 7, 500])('counts repeated records and logs them once, in batches of %i', (size) => {
    const records = new EventWriter('broker').call('acme', 'a');
    const world = new World().take([...records, records[1]!, records[0]!, records[0]!, records[2]!], size);
    expect(world.types('acme')).toHaveLength(3);
    expect(world.findings).toEqual(['duplicate']);
    expect([...world.producers.values()].map((producer) => producer.duplicates)).toContain(4);
  });

  it.each([1, 500])('finds another event under a taken number and represents it by its hash, in batches of %i', (size) => {
    const [honest, forger] = [new EventWriter('broker'), new EventWriter('broker')];
    const world = new World().take([...honest.call('acme', 'a'), forger.requested('acme', 'forged')], size);
    expect(world.types('acme')).toEqual(['call.requested', 'policy.decided', 'call.completed', 'log.event_rejected']);
    expect(world.findings).toEqual(['equivocation']);
    expect(world.calls.has(callKey('acme', 'forged'))).toBe(false);
  });

  it.each([1, 500])('finds a hole, and closes it when what was missing comes late, in batches of %i', (size) => {
    const broker = new EventWriter('broker');
    const [first, lost, lost2, third] = [broker.requested('acme', 'a'), broker.requested('acme', 'b'), broker.requested('acme', 'c'), broker.requested('acme', 'd')];
    const world = new World().take([first, third, lost2, lost], size);
    const gap = world.batches.flatMap((batch) => batch.findings)[0]!;
    expect(gap).toMatchObject({ kind: 'gap', fromSeq: 2, toSeq: 3, index: 1 });
    const closed = size === 1 ? world.batches.flatMap((batch) => batch.findingChanges)[0]! : gap;
    expect(closed).toMatchObject({ closedIndex: 3, closedAt: Date.UTC(2026, 0, 1) + 3 });
    expect(world.findings).toEqual(['gap']);
  });

  it('finds an event that does not follow from the one before it', () => {
    const [one, other] = [new EventWriter('broker'), new EventWriter('broker')];
    one.requested('acme', 'a');
    const world = new World().take([one.requested('acme', 'not the first'), other.requested('acme', 'another first'), new EventWriter('x').requested('acme', 'z')]);
    expect(world.findings).toEqual(['gap', 'chain_broken']);
  });

  it('says what it rejects in an event that is a function of the record alone', () => {
    const records = [raw('acme', 'no json'), raw('acme', '{}'), raw('globex', Buffer.from(new EventWriter('b').requested('acme', 'a').event).toString())];
    const [once, again] = [new World().take(records), new World().take(records, 1)];
    expect(once.entries.map((entry) => Buffer.from(entry.bytes).toString())).toEqual(again.entries.map((entry) => Buffer.from(entry.bytes).toString()));
    expect(once.entries.map((entry) => [entry.tenant, entry.producer, entry.seq])).toEqual([['acme', PROJECTOR_PRODUCER, 1], ['acme', PROJECTOR_PRODUCER, 2], ['globex', PROJECTOR_PRODUCER, 1]]);
    const reasons = once.entries.map((entry) => (readEvent(entry.bytes) as { event: { data: { reason: string } } }).event.data.reason);
    expect(reasons).toEqual(['malformed', 'invalid', 'wrong_tenant']);
    expect(once.findings).toEqual(['rejected', 'rejected', 'rejected']);
  });

  it('tells the system log of records whose tenant is none', () => {
    expect(new World().take([raw('NOT A TENANT', '{}'), raw('', '{}')]).types('_system')).toEqual(['log.event_rejected', 'log.event_rejected']);
  });

  it('lets nobody speak as the projector', () => {
    const forged = new World().take([raw('acme', 'x')]).entries[0]!;
    const world = new World().take([{ tenant: 'acme', event: forged.bytes, sealed: null }]);
    expect((readEvent(world.entries[0]!.bytes) as { event: { data: { reason: string } } }).event.data.reason).toBe('invalid');
  });

  it.each<[string, (record: JournalRecord) => Uint8Array | null]>([
    ['is missing', () => null],
    ['is no sealed record', () => Buffer.from('x')],
    ['holds a field too many', (record) => Buffer.concat([Uint8Array.from([1, 0, 2]), record.sealed!.subarray(3), Buffer.from('00022f78' + '00016b' + '00000000', 'hex')])],
    ['has a key name that is none', (record) => Buffer.from(Buffer.from(record.sealed!).toString('latin1').replace(/-/g, '\u0000'), 'latin1')],
  ])('keeps the event and finds it when what should be sealed beside it %s', (_, sealed) => {
    const record = new EventWriter('broker').requested('acme', 'a');
    const world = new World().take([{ ...record, sealed: sealed(record) }]);
    expect(world.types('acme')).toEqual(['call.requested']);
    expect(world.findings).toEqual(['sealed_mismatch']);
  });

  it('changes nothing of what it is given', () => {
    const broker = new EventWriter('broker');
    const world = new World().take(Array.from({ length: 90 }, (_, i) => broker.call('acme', `c${i}`)).flat());
    const before = structuredClone([world.logs, world.producers, world.calls]);
    project({ logs: world.logs, producers: world.producers, calls: world.calls, leaves: new Map() }, { source: 'memory', from: 270n }, asEntries(broker.call('acme', 'c0')).map(readRecord));
    expect([world.logs, world.producers, world.calls]).toEqual(before);
  });
});

describe('the read model of calls', () => {
  const after = (script: (b: EventWriter, other: EventWriter) => JournalRecord[]): CallRow => [...new World().take(script(new EventWriter('broker'), new EventWriter('reaper'))).calls.values()][0]!;

  it.each<[string, Partial<CallRow>, (b: EventWriter, other: EventWriter) => JournalRecord[]]>([
    ['requested', { state: 'requested', outcome: null, effect: null }, (b) => [b.requested('acme', 'a')]],
    ['open once allowed', { state: 'open', effect: 'allow', code: null }, (b) => [b.requested('acme', 'a'), b.decided('acme', 'a')]],
    ['denied', { state: 'denied', effect: 'deny', code: 'policy_denied' }, (b) => [b.requested('acme', 'a'), b.decided('acme', 'a', 'deny')]],
    ['held', { state: 'held', effect: 'require_approval' }, (b) => [b.requested('acme', 'a'), b.decided('acme', 'a', 'require_approval')]],
    ['completed with an unknown outcome', { state: 'completed', outcome: 'unknown', errorClass: 'upstream_timeout' }, (b) => b.call('acme', 'a', 'unknown')],
    ['abandoned', { state: 'abandoned', outcome: null }, (b) => [b.requested('acme', 'a'), b.decided('acme', 'a'), b.abandoned('acme', 'a')]],
    ['unknown', { state: 'unknown', outcome: 'unknown' }, (b, o) => [b.requested('acme', 'a'), b.decided('acme', 'a'), o.outcomeUnknown('acme', 'a', b.producer)]],
    ['completed after all', { state: 'completed', outcome: 'succeeded', eventCount: 4 }, (b, o) => [b.requested('acme', 'a'), b.decided('acme', 'a'), o.outcomeUnknown('acme', 'a', b.producer), b.completed('acme', 'a')]],
    ['completed with the first outcome, whatever comes later', { state: 'completed', outcome: 'failed', eventCount: 6 }, (b, o) => [...b.call('acme', 'a', 'failed'), b.completed('acme', 'a'), b.abandoned('acme', 'a'), o.outcomeUnknown('acme', 'a', b.producer)]],
    ['what its first request said', { server: 'billing', eventCount: 2 }, (b) => [b.requested('acme', 'a'), b.requested('acme', 'a', { server: 'other' })]],
    ['there even when nobody requested it', { state: 'completed', requestedAt: null, class: 'external' }, (b) => [b.completed('acme', 'a')]],
  ])('is %s', (_, expected, script) => {
    expect(after(script)).toMatchObject(expected);
  });

  it('names a bounded number of events', () => {
    const row = after((b) => Array.from({ length: 300 }, () => b.abandoned('acme', 'a')));
    expect([row.events.length, row.eventCount]).toEqual([256, 300]);
  });

  it('holds no U+0000', () => {
    expect(after((b) => [b.requested('acme', 'a', { tool: 'x\u0000y' })]).tool).toBe('x\uFFFDy');
  });
});
