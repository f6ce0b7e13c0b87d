import { describe, expect, it } from '@jest/globals';
import { MemoryJournal, MemoryKeyStore, MemorySpool } from '#libs/adapters/memory';
import { AesSealer, KeyHierarchy } from '#libs/adapters/sealing';
import { type Envelope, type EventDraft } from '#libs/contracts';
import { RecorderRefusal, RecorderTimeout } from '#libs/ports';
import { base64url, sha256 } from '../sha256.ts';
import { JournalRecorder, type RecorderDependencies } from './recorder.ts';

interface World {
  readonly journal: MemoryJournal;
  readonly spool: MemorySpool;
  readonly recorder: JournalRecorder;
  /** Lets every timer that waits fire. */
  elapse(): void;
  events(tenant?: string): Envelope[];
}

function world(overrides: Partial<RecorderDependencies> = {}): World {
  const journal = new MemoryJournal();
  const spool = new MemorySpool();
  const timers = new Set<() => void>();
  const timer = (_ms: number, callback: () => void): (() => void) => {
    timers.add(callback);
    return () => timers.delete(callback);
  };
  let ids = 0;
  const recorder = new JournalRecorder({
    instance: '00000000-0000-7000-8000-00000000000a',
    journal,
    spool,
    sealer: new AesSealer(new KeyHierarchy(new Uint8Array(32), new MemoryKeyStore(), () => 0)),
    clock: { now: () => 1_700_000_000_000, monotonicUs: () => 0 },
    ids: { uuid: () => `00000000-0000-7000-8000-${String(++ids).padStart(12, '0')}`, randomBytes: (length) => new Uint8Array(length) },
    timer,
    sleep: (_ms, signal) => new Promise((resolve) => (signal?.addEventListener('abort', () => resolve()), setImmediate(resolve))),
    yieldTurn: () => new Promise((resolve) => setImmediate(resolve)),
    app: { name: 'test', version: '1' },
    ...overrides,
  });
  return {
    journal,
    spool,
    recorder,
    elapse: () => [...timers].forEach((fire) => (timers.delete(fire), fire())),
    events: (tenant) => journal.records.filter((record) => !tenant || record.tenant === tenant).map((record) => JSON.parse(Buffer.from(record.event).toString()) as Envelope),
  };
}

const closed = (session: string, tenant = 'acme'): EventDraft => ({ type: 'auth.session_closed', tenant, actor: { user: 'ada', via: 'mcp' }, corr: session, links: {}, data: { session } });
const sessions = (w: World): unknown[] => w.events('acme').filter((event) => event.type === 'auth.session_closed').map((event) => event.data['session']);
const turns = async (count = 10): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** The chain every log must show: sequence from 1 without holes, each event naming the digest of the one before. */
function expectWholeChain(w: World, tenant: string): void {
  const records = w.journal.records.filter((record) => record.tenant === tenant);
  let prev = '';
  records.forEach((record, i) => {
    const event = JSON.parse(Buffer.from(record.event).toString()) as Envelope;
    expect(event.producer).toEqual({ id: w.recorder.instance, seq: String(i + 1), prev });
    prev = base64url(sha256(record.event));
  });
}

