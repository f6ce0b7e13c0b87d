import { encodeSealed, type EventDraft } from '#libs/contracts';
import { type Clock, type Ids, type Journal, type JournalBatch, JournalRefusal, type Recorded, type Recorder, RecorderRefusal, RecorderTimeout, type RecordOptions, type Sealer, type SealedValues, type Spool } from '#libs/ports';
import { BatchQueue, type QueueLimits } from './batch-queue.ts';
import { buildEvent, FIRST_POSITION, type ProducerPosition } from './build-event.ts';

export interface RecorderDependencies {
  /** This process instance: a UUID made for it and never used again. */
  readonly instance: string;
  readonly journal: Journal;
  readonly sealer: Sealer;
  readonly spool: Spool;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Waits; resolves early when the signal aborts. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Calls back after a while; the returned function cancels. */
  readonly timer: (ms: number, callback: () => void) => () => void;
  /** Lets other work of the process go first; called between batches so that the next batch can fill. */
  readonly yieldTurn: () => Promise<void>;
  readonly app: { readonly name: string; readonly version: string };
  readonly limits?: Partial<QueueLimits>;
  /** Told when the journal stops and starts taking batches. */
  readonly onJournal?: (state: 'up' | 'down') => void;
  /** The spool could not be written or cleared. What is recorded stays queued for the journal, but a crash would lose it. */
  readonly onSpoolFailure?: (error: unknown) => void;
  /** The journal refused a batch for good: this producer can write no more and the process must stop. */
  readonly onFatal?: (error: Error) => void;
}

const DEFAULT_LIMITS: QueueLimits = { maxBytes: 32 << 20, maxBatchRecords: 500, maxBatchBytes: 4 << 20 };
const RETRY_FIRST_MS = 10;
const RETRY_MAX_MS = 1_000;

/** A batch and its first append. */
interface Sending {
  readonly batch: JournalBatch;
  readonly append: Promise<bigint>;
}

/** {@link Recorder} over a {@link Journal}: sequence, chain, sealing, natural batching, retry with the same bytes, spool. */
export class JournalRecorder implements Recorder {
  readonly instance: string;
  private readonly queue: BatchQueue;
  private readonly positions = new Map<string, ProducerPosition>();
  private pumping: Promise<void> | undefined;
  private stopping = false;
  private broken: Error | undefined;
  private down = false;
  private spooled = false;
  private spooling: Promise<boolean> | undefined;
  private spoolAgain: Promise<boolean> | undefined;
  private readonly abort = new AbortController();

  constructor(private readonly deps: RecorderDependencies) {
    this.instance = deps.instance;
    this.queue = new BatchQueue(this.instance, { ...DEFAULT_LIMITS, ...deps.limits });
  }

  /** Whether the journal takes what is recorded. */
  get healthy(): boolean {
    return !this.down && !this.broken;
  }

  async record(drafts: readonly EventDraft[], options: RecordOptions = {}): Promise<readonly Recorded[]> {
    this.admit(options);
    const sealed = await Promise.all(drafts.map((draft) => this.seal(draft)));
    // From here to the end of `enqueue` nothing awaits: events get their numbers in the order in which they are queued.
    this.admit(options);
    const durable = this.enqueue(drafts, sealed);
    this.pump();
    return options.timeoutMs === undefined ? durable : this.within(durable, options.timeoutMs, options.mustKeep === true);
  }

  /**
   * Says goodbye in every log this process wrote to and waits until all is durable, or until the time is over: then what is
   * left goes to the spool for the next process; `lost` when that cannot be written either. Nothing is recorded afterwards.
   */
  async stop(timeoutMs: number): Promise<'durable' | 'spooled' | 'lost'> {
    if (!this.stopping && !this.broken) {
      const goodbye: EventDraft[] = [...this.positions.keys()].map((tenant) => ({ type: 'log.producer_stopped', tenant, actor: { via: 'system' }, corr: this.instance, links: {}, data: { app: this.deps.app.name } }));
      void this.enqueue(goodbye, goodbye.map(() => NOTHING_SEALED));
      this.stopping = true;
      this.pump();
    }
    await Promise.race([this.pumping, this.deps.sleep(timeoutMs, this.abort.signal)]);
    if (this.queue.empty) return 'durable';
    const kept = await this.keepOnDisk();
    this.abort.abort();
    return kept ? 'spooled' : 'lost';
  }

  /** Sends what processes that are gone, or one of them, spooled and could not deliver; their events keep their own producer and sequence. */
  async replayOrphans(instance?: string): Promise<number> {
    let replayed = 0;
    for (const orphan of await this.deps.spool.orphans(instance)) {
      for (const batch of orphan.batches) {
        try {
          await this.deps.journal.append(batch);
        } catch (error) {
          if (!(error instanceof JournalRefusal && error.reason === 'stale')) throw error;
        }
        replayed += batch.records.length;
      }
      await orphan.remove();
    }
    return replayed;
  }

  private admit(options: RecordOptions): void {
    if (this.stopping || this.broken) throw new RecorderRefusal('stopped');
    if (options.mustKeep) return;
    if (this.down) throw new RecorderRefusal('down');
    if (this.queue.full) throw new RecorderRefusal('full');
  }

  private async seal(draft: EventDraft): Promise<SealedValues> {
    if (!draft.seal || Object.keys(draft.seal).length === 0) return NOTHING_SEALED;
    return this.deps.sealer.seal(draft.tenant, draft.subject ?? draft.actor.user ?? draft.tenant, draft.seal);
  }