describe('JournalRecorder', () => {
  it('begins each log with log.producer_started and chains every event to the one before', async () => {
    const w = world();
    await w.recorder.record([closed('1'), closed('2')]);
    await w.recorder.record([closed('3', 'globex')]);
    await w.recorder.record([closed('4')]);
    expect(w.events('acme').map((event) => event.type)).toEqual(['log.producer_started', 'auth.session_closed', 'auth.session_closed', 'auth.session_closed']);
    expectWholeChain(w, 'acme');
    expectWholeChain(w, 'globex');
  });

  it('a clock that is set back changes the times and nothing else: order and chain stay whole', async () => {
    const times = [3_000, 2_000, 1_000, 4_000];
    const w = world({ clock: { now: () => times.shift() ?? 5_000, monotonicUs: () => 0 } });
    await w.recorder.record([closed('1')]);
    await w.recorder.record([closed('2')]);
    await w.recorder.record([closed('3')]);
    expect(w.events('acme').map((event) => Date.parse(event.time))).toEqual([3_000, 2_000, 1_000, 4_000]);
    expectWholeChain(w, 'acme');
  });

  it('resolves only when the journal has the events', async () => {
    const w = world();
    w.journal.pause();
    let done = false;
    const recording = w.recorder.record([closed('1')]).then((recorded) => ((done = true), recorded));
    await turns();
    expect(done).toBe(false);
    w.journal.resume();
    expect((await recording).map((recorded) => recorded.position)).toEqual([1n]);
  });

  it('collects what comes while one append is in flight into one batch', async () => {
    const w = world();
    const sizes: number[] = [];
    const append = w.journal.append.bind(w.journal);
    w.journal.append = (batch) => (sizes.push(batch.records.length), append(batch));
    await Promise.all(Array.from({ length: 50 }, (_, i) => w.recorder.record([closed(String(i))])));
    expect(sizes).toEqual([2, 49]);
    expect(sessions(w)).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
  });

  it.each(['before persist', 'after persist'] as const)('sends the same bytes again after a failure %s: nothing lost, nothing twice', async (failure) => {
    const w = world();
    w.journal.failNext(failure, failure);
    await w.recorder.record([closed('1')]);
    expect(sessions(w)).toEqual(['1']);
    expectWholeChain(w, 'acme');
  });

  it('refuses admissions at once while the journal is down, and takes them again afterwards', async () => {
    const states: string[] = [];
    const w = world({ onJournal: (state) => states.push(state) });
    w.journal.failNext('before persist', 'before persist', 'before persist');
    const first = w.recorder.record([closed('1')]);
    await turns(1);
    expect(w.recorder.healthy).toBe(false);
    await expect(w.recorder.record([closed('2')])).rejects.toMatchObject({ reason: 'down' });
    await first;
    await w.recorder.record([closed('3')]);
    expect(sessions(w)).toEqual(['1', '3']);
    expect(states).toEqual(['down', 'up']);
  });

  it('refuses admissions when the queue is full, but keeps outcomes', async () => {
    const w = world({ limits: { maxBytes: 2_000 } });
    w.journal.pause();
    const kept: Promise<unknown>[] = [];
    let refused: unknown;
    for (let i = 0; i < 20 && !refused; i++) {
      const recording = w.recorder.record([closed(String(i))]);
      recording.catch((error: unknown) => (refused = error));
      kept.push(recording);
      await turns(1);
    }
    expect(refused).toBeInstanceOf(RecorderRefusal);
    expect((refused as RecorderRefusal).reason).toBe('full');
    const outcome = w.recorder.record([closed('outcome')], { mustKeep: true });
    w.journal.resume();
    await outcome;
    await Promise.allSettled(kept);
    expect(sessions(w).at(-1)).toBe('outcome');
    expect(sessions(w)).toHaveLength(kept.length);
  });

  it('a late admission stays queued and becomes durable before what is recorded about it', async () => {
    const w = world();
    w.journal.pause();
    const admission = w.recorder.record([closed('1')], { timeoutMs: 5 });
    await turns();
    w.elapse();
    await expect(admission).rejects.toBeInstanceOf(RecorderTimeout);
    const about = w.recorder.record([closed('about 1')], { mustKeep: true });
    w.journal.resume();
    await about;
    expect(sessions(w)).toEqual(['1', 'about 1']);
  });

  it('an outcome that is late is on disk before the caller hears of it, with everything that stands before it', async () => {
    const w = world();
    w.journal.pause();
    const admission = w.recorder.record([closed('1')]);
    const outcome = w.recorder.record([closed('2')], { mustKeep: true, timeoutMs: 5 });
    await turns();
    w.elapse();
    await expect(outcome).rejects.toBeInstanceOf(RecorderTimeout);
    const kept = w.spool.kept.flatMap((batch) => batch.records.map((record) => (JSON.parse(Buffer.from(record.event).toString()) as Envelope).data['session']));
    expect(kept).toEqual([undefined, '1', '2']);
    w.journal.resume();
    await admission;
    await turns();
    expect(w.spool.kept).toEqual([]);
  });

  it('what a killed process left in its spool is replayed once, whether or not its last batch had arrived', async () => {
    for (const arrived of [false, true]) {
      const dead = world();
      dead.journal.failNext(...(arrived ? (['after persist'] as const) : (['before persist'] as const)));
      const hang = new Promise<void>(() => undefined);
      const crashed = new JournalRecorder({ ...(dead.recorder as unknown as { deps: RecorderDependencies }).deps, sleep: () => hang });
      const outcome = crashed.record([closed('1'), closed('2')], { mustKeep: true, timeoutMs: 5 });
      await turns();
      dead.elapse();
      await expect(outcome).rejects.toBeInstanceOf(RecorderTimeout);
      dead.spool.left = [[...dead.spool.kept]];
      expect(await dead.recorder.replayOrphans()).toBe(3);
      expect(await dead.recorder.replayOrphans()).toBe(0);
      expect(sessions(dead)).toEqual(['1', '2']);
    }
  });

  it('a draft that the catalogue does not allow leaves no hole in the sequence', async () => {
    const w = world();
    await w.recorder.record([closed('1')]);
    const bad = { ...closed('2'), data: { session: 2, extra: true } } as unknown as EventDraft;
    await expect(w.recorder.record([closed('never'), bad])).rejects.toThrow();
    await w.recorder.record([closed('3')]);
    expect(sessions(w)).toEqual(['1', '3']);
    expectWholeChain(w, 'acme');
  });

  it('stops in order: says goodbye in each log, then takes nothing more', async () => {
    const w = world();
    await w.recorder.record([closed('1'), closed('2', 'globex')]);
    expect(await w.recorder.stop(1000)).toBe('durable');
    expect(w.events('acme').at(-1)?.type).toBe('log.producer_stopped');
    expect(w.events('globex').at(-1)?.type).toBe('log.producer_stopped');
    await expect(w.recorder.record([closed('3')], { mustKeep: true })).rejects.toMatchObject({ reason: 'stopped' });
  });

  it('stopping while the journal is away leaves everything in the spool', async () => {
    const w = world();
    w.journal.pause();
    const recording = w.recorder.record([closed('1')]);
    recording.catch(() => undefined);
    await turns();
    expect(await w.recorder.stop(1)).toBe('spooled');
    expect(w.spool.kept.flatMap((batch) => batch.records)).toHaveLength(3);
  });

  it('a spool that cannot be written loses no outcome, makes none twice, and is told', async () => {
    const failures: unknown[] = [];
    const full = new Error('ENOSPC');
    const broken = { write: () => Promise.reject(full), clear: () => Promise.reject(full), orphans: () => Promise.resolve([]) };
    const w = world({ spool: broken, onSpoolFailure: (error) => failures.push(error) });
    w.journal.pause();
    const outcome = w.recorder.record([closed('1')], { mustKeep: true, timeoutMs: 5 });
    await turns();
    w.elapse();
    // Anything else would tell the caller that the event is not on its way, and it would be recorded again.
    await expect(outcome).rejects.toBeInstanceOf(RecorderTimeout);
    expect(failures).toEqual([full]);
    w.journal.resume();
    await turns();
    expect(sessions(w)).toEqual(['1']);
    await w.recorder.record([closed('2')]);
    expect(sessions(w)).toEqual(['1', '2']);
    expectWholeChain(w, 'acme');
  });

  it('stopping with neither journal nor spool says that something is lost', async () => {
    const broken = { write: () => Promise.reject(new Error('ENOSPC')), clear: () => Promise.resolve(), orphans: () => Promise.resolve([]) };
    const w = world({ spool: broken });
    w.journal.pause();
    w.recorder.record([closed('1')]).catch(() => undefined);
    await turns();
    expect(await w.recorder.stop(1)).toBe('lost');
  });
});