  private enqueue(drafts: readonly EventDraft[], sealed: readonly SealedValues[]): Promise<readonly Recorded[]> {
    const built: { tenant: string; event: Uint8Array; sealed: Uint8Array | null; id: string | undefined }[] = [];
    const moved = new Map<string, ProducerPosition>();
    const add = (draft: EventDraft, values: SealedValues, wanted: boolean): void => {
      const position = moved.get(draft.tenant) ?? this.positions.get(draft.tenant) ?? FIRST_POSITION;
      const id = draft.id ?? this.deps.ids.uuid();
      const { bytes, next } = buildEvent(draft, { id, timeMs: this.deps.clock.now(), producer: this.instance, position, commitments: values.commitments });
      moved.set(draft.tenant, next);
      built.push({ tenant: draft.tenant, event: bytes, sealed: values.fields.length === 0 ? null : encodeSealed(values.fields), id: wanted ? id : undefined });
    };
    drafts.forEach((draft, i) => {
      if (!this.positions.has(draft.tenant) && !moved.has(draft.tenant)) {
        add({ type: 'log.producer_started', tenant: draft.tenant, actor: { via: 'system' }, corr: this.instance, links: {}, data: { app: this.deps.app.name, version: this.deps.app.version } }, NOTHING_SEALED, false);
      }
      add(draft, sealed[i]!, true);
    });
    // All events are built: only now do they count, so a draft that cannot be built leaves no hole in the sequence.
    for (const [tenant, position] of moved) this.positions.set(tenant, position);
    return new Promise((resolve) => {
      const recorded: Recorded[] = [];
      for (const { id, ...record } of built) {
        this.queue.push(record, id === undefined ? undefined : (position) => {
          recorded.push({ id, position });
          if (recorded.length === drafts.length) resolve(recorded);
        });
      }
      if (drafts.length === 0) resolve(recorded);
    });
  }

  private pump(): void {
    if (this.pumping) return;
    this.pumping = this.send().finally(() => {
      this.pumping = undefined;
    });
  }

  private async send(): Promise<void> {
    for (let sending = this.start(); sending; ) {
      const tell = await this.delivered(sending);
      if (!tell) return;
      // The next batch is on its way before those who waited for this one go on: the journal works while they do.
      sending = this.start();
      tell();
      if (sending) continue;
      if (this.queue.empty && this.spooled) await this.clearSpool();
      await this.deps.yieldTurn();
      sending = this.start();
    }
  }

  /** Sends the next batch for the first time, if there is one. */
  private start(): Sending | undefined {
    const batch = this.queue.next();
    if (!batch) return undefined;
    const append = this.deps.journal.append(batch);
    append.catch(() => undefined);
    return { batch, append };
  }

  /** Waits for the journal and sends the batch again until it is taken. Undefined when there is no use in going on. */
  private async delivered({ batch, append }: Sending): Promise<(() => void) | undefined> {
    let current = append;
    for (let retryMs = RETRY_FIRST_MS; ; retryMs = Math.min(retryMs * 2, RETRY_MAX_MS)) {
      try {
        const tell = this.queue.acknowledged(await current);
        this.setDown(false);
        return tell;
      } catch (error) {
        if (error instanceof JournalRefusal) {
          this.broken = error;
          await this.keepOnDisk();
          this.deps.onFatal?.(error);
          return undefined;
        }
        this.setDown(true);
        await this.deps.sleep(retryMs, this.abort.signal);
        if (this.abort.signal.aborted) return undefined;
        current = this.deps.journal.append(batch);
      }
    }
  }

  private async clearSpool(): Promise<void> {
    await this.spooling;
    if (!this.queue.empty) return;
    this.spooled = false;
    // Takes the writers' turn, so that a new spool is never the one that is removed.
    const clearing = this.deps.spool.clear().then(
      () => true,
      (error: unknown) => this.spoolFailed(error),
    );
    this.spooling = clearing.finally(() => {
      this.spooling = undefined;
    });
    await this.spooling;
  }

  private setDown(down: boolean): void {
    if (this.down === down) return;
    this.down = down;
    this.deps.onJournal?.(down ? 'down' : 'up');
  }

  private async within<T>(durable: Promise<T>, timeoutMs: number, mustKeep: boolean): Promise<T> {
    let cancel: (() => void) | undefined;
    const late = new Promise<typeof LATE>((resolve) => {
      cancel = this.deps.timer(timeoutMs, () => resolve(LATE));
    });
    const first = await Promise.race([durable, late]);
    cancel?.();
    if (first !== LATE) return first;
    // An append that hangs is as good as a journal that is down: admissions are refused until it moves again.
    this.setDown(true);
    if (mustKeep) await this.keepOnDisk();
    throw new RecorderTimeout();
  }

  /**
   * Writes everything that waits to the spool; callers that come while a write runs share the next one. False when it could not be
   * written: the events still wait for the journal, so nobody may record them a second time.
   */
  private keepOnDisk(): Promise<boolean> {
    this.spooled = true;
    if (!this.spooling) {
      const writing = this.deps.spool.write(this.queue.cutAll()).then(
        () => true,
        (error: unknown) => this.spoolFailed(error),
      );
      this.spooling = writing.finally(() => {
        this.spooling = undefined;
      });
      return this.spooling;
    }
    this.spoolAgain ??= this.spooling.then(() => {
      this.spoolAgain = undefined;
      return this.keepOnDisk();
    });
    return this.spoolAgain;
  }

  private spoolFailed(error: unknown): false {
    this.deps.onSpoolFailure?.(error);
    return false;
  }
}

const LATE = Symbol('late');
const NOTHING_SEALED: SealedValues = { commitments: {}, fields: [] };
